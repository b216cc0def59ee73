"""When the checks before and after a deployment are asked, with a probe that only counts."""

import sys
from types import SimpleNamespace

import pytest
from pulumi.runtime.rpc import UNKNOWN

from components.checks import _Provider


@pytest.fixture
def check(monkeypatch):
    """Checks what a deployment tells, with a probe that finds something wrong whenever it is asked."""
    probe = SimpleNamespace(**{look: lambda _told, *, preview: ["ill"] for look in ("before", "paired", "after")})
    monkeypatch.setitem(sys.modules, "tests.probe", probe)

    def run(look, *, preview=False, **parameters):
        told = {"look": look, "probe": "tests.probe", "parameters": parameters, "preview": preview}
        return [failure.reason for failure in _Provider().check({}, told).failures]

    return run


def test_the_gate_is_asked_once_all_that_it_waits_for_is_there(check):
    assert check("after", awaited=2, ready=[["a", "b"], []]) == ["ill"]
    assert check("after", awaited=0, ready=[]) == ["ill"]


@pytest.mark.parametrize("known", [{}, {"ready": []}, {"ready": [["a", "b"]]}])
def test_in_a_deployment_where_some_of_it_has_failed_nobody_waits_for_it(check, known):
    assert check("after", awaited=2, **known) == []


def test_a_preview_knows_no_ids_yet_and_asks_all_the_same(check):
    assert check("after", preview=True, awaited=2, ready=[["a"], UNKNOWN]) == ["ill"]


@pytest.mark.parametrize("look", ["before", "paired"])
def test_the_checks_before_are_always_asked(check, look):
    assert check(look, mark=UNKNOWN) == ["ill"]
