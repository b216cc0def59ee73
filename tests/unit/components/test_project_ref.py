"""The reference of a stack that names none."""

import re

from hypothesis import given
from hypothesis import strategies as st

from components import project_ref
from components.plan import Plan
from components.settings import load

LOCAL = {"supastack:imageSource": "local", "supastack:objectStorage": {"fallback": "minio"}}


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_reference_is_twenty_letters(project: str, stack: str) -> None:
    assert re.fullmatch("[a-z]{20}", project_ref.derived(project, stack))


def test_a_reference_never_changes() -> None:
    """If this fails, stored files are not found, and the pooler's logins are refused."""
    assert project_ref.derived("supastack", "dev") == "vjqgohozhtwmowungkpy"


def test_no_two_stacks_have_the_same_one() -> None:
    pairs = [("supastack", f"dev-{n}") for n in range(1000)] + [("a", "bc"), ("ab", "c"), ("abc", "")]
    assert len({project_ref.derived(*pair) for pair in pairs}) == len(pairs)


def _tenant(config: dict[str, object]) -> str:
    plan = Plan(load({**LOCAL, **config}, stack="dev"))
    (storage,) = (service for service in plan.services["supabase"] if service.name == "storage")
    return "".join(map(str, storage.env["TENANT_ID"].parts))


def test_services_get_the_settings_own_reference_or_the_derived_one() -> None:
    assert _tenant({}) == project_ref.derived("supastack", "dev")
    assert _tenant({"supastack:supabase": {"projectRef": "upending-expectoration"}}) == "upending-expectoration"
