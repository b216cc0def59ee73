"""What we write is read the same by the real readers: npm dotenv, Next.js, bash, sh, python-dotenv and docker."""

import itertools
import subprocess
from io import StringIO

import dotenv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components import env_file_header, env_files, env_format, env_sources, env_template
from components.env_apps import APPS
from components.env_apps.nextjs import NEXTJS
from components.env_file_header import Owner
from components.env_format import Format
from components.env_rules import Rule
from components.env_sources import SOURCES
from tests.integration.env_files.conftest import NODE_READERS

# Fixtures here are programs that keep nothing between texts.
slow = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

NASTY = "aB0_ '\"`$\\{}()#!=:;&|<>*?~%^@,.[]-+/\n\tné漢😀\u00a0\u0085\u2028\u2029\ufeff\x01\x0b\x7f"
nasty = st.text(st.sampled_from(NASTY) | st.characters(codec="utf-8"), max_size=10)
writable = nasty.filter(lambda value: env_format.unwritable(value, Format.DOTENV) is None)
KEYS = ("SETUP_PASSWORD", "ADMIN_EMAIL", "ADMIN_PASSWORD", "ADMIN_NAME")


@st.composite
def files(draw):
    """A file of ours with several values, whose quotes and comments stand near each other."""
    values = {key: draw(writable) for key in KEYS}
    body = env_files.render(NEXTJS.layout, values, "dotenv").encode()
    return env_file_header.put(Owner("p", "s", "nextjs"), "dotenv", body).decode(), values


@slow
@given(files())
def test_npm_dotenv_and_next_read_every_value_as_it_was(node, file):
    text, values = file
    (found,) = node.read([text])
    assert found == dict.fromkeys(NODE_READERS, values)


@pytest.mark.parametrize("after", ["#b", "\nb", "\n#b", "it's"])
def test_a_backslash_at_the_end_does_not_swallow_the_next_value(node, shell, after):
    values = dict(zip(KEYS, ("a\\", after, "\\", after), strict=True))
    text = env_files.render(NEXTJS.layout, values, "dotenv")
    assert node.read([text]) == [dict.fromkeys(NODE_READERS, values)]
    assert shell.read(text).items() >= values.items()


@slow
@given(files())
@pytest.mark.parametrize("name", ["bash", "sh"])
def test_a_shell_reads_every_value_as_it_was(shell, name, file):
    text, values = file
    found = shell.read(text, name)
    assert {key: found.get(key) for key in KEYS} == values


@slow
@given(files())
def test_python_dotenv_reads_every_value_without_a_backslash_or_a_dollar_as_it_was(file):
    """It takes double backslashes for one, replaces $ in double quotes, and knows other blanks; nothing of ours relies on it."""
    text, values = file
    if not any(set("\\$\u0085\u2028\u2029\ufeff") & set(value) for value in values.values()):
        assert dotenv.dotenv_values(stream=StringIO(text)) == values


def test_our_own_reader_finds_what_npm_dotenv_finds_in_any_text(node):
    lines = st.text(st.sampled_from("AB=: '\"`\\#\n\r$en\t\u2028\ufeffé-."), max_size=40)
    texts = lines | st.builds("{}={}\n{}".format, st.sampled_from("AB"), lines, lines)

    @settings(slow, max_examples=1500)
    @given(texts)
    def agree(text):
        (found,) = node.read([text])
        assert env_format.read(text).values == found["dotenv"] == found["dotenv16"]

    agree()


FORMS = (
    lambda value: value,
    lambda value: f"'{value}'",
    lambda value: f'"{value}"',
    lambda value: f"`{value}`",
    lambda value: f"'{value}' # it's",
)


def test_of_all_short_values_just_those_are_refused_that_no_way_of_quoting_carries(node, shell):
    """All values of up to three characters that mean something to some reader, each in every way that could be thought of."""
    alphabet = "a${\\'\"`# \nn!é=~("
    every = ["".join(chars) for n in range(4) for chars in itertools.product(alphabet, repeat=n)]
    tried = [
        (value, written)
        for value in every
        for written in (
            {form(value) for form in FORMS}
            if env_format.unwritable(value, Format.DOTENV)
            else {env_format.write(value, Format.DOTENV)}
        )
    ]
    in_node = node.read([f"V={written}\n" for _, written in tried])
    in_shell = shell.read_each(written for _, written in tried)
    carried = {
        value
        for (value, _), found, sourced in zip(tried, in_node, in_shell, strict=True)
        if sourced == value and all(answer == {"V": value} for answer in found.values())
    }
    taken = {value for value in every if env_format.unwritable(value, Format.DOTENV) is None}
    assert taken - carried == set()
    # dotenv-expand leaves a name alone if another $ without a name follows. We don't count on that.
    assert carried - taken == {"$a$", "$n$"}
    # Neither side of the line is nearly empty.
    assert len(taken) > 1000
    assert len(every) - len(taken) > 250


KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl-_"


def typical(source):
    """A value as the stack makes it."""
    return {
        Rule.HTTP_URL: "http://127.0.0.1:54321/rest/v1",
        Rule.POSTGRES_URL: "postgresql://postgres.abc:A-z_9@127.0.0.1:54329/postgres",
        Rule.REDIS_URL: "redis://:A-z_9@127.0.0.1:6379",
        Rule.ANON_KEY: KEY,
        Rule.SERVICE_KEY: KEY,
        Rule.PORT: "54321",
        Rule.INTEGER: "17",
        Rule.EMAIL: "admin@example.com",
    }.get(env_sources.find(source).rule, '{"keys":[{"kty":"EC"}]}' if source == "JWKS" else "Ann O'Neil")


@pytest.mark.parametrize("app", [app for app in APPS.values() if app.format is None], ids=lambda app: app.name)
def test_the_file_of_every_built_in_app_is_read_the_same_by_all(node, shell, app):
    every = {
        name: typical(name) for name in {*SOURCES, *(n for v in app.variables.values() for n in env_template.names(v.value))}
    }
    values = {key: env_template.fill(text, every) for key, text in env_files.select(app, every).items()}
    assert set(values) == set(app.variables)
    text = env_files.render(app.layout, values, "dotenv")
    assert node.read([text]) == [dict.fromkeys(NODE_READERS, values)]
    assert shell.read(text).items() >= values.items()


# ---- docker ----------------------------------------------------------------------------------------------------------


@pytest.mark.docker
def test_docker_reads_every_value_as_it_was(docker_env):
    blanks = st.sampled_from([" ", "\t", "  ", ""])
    values = st.builds("{}{}{}".format, blanks, nasty | st.text("\r\xa0#'\"$ab", max_size=6), blanks)
    plain = values.filter(lambda value: env_format.unwritable(value, Format.DOCKER) is None)

    @settings(slow, max_examples=60)
    @given(st.tuples(*[plain] * len(KEYS)))
    def same(some):
        given_values = dict(zip(KEYS, some, strict=True))
        body = env_files.render(NEXTJS.layout, given_values, "docker").encode()
        assert docker_env(env_file_header.put(Owner("p", "s", "nextjs"), "docker", body)) == given_values

    same()


@pytest.mark.docker
def test_the_longest_value_that_we_write_is_one_that_docker_reads(docker_env):
    longest = "x" * 63 * 1024
    assert env_format.unwritable(longest, Format.DOCKER) is None
    assert env_format.unwritable(longest + "x", Format.DOCKER)
    assert docker_env(f"ADMIN_NAME={longest}\n".encode()) == {"ADMIN_NAME": longest}
    with pytest.raises(subprocess.CalledProcessError, match="create"):
        docker_env(f"ADMIN_NAME={longest}{'x' * 1024}\n".encode())


@pytest.mark.docker
@pytest.mark.parametrize("value", ["a\nb", "a\r"])
def test_what_we_refuse_for_docker_it_would_read_otherwise(docker_env, value):
    assert env_format.unwritable(value, Format.DOCKER)
    assert docker_env(f"ADMIN_NAME={value}\n".encode()).get("ADMIN_NAME") != value


@pytest.mark.docker
def test_our_own_reader_finds_what_docker_finds(docker_env):
    @settings(slow, max_examples=60)
    @given(st.text(st.sampled_from("AB= \t#'\n\r\"$"), max_size=30).map(lambda text: f"A=1\n{text}\nB=2\n"))
    def agree(text):
        reading = env_format.read(text, Format.DOCKER)
        try:
            found = docker_env(text.encode())
        except subprocess.CalledProcessError:
            assert reading.bad_lines
        else:
            assert not reading.bad_lines
            assert found == reading.values

    agree()
