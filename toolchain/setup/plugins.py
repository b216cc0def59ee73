"""Provider plugins: the official one where it is installed or can be downloaded, else this project's stand-in for it."""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from toolchain import pins
from toolchain.announce import ToolchainError, fail, note, step
from toolchain.context import Context
from toolchain.setup import reach
from toolchain.setup.folders import has_stacks, locked
from toolchain.setup.system import run

MARKER = "STAND-IN"
"""A file with this name lies beside every stand-in, so that it is never taken for the official plugin."""
_INSTALL_SECONDS = 300.0


def version_of(name: str) -> str:
    """The plugin's version: that of the installed Python package for it, so that it is pinned once (requirements.txt)."""
    return metadata.version(pins.PLUGINS[name])


def folder(home: Path, name: str) -> Path:
    """Where the engine looks for the plugin below a PULUMI_HOME."""
    return home / "plugins" / f"resource-{name}-v{version_of(name)}"


def is_stand_in(context: Context, name: str) -> bool:
    """Whether the installed plugin is a stand-in."""
    return (folder(context.pulumi_home, name) / MARKER).exists()


def ensure(context: Context, names: Iterable[str]) -> Context:
    """The context with these plugins installed in the PULUMI_HOME in use. Raises ToolchainError if one can't be had."""
    wanted = list(names)
    for name in wanted:
        _ensure(context, name)
    if any(is_stand_in(context, name) for name in wanted):
        # The engine would try to download a missing one for minutes; it was found here that it can't.
        return context.with_env(PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="true")
    return context


def _ensure(context: Context, name: str) -> None:
    if _is_ready(context, name):
        return
    with locked(context.private / "plugins.lock"):
        # Another command may have installed it meanwhile.
        if _is_ready(context, name):
            return
        if is_stand_in(context, name) and _may_have_stacks(context):
            _install_stand_in(context, name)
            return
        if _link_users_own(context, name) or _download(context, name):
            return
        _install_stand_in(context, name)


def _is_ready(context: Context, name: str) -> bool:
    target = folder(context.pulumi_home, name)
    if not _is_installed(target, name):
        return False
    if not (target / MARKER).exists():
        return True
    return _stand_in_is_current(context, name) and not _official_may_replace(context, name)


def _may_have_stacks(context: Context) -> bool:
    """Whether stacks may depend on the plugin that is there. Which ones a backend of the user's holds is not known here."""
    own_state = context.env.get("PULUMI_BACKEND_URL") == f"file://{context.private / 'state'}"
    return not own_state or has_stacks(context)


def _is_installed(target: Path, name: str) -> bool:
    # The engine leaves `.partial` beside a plugin whose installation was cut short.
    partial = target.with_name(target.name + ".partial")
    return os.access(target / f"pulumi-resource-{name}", os.X_OK) and not partial.exists()


def _official_may_replace(context: Context, name: str) -> bool:
    """Whether to look for the official plugin although its stand-in works: at most once a day, and never under existing stacks.

    A change of provider under a stack with data is the user's to make.
    """
    if reach.failed_lately(context.private, f"plugin {name}"):
        return False
    if not _may_have_stacks(context):
        return True
    reach.remember_failure(context.private, f"plugin {name}")
    if _users_own(context, name) or reach.any_answers(_urls(name)):
        note(
            f"plugins: the official {name} {version_of(name)} can be had now; the stacks here go on with the stand-in."
            f" To change over: rm -r {folder(context.pulumi_home, name)}"
        )
    return False


def _users_own(context: Context, name: str) -> Path | None:
    """The official plugin in the user's own ~/.pulumi, which is only read."""
    theirs = folder(Path.home() / ".pulumi", name)
    ours = theirs == folder(context.pulumi_home, name)
    return theirs if not ours and _is_installed(theirs, name) and not (theirs / MARKER).exists() else None


def _link_users_own(context: Context, name: str) -> bool:
    theirs = _users_own(context, name)
    if theirs is None:
        return False
    with step("plugins", f"use the official {name} {version_of(name)} of {theirs.parent}"):
        target = folder(context.pulumi_home, name)
        new = _beside(target, "new")
        # The engine passes over a plugin folder that is a link itself, so the links are inside.
        new.mkdir(parents=True)
        for file in theirs.iterdir():
            (new / file.name).symlink_to(file)
        _put(new, target)
    return True


