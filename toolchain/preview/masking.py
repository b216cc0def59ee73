"""Takes secrets out of a preview before it is published. The engine has masked what it knows to be secret; this is the second look."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from toolchain.announce import ToolchainError
from toolchain.context import Context
from toolchain.preview.changes import Preview
from toolchain.stack.engine import Engine
from toolchain.stack.redact import Redactor

Hide = Callable[[str], str]


def masker(context: Context) -> Hide:
    """What hides every secret that a stack has now, and the password of any URL."""
    engine = Engine(context)
    state = engine.read_state(show_secrets=True)
    return Redactor([*(state.secrets() if state else ()), *engine.secret_config()])


def of_failure(context: Context) -> Hide:
    """The same where something failed, perhaps just what would have to be read: it hides as much as can be known.

    `context`: as it was before anything was set up.
    """
    engine = Engine(context.with_recorded_engine())
    secrets: list[str] = []
    with suppress(ToolchainError, OSError, ValueError):
        state = engine.read_state(show_secrets=True)
        secrets += state.secrets() if state else ()
    with suppress(ToolchainError, OSError):
        secrets += engine.secret_config()
    return Redactor(secrets)


def masked(preview: Preview, hide: Hide) -> Preview:
    """The preview with every text in it looked through."""
    return replace(
        preview,
        changes=tuple(
            replace(
                change,
                old=_hidden(change.old, hide),
                new=_hidden(change.new, hide),
                properties=tuple(replace(p, old=_hidden(p.old, hide), new=_hidden(p.new, hide)) for p in change.properties),
            )
            for change in preview.changes
        ),
        diagnostics=tuple(replace(d, message=hide(d.message)) for d in preview.diagnostics),
        violations=tuple(replace(v, message=hide(v.message)) for v in preview.violations),
        outputs=None if preview.outputs is None else _hidden(preview.outputs, hide),
        old_outputs=_hidden(preview.old_outputs, hide),
    )


def _hidden(value: Any, hide: Hide) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {key: _hidden(inner, hide) for key, inner in value.items()}
    return [_hidden(inner, hide) for inner in value] if isinstance(value, list) else value
