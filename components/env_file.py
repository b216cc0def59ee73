"""EnvFile: an app's env file as a resource of the stack, created, updated, repaired and removed with it.

The file says in its first lines whose it is, and carries a checksum of the rest: so a file of someone else, and an edit by hand,
are told without asking the state. What someone else wrote is never lost: it is left alone, or kept beside as `<file>.bak`.

The state holds the values by key, each secret one encrypted, and never what a hand wrote into the file: a broken quote there
could put a secret where the state expects none.

One state serves many machines, and a file is on those that wrote it (`components.env_written`): elsewhere that it is missing is no drift.

The state refers to `EnvFileProvider` by this module's name: moving it needs care for existing states.
"""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi.runtime.rpc import UNKNOWN

from components import env_file_header, env_files, env_format, env_written
from components.engine_log import say, warn
from components.env_app import App, Layout
from components.env_file_header import Header, Owner
from components.unknowns import marked

_MODE = 0o600
_INPUTS = (
    "app",
    "path",
    "format",
    "overwrite",
    "project",
    "stack",
    "layout",
    "values",
    "revisions",
    "drift",
    "setting",
    "tenant",
)
_MATTERS = ("app", "path", "format", "project", "stack", "layout", "values", "drift", "tenant")
"""What makes an update when it differs."""


