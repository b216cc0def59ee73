"""Texts with references to the stack's values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import env_template
from components.env_rules import Rule
from components.env_sources import OUTPUTS, SOURCES, port_name
from components.env_template import Reference, TemplateError

URL = "postgresql://user%40x:p%2Fw@127.0.0.1:54322/db?pgbouncer=true"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${A}", "1"),
        ("x${A}y${B}${A}", "x1y21"),
        ("$A $ {A} $$ }", "$A $ {A} $$ }"),
        ("$${A}", "${A}"),
        ("", ""),
        ("${U}", URL),
        ("${U.host}|${U.port}|${U.user}|${U.password}|${U.path}", "127.0.0.1|54322|user@x|p/w|db"),
        ("${H.port} ${H.user}${H.password}${H.path}", "443 "),
    ],
)
def test_references_are_replaced_and_nothing_else(text, filled):
    values = {"A": "1", "B": "2", "U": URL, "H": "https://h"}
    assert env_template.fill(text, values) == filled


@given(st.text("ab${}.A"))
def test_a_value_is_never_looked_into_again(value):
    assert env_template.fill("${A}", {"A": value}) == value


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${a}", "${A.b}", "${A B}", "${1}", "x${A.host.port}"])
def test_what_is_no_reference_is_refused_without_repeating_it(text):
    with pytest.raises(TemplateError) as refused:
        env_template.parse(f"hush{text}")
    assert "hush" not in str(refused.value)
    assert "${NAME}" in str(refused.value)


def test_names_stand_once_and_in_their_order():
    assert env_template.names("${B}${A}${B.host}") == ("B", "A")
    assert env_template.references("${A}${B.host}") == (Reference("A"), Reference("B", "host"))


def test_every_planned_port_is_a_value():
    assert port_name("mailWeb") == "MAIL_WEB_PORT"
    assert port_name("objectStoreConsole") == "OBJECT_STORE_CONSOLE_PORT"
    assert SOURCES["POOLER_TRANSACTION_PORT"].rule is Rule.PORT


def test_what_opens_a_door_is_secret_and_what_browsers_get_is_not():
    plain = {name for name, source in OUTPUTS.items() if not source.secret}
    assert {"ANON_KEY", "PUBLISHABLE_KEY", "API_URL", "DASHBOARD_USERNAME"} <= plain
    for name in OUTPUTS.keys() - plain:
        assert any(
            word in name
            for word in (
                "PASSWORD",
                "SECRET",
                "KEY",
                "JWKS",
                "DB_URL",
                "POOLER",
                "PGBOUNCER",
                "REDIS_URL",
                "READ_URL",
                "DATABASE_URL",
                "DIRECT_URL",
            )
        ), name
    assert {"SERVICE_ROLE_KEY", "SECRET_KEY", "DB_URL", "POOLER_URL", "REDIS_URL", "JWT_SECRET", "JWKS"}.isdisjoint(plain)
