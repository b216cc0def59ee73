"""An input whose maker has failed, in a deployment that goes on."""

import asyncio

import pulumi
import pytest
from pulumi.output import Unknown

from components.unknowns import whatever_happened


@pytest.mark.parametrize(
    ("value", "preview", "expected", "known"),
    [("sha256:1", False, "sha256:1", True), (None, False, "auth:1", True), (None, True, None, False)],
)
def test_only_what_has_failed_is_replaced_and_what_depends_on_it_still_does(monkeypatch, value, preview, expected, known):
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: preview)
    maker = object.__new__(pulumi.Resource)

    async def seen():
        async def told(what):
            return what

        output = pulumi.Output({maker}, told(value), told(value is not None))
        found = whatever_happened(output, "auth:1")
        return await found.future(with_unknowns=True), await found.is_known(), await found.resources()

    made, is_known, makers = asyncio.run(seen())
    assert (made if not isinstance(made, Unknown) else None, is_known, makers) == (expected, known, {maker})