class EnvFile(dynamic.Resource, module="supastack", name="EnvFile"):
    """The env file of one app, on each machine that writes it in a deployment."""

    def __init__(
        self,
        name: str,
        *,
        app: App,
        path: str,
        fmt: str,
        overwrite: bool,
        values: Mapping[str, pulumi.Input[str]],
        setting: str | None = None,
        tenant: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the file.

        Args:
            name: Name of the resource.
            app: The template that it follows.
            path: Where it is: absolute, or relative to the folder of Pulumi.yaml. In that folder it is kept as a relative one, so
                that it means the same in every clone.
            fmt: How it is written, an `env_format.Format`.
            overwrite: Whether a file that is not this stack's may be replaced. It is kept beside as `<file>.bak`.
            values: Value by key. Those that the template calls secret are handled as secrets, as are secret outputs.
            setting: The setting that it hangs on, for messages. Default: `envFiles.<app>`.
            tenant: Whose it is, where it is a tenant's: `id`, `tier` and `project`. A preview shows what of it changes.
            opts: Options of the resource.
        """
        variables = app.variables
        hidden = {key for key, value in values.items() if isinstance(value, pulumi.Output)}
        hidden |= {key for key in values if key in variables and variables[key].secret}
        super().__init__(
            EnvFileProvider(),
            name,
            {
                "app": app.name,
                "path": _portable(path),
                "format": fmt,
                "overwrite": overwrite,
                "project": pulumi.get_project(),
                "stack": pulumi.get_stack(),
                # The provider's process does not know the settings, where an app's own variables stand.
                "layout": env_files.shape(app),
                "values": {
                    key: pulumi.Output.secret(value) if key in variables and variables[key].secret else value
                    for key, value in values.items()
                },
                # A change of a hidden value shows nothing in a preview; `check` counts it up here, by key.
                "revisions": dict.fromkeys(sorted(hidden), 0),
                # What a refresh finds, and the next preview shows as put right.
                "drift": [],
                # Only where there is something to say: files that are there are not touched for it.
                **({} if setting is None else {"setting": setting}),
                **({} if tenant is None else {"tenant": dict(tenant)}),
            },
            opts,
        )


class EnvFileProvider(dynamic.ResourceProvider):
    """What the engine does with an `EnvFile`. Property bags arrive with secrets in clear: nothing here prints a value."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Refuse, in preview too, what would fail or harm. No failure names a property: the engine would print its value."""
        news = marked(news)
        news["revisions"] = _revisions(_olds, news)
        _tell_of_a_move(_olds, news)
        return dynamic.CheckResult(news, [dynamic.CheckFailure("", reason) for reason in objections(news, _olds)])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Always an update in place. `overwrite` alone changes nothing."""
        news = marked(_news)
        return dynamic.DiffResult(changes=any(_olds.get(key) != news.get(key) for key in _MATTERS))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Write the file."""
        _write(props, {})
        return dynamic.CreateResult(f"{props['project']}/{props['stack']}/{props['app']}", _outputs(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Write it anew; with another path, take the old one away afterwards."""
        _write(_news, _olds)
        before, now = _location(_olds), _location(_news)
        if before != now and not (before.exists() and before.samefile(now)):
            _remove(_olds)
        return dynamic.UpdateResult(_outputs(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """See what became of it; `drift` says which keys differ and how, never with what."""
        drift = _drift(props)
        if drift is None:
            return dynamic.ReadResult("", {})
        seen = {**_outputs(props), "drift": drift}
        return dynamic.ReadResult(id_, seen, dict(seen))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove it if it is ours."""
        _remove(_props)
        env_written.forget(Path.cwd(), _owner(_props))


def _outputs(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in _INPUTS if key in props}


def _revisions(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """How often each hidden value has changed since the file was made; unknown while the value is."""
    before, values = olds.get("revisions", {}), olds.get("values", {})
    counted: dict[str, Any] = {}
    for key in news["revisions"]:
        value = news["values"].get(key)
        if value == UNKNOWN:
            counted[key] = UNKNOWN
        else:
            counted[key] = before.get(key, 0) + (key not in before or values.get(key) != value)
    return counted


def _tell_of_a_move(olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    """Says what a change of the file alone would hide: a tenant's data does not go along."""
    before, now = olds.get("tenant"), news.get("tenant")
    if not before or not now or (before.get("tier"), before.get("project")) == (now.get("tier"), now.get("project")):
        return
    whose = [f"{side.get('tier')} ({side.get('project')})" for side in (before, now)]
    warn(
        f"tenant {now.get('id')} goes from {' to '.join(whose)}: its env file will name the other database. "
        "Its rows, files and users are not moved: docs/tenants.md says how"
    )


def _portable(path: str) -> str:
    place, here = Path(os.path.normpath(path)), Path.cwd()
    return str(place.relative_to(here) if place.is_relative_to(here) else place)


def _location(props: Mapping[str, Any]) -> Path:
    # The engine starts providers in the folder of Pulumi.yaml.
    return Path.cwd() / str(props["path"])


# ---- what there is -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """A regular file at the place.

    Attributes:
        content: All of it.
        mode: Its permission bits.
        header: What it says of itself; None when it is not a file of Supastack's.
    """

    content: bytes
    mode: int
    header: Header | None

    def is_of(self, *bags: Mapping[str, Any]) -> bool:
        return self.header is not None and self.header.owner in [_owner(bag) for bag in bags]

    @property
    def untouched(self) -> bool:
        return self.header is not None and not self.header.edited


class _UnusableError(Exception):
    """What is at the place can't be a file of ours; the text says what it is."""


def _layout(props: Mapping[str, Any]) -> Layout:
    # A state from before apps of the user's own has none.
    form = props.get("layout") or env_files.shape(env_files.app_named(props["app"]))
    return env_files.layout(props["app"], form, _setting(props))


def _setting(props: Mapping[str, Any]) -> str:
    return str(props.get("setting") or f"envFiles.{props['app']}")


def _owner(props: Mapping[str, Any]) -> Owner:
    return Owner(props.get("project", ""), props.get("stack", ""), props.get("app", ""))


def _look(file: Path) -> _Found | None:
    """What is there; None for nothing.

    Raises:
        _UnusableError: It is a link, a folder, or can't be read.
    """
    try:
        mode = file.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise _UnusableError("is a symbolic link, and is not followed")
        if not stat.S_ISREG(mode):
            raise _UnusableError("is not a regular file")
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _UnusableError(f"can't be read: {error.strerror}") from None
    return _Found(content, stat.S_IMODE(mode), env_file_header.parse(content))


def _drift(props: Mapping[str, Any]) -> list[str] | None:
    """What differs from what was written: which keys, and how; None when the file is gone. Nothing where it never was."""
    written_here = env_written.has(Path.cwd(), _owner(props))
    try:
        found = _look(_location(props))
    except _UnusableError as error:
        return [f"the file {error}"] if written_here else []
    if found is None:
        return None if written_here else []
    if found.header is None or not found.is_of(props):
        return ["the file was replaced by another"] if written_here else []
    if not written_here:  # by a version that took no notes, or by `make env > FILE`
        env_written.remember(Path.cwd(), _owner(props), str(props["path"]))
    drift = [f"mode {found.mode:04o}"] if found.mode & ~_MODE else []
    values = env_format.read(found.content.decode(errors="replace"), found.header.format).values
    # Read back as well: `[1,2]` is written as `[1, 2]` in TOML.
    ours = env_format.read(_text(props).decode(), props["format"]).values
    keys = [
        f"{key} {'changed' if key in values else 'removed'}" for key, value in sorted(ours.items()) if values.get(key) != value
    ]
    # Other keys are not named: what looks like a key may be part of a secret.
    others = values.keys() - props["values"].keys() or (found.header.edited and not keys)
    return drift + keys + ["other lines changed"] * bool(others)


# ---- what stands against it --------------------------------------------------------------------------------------


def objections(news: Mapping[str, Any], olds: Mapping[str, Any] | None = None) -> list[str]:
    """What stands against writing a file: values that can't be written, or a place that is not ours. Nothing is changed.

    Args:
        news: `app`, `path`, `format`, `overwrite`, `project`, `stack`, `layout` and `values`; values may be unknown.
        olds: The same as the state has it.
    """
    if any(news.get(key) == UNKNOWN for key in _INPUTS):
        return []
    setting, values = _setting(news), news["values"]
    wrong = [f"{setting}: {key} is not text" for key, value in sorted(values.items()) if not isinstance(value, str)]
    # The SDK leaves out what has turned out to be None.
    wrong += [f"{setting}: {key} has no value" for key in sorted(news.get("revisions", {})) if key not in values]
    known = {key: value for key, value in values.items() if isinstance(value, str) and value != UNKNOWN}
    try:
        wrong += env_files.faults(_layout(news), known, news["format"])
    except ValueError as error:
        wrong.append(str(error))
    return wrong + _place_objections(olds or {}, news)


def _place_objections(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    file, group = _location(news), _setting(news)
    setting = f"{group}.path"
    if not file.parent.is_dir():
        return [f"{setting}: {file.parent} is not a folder. Create it, or set another path"]
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return [f"{setting}: files can't be made in {file.parent} (no permission). Allow it, or set another path"]
    try:
        found = _look(file)
    except _UnusableError as error:
        return [f"{setting}: {file} {error}. Move it away, or set another path"]
    if found is None or found.is_of(olds, news) or news["overwrite"]:
        return []
    whose = f"it belongs to {found.header.owner}" if found.header else "it was not written by Supastack"
    ways = f"Move it away, set another path, or let it be replaced (it is kept as {file.name}.bak)"
    command = f"pulumi config set --path supastack:{group}.overwrite true"
    return [f"{setting}: {file} is not this stack's: {whose}. {ways}: {command}"]


class EnvFileError(Exception):
    """The file could not be written or removed. The text says which, why and what to do."""


def _refuse(reason: str) -> EnvFileError:
    # The SDK sends the traceback of what a provider raises to the user; this leaves the last line of it.
    sys.tracebacklimit = 0
    return EnvFileError(reason)


# ---- what is done ------------------------------------------------------------------------------------------------


def _text(props: Mapping[str, Any]) -> bytes:
    body = "\n" + env_files.render(_layout(props), props["values"], props["format"])
    return env_file_header.put(_owner(props), props["format"], body.encode())


def _write(props: Mapping[str, Any], olds: Mapping[str, Any]) -> None:
    file = _location(props)
    # Time has passed since the check.
    if wrong := objections(props, olds):
        raise _refuse("\n".join(wrong))
    found = _look(file)
    try:
        if found is not None and not (found.untouched and found.is_of(olds, props)):
            _keep(file, found.content)
        env_written.remember(Path.cwd(), _owner(props), str(props["path"]))
        _replace(file, _text(props))
    except OSError as error:
        raise _refuse(f"{_setting(props)}: {file} can't be written: {error.strerror}. It is as it was") from None


def _remove(props: Mapping[str, Any]) -> None:
    file = _location(props)
    try:
        found = _look(file)
        if found is None:
            return
        if not found.is_of(props):
            raise _UnusableError("is not this stack's any more")
    except _UnusableError as error:
        say(f"{file} {error}; it was left alone")
        return
    try:
        if not found.untouched:
            _keep(file, found.content)
        file.unlink()
    except OSError as error:
        raise _refuse(f"{_setting(props)}: {file} can't be removed: {error.strerror}") from None


def _keep(file: Path, content: bytes) -> None:
    """Keep what is about to go, under the first name that is free."""
    number = 1
    while True:
        kept = file.with_name(f"{file.name}.bak{number if number > 1 else ''}")
        if not os.path.lexists(kept):
            _replace(kept, content)
            say(f"{file} was not as Supastack wrote it; what it held is kept as {kept.name}")
            return
        if not kept.is_symlink() and kept.is_file() and kept.read_bytes() == content:
            return
        number += 1


def _replace(file: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all, and never for others to read."""
    # One fixed name: what a killed run left behind goes with the next.
    draft = file.with_name(f"{file.name}.supastack-draft")
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, _MODE)  # whatever the umask
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