def _download(context: Context, name: str) -> bool:
    version = version_of(name)
    # A user who set a mirror of the plugins has it tried without a probe, since only the engine knows how to ask it.
    mirrored = bool(context.env.get("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"))
    with step("plugins", f"look for the official {name} {version} at get.pulumi.com and github.com") as current:
        if not mirrored and not reach.any_answers(_urls(name)):
            reach.remember_failure(context.private, f"plugin {name}")
            current.done(f"get.pulumi.com and github.com can't be reached: no official {name} {version}")
            return False
        target = folder(context.pulumi_home, name)
        # Into a PULUMI_HOME of its own, so that what is there stays until the new one is whole.
        home = _beside(target, "new")
        try:
            command = [str(context.pulumi), "plugin", "install", "resource", name, version]
            what = f"installing the official plugin {name} {version}"
            env = {**context.env, "PULUMI_HOME": str(home)}
            run(command, what, env=env, on_line=current.progress, seconds=_INSTALL_SECONDS)
            if not _is_installed(folder(home, name), name):
                fail(f"{what}: the engine put no program into {folder(home, name).name}")
        except ToolchainError as error:
            _remove(home)
            reach.remember_failure(context.private, f"plugin {name}")
            note(f"plugins: {error}")
            current.done(f"the official {name} {version} could not be downloaded")
            return False
        _put(folder(home, name), target)
        _remove(home)
        current.done(f"downloaded the official {name} {version}")
    return True


def _urls(name: str) -> list[str]:
    """The two places the engine itself downloads a plugin of Pulumi's from (sdk/go/common/workspace/plugins.go)."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    file = f"pulumi-resource-{name}-v{version_of(name)}-{sys.platform}-{machine}.tar.gz"
    return [
        f"https://get.pulumi.com/releases/plugins/{file}",
        f"https://github.com/pulumi/pulumi-{name}/releases/download/v{version_of(name)}/{file}",
    ]


def _install_stand_in(context: Context, name: str) -> None:
    version = version_of(name)
    if name not in pins.STAND_INS:
        fail(
            f"the official plugin {name} {version} can't be downloaded (get.pulumi.com and github.com can't be reached),"
            f" and this project has no stand-in for it.\n"
            f"  Make one of the two reachable (behind a proxy, set HTTPS_PROXY), or install it by hand:\n"
            f"  pulumi plugin install resource {name} {version} --file <archive from another machine>"
        )
    if not context.owns_pulumi_home:
        fail(
            f"the official plugin {name} {version} can't be downloaded, and its stand-in is never put into a PULUMI_HOME"
            f" of your own ({context.pulumi_home}).\n"
            "  Unset PULUMI_HOME to use this project's own, or install the plugin:"
            f" pulumi plugin install resource {name} {version}"
        )
    target = folder(context.pulumi_home, name)
    with step("plugins", f"install the stand-in for {name} {version}: the official one can't be had"):
        new = _beside(target, "new")
        new.mkdir(parents=True)
        program = new / f"pulumi-resource-{name}"
        program.write_text(_script(context, name))
        program.chmod(0o755)
        (new / MARKER).write_text(
            f"This is not the official plugin {name} {version} but Supastack's stand-in for it (toolchain/plugins/{name}).\n"
        )
        if is_stand_in(context, name):
            # At no moment may a stand-in under stacks be missing: the official one could be taken then.
            program.replace(target / program.name)
            target.with_name(target.name + ".partial").unlink(missing_ok=True)
            _remove(new)
        else:
            _put(new, target)


def _script(context: Context, name: str) -> str:
    """The plugin's program. It names the clone and its environment, so it is written anew when the clone has moved."""
    root, python = shlex.quote(str(context.root)), shlex.quote(str(context.venv_bin / "python"))
    return f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m toolchain.plugins.{name} "$@"\n'


def _stand_in_is_current(context: Context, name: str) -> bool:
    program = folder(context.pulumi_home, name) / f"pulumi-resource-{name}"
    return program.read_text() == _script(context, name)


def _beside(target: Path, suffix: str) -> Path:
    """A free path on the file system of `target`, under a name that the engine takes for no plugin."""
    beside = target.with_name(f".{target.name}.{suffix}")
    _remove(beside)
    return beside


def _put(made: Path, target: Path) -> None:
    """Put a folder that is whole in the place of what is there."""
    aside = _beside(target, "aside")
    if target.is_symlink() or target.exists():
        target.rename(aside)
    made.rename(target)
    target.with_name(target.name + ".partial").unlink(missing_ok=True)
    _remove(aside)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    folder.with_name(folder.name + ".partial").unlink(missing_ok=True)
