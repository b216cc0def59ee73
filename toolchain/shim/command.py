"""Runs the engine as `pulumi` was called, with what this clone needs around it.

Before: the environment, the stack's private config, for `up` and `preview` all that `make up` and `make preview` do. After: what
the engine wrote into the config is kept. Outside the clone, the user's own `pulumi` is run as if this were not here.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from toolchain import child
from toolchain.announce import ToolchainError, fail
from toolchain.context import ROOT, Context
from toolchain.shim.arguments import Call, parse

_PREVIEWING = (("preview",), ("watch",))
"""Commands that run the program and need plugins and daemon for it. `watch` goes on until it is interrupted: it gets no lock of ours."""


def main(arguments: Sequence[str]) -> int:
    """The command `pulumi` of an activated shell. Returns the engine's exit code, or 1 for an error of the toolchain."""
    try:
        call = parse(arguments)
        if not _is_ours(Path(call.folder or ".").absolute()):
            return _run_users_own(arguments)
        return _run(call)
    except ToolchainError as error:
        print(f"error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    except KeyboardInterrupt:
        return child.INTERRUPTED


def _run(call: Call) -> int:
    from toolchain.stack.config import has_private_config
    from toolchain.stack.engine import engine_environment

    context = _with_engine(Context.of())
    if call.is_plain:
        return _engine(context, call.arguments, engine_environment(context))
    context = _context_of(call.stack or _selected(context))
    if not has_private_config(context) and call.command not in (("up",), *_PREVIEWING):
        return _engine(context, call.arguments, engine_environment(context))
    if call.command == ("stack", "rename"):
        fail(
            "the names of containers and volumes carry the stack's name: under a new one it would get new, empty volumes.\n"
            "  Make a new stack instead, and move the data with a dump."
        )
    with _surrounded(context, call) as ready:
        env = engine_environment(ready)
        if call.command not in (("stack", "init"), ("stack", "rm")):
            env["PULUMI_STACK"] = ready.stack
        code = _engine(ready, _arguments(ready, call), env)
    if code == 0:
        _afterwards(ready, call)
    return code


def _surrounded(context: Context, call: Call) -> AbstractContextManager[Context]:
    if call.command == ("up",):
        return _up(context)
    if call.command in _PREVIEWING:
        return _previewing(context)
    if call.command in (("stack", "init"), ("stack", "rm")):
        return _synchronised(context, create=False)
    if call.changes_resources:
        return _destroying(context)
    return _synchronised(context, create=call.takes_config_file)


@contextmanager
def _up(context: Context) -> Iterator[Context]:
    from toolchain.stack import prepare

    with prepare.for_up(context) as ready:
        yield ready.context


@contextmanager
def _previewing(context: Context) -> Iterator[Context]:
    from toolchain.stack import prepare

    with prepare.for_preview(context) as ready:
        yield ready.context


@contextmanager
def _destroying(context: Context) -> Iterator[Context]:
    from toolchain.stack import prepare

    with prepare.for_destroy(context) as (ready, _):
        yield ready


@contextmanager
def _synchronised(context: Context, create: bool) -> Iterator[Context]:
    from toolchain.stack.config import PrivateConfig, config_file
    from toolchain.stack.engine import Engine

    engine = Engine(context)
    if create and not engine.exists():
        config_file(context)
        engine.create_stack()
    PrivateConfig(context).sync()
    try:
        yield context
    finally:
        PrivateConfig(context).sync()


def _arguments(context: Context, call: Call) -> list[str]:
    from toolchain.stack.config import PrivateConfig, has_private_config
    from toolchain.stack.engine import private_project

    if not has_private_config(context):
        return list(call.arguments)
    if call.takes_config_file and not call.has_config_file:
        return call.with_option(f"--config-file={PrivateConfig(context).path}")
    if call.needs_private_project:
        return ["-C", str(private_project(context)), *call.with_absolute_files(Path.cwd())]
    return list(call.arguments)


def _afterwards(context: Context, call: Call) -> None:
    from toolchain.stack.config import PrivateConfig
    from toolchain.stack.engine import Engine

    if call.command == ("stack", "init") and not call.has("--no-select"):
        # It was made from another folder, and the engine remembers the selection by folder.
        Engine(context).select()
    if call.command == ("stack", "rm") and not call.has("--preserve-config"):
        PrivateConfig(context).remove()


def _engine(context: Context, arguments: Sequence[str], env: dict[str, str]) -> int:
    return child.run([context.pulumi, *arguments], cwd=Path.cwd(), env=env)


def _with_engine(context: Context) -> Context:
    if context.pulumi.is_file():
        return context
    from toolchain import setup

    return setup.ensure(context, setup.Needs(plugins=("docker", "random")))


def _selected(context: Context) -> str:
    """The stack that plain `pulumi` means: PULUMI_STACK, the selected one, the one the shell was activated for."""
    from toolchain.stack.engine import Engine

    return os.environ.get("PULUMI_STACK") or Engine(context).selected() or os.environ.get("SUPASTACK_STACK") or "dev"


def _context_of(stack: str) -> Context:
    """The context of a stack by its full name. The file backend also writes a name as organization/project/name."""
    return _with_engine(Context.of(stack.rsplit("/", 1)[-1]))


def _is_ours(folder: Path) -> bool:
    """Whether the nearest Pulumi.yaml above a folder is this clone's."""
    for place in (folder.resolve(), *folder.resolve().parents):
        if (place / "Pulumi.yaml").is_file():
            return place == ROOT
    return False


def _run_users_own(arguments: Sequence[str]) -> int:
    ours = {str(ROOT / ".supastack" / "bin")}
    path = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if p and p not in ours)
    found = shutil.which("pulumi", path=path)
    if found is None:
        fail(f"this folder is not below {ROOT}, where this shell's pulumi works, and there is no other pulumi on PATH")
    return child.run([found, *arguments], cwd=Path.cwd(), env={**os.environ, "PATH": path})
