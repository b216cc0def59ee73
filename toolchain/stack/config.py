"""The stack config file that Pulumi reads for a local stack: private, made from the tracked one and an overlay.

Files in `.supastack/stacks/` (0700, files 0600):
- `Pulumi.<stack>.yaml`: what the engine reads and writes (`--config-file`); made anew from the next two.
- `<stack>.overlay.yaml`: what Pulumi, the user's `pulumi config` or the toolchain wrote.
- `<stack>.rendered`: what was last rendered, and from which tracked values; the difference to it is what was written since.

`sync` is called before and after the engine runs. A crash at any point loses nothing: the overlay is written before anything that
is folded into it is written over. See `overlay.py` for the algebra.
"""

import contextlib
import fcntl
import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from toolchain.announce import fail, note, warn
from toolchain.context import Context
from toolchain.setup.folders import write_private
from toolchain.stack.overlay import MISSING, Entry, KeyPath, Note, Overlay, fold, get, render, same

HEADER = "# Made from {tracked} and {overlay}; edit {tracked} instead.\n"


class _Loader(yaml.SafeLoader):
    """YAML as the engine reads it (gopkg.in/yaml.v3): `yes` and `12:30` are text, `0x1F` is a number; no key twice."""


# Copied, since the class attribute is shared with every other loader.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node)).replace("_", "").lower()
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    if len(digits) > 1 and digits.startswith("0") and all(c in "01234567" for c in digits):
        return sign * int(digits, 8)
    return sign * int(digits)


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(str(loader.construct_scalar(node)).replace("_", ""))


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if key_node.tag != "tag:yaml.org,2002:merge" and key_node.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{key_node.value}' is there twice", key_node.start_mark)
        seen.add(str(key_node.value))
    loader.flatten_mapping(node)
    return {str(k.value): loader.construct_object(v, deep=True) for k, v in node.value}


_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


class _Dumper(yaml.SafeDumper):
    """Writes every text in quotes, so that no reader takes it for a number or a truth value."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def _dump(document: Any) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100_000, allow_unicode=True)


def parse(text: str, project: str) -> dict[str, Any]:
    """A stack file in normal form: `config` always there, its keys with their namespace, its scalars as the engine's text.

    Raises ValueError that says what is wrong and in which line.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ValueError(f"line {mark.line + 1}: {error.problem}" if mark else str(error.problem)) from None
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ValueError("it must be a mapping with the key 'config'")  # noqa: TRY004 - what the file says is wrong
    config = document.get("config")
    if config is not None and not isinstance(config, dict):
        raise ValueError("'config' must be a mapping of settings")
    normal: dict[str, Any] = {}
    for key, value in (config or {}).items():
        full = _full_key(key, project)
        if full in normal:
            raise ValueError(f"the setting '{full}' is there twice, once with and once without its namespace")
        normal[full] = value if isinstance(value, dict | list) else scalar_text(value)
    return {**{k: v for k, v in document.items() if k != "config"}, "config": normal}


def _full_key(key: str, project: str) -> str:
    parts = key.split(":")
    if len(parts) == 1:
        return f"{project}:{key}"
    # `namespace:config:key` is an old spelling that the engine still reads.
    return f"{parts[0]}:{parts[2]}" if len(parts) == 3 and parts[1] == "config" else key


def scalar_text(value: Any) -> str:
    """The text that the engine makes of a setting's scalar: `2` -> "2", `1.50` -> "1.5", `yes` -> "yes", null -> ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return f"{value:.0f}"
    return str(value)


def project_name(root: Path) -> str:
    """The project's name in Pulumi.yaml. Raises ToolchainError where there is none."""
    try:
        for line in (root / "Pulumi.yaml").read_text().splitlines():
            if match := re.match(r"""name:\s*["']?([\w.-]+)["']?\s*(#.*)?$""", line):
                return match.group(1)
    except OSError as error:
        fail(f"Pulumi.yaml can't be read: {error.strerror}")
    return fail("Pulumi.yaml has no line 'name: ...'")


def uses_private_state(context: Context) -> bool:
    """Whether the state is in this clone's private folder.

    Otherwise it is in a backend of the user's, and a team keeps salt and secrets in the tracked file.
    """
    return context.env.get("PULUMI_BACKEND_URL") == f"file://{context.private / 'state'}"


def has_private_config(context: Context) -> bool:
    """Whether the engine gets a config file of this clone's private folder: with private state, and for previews of pull requests.

    These have no file of their own that a team could keep, wherever their state is.
    """
    return uses_private_state(context) or context.pull_request is not None


def secrets_provider(context: Context) -> str | None:
    """What encrypts the stack's secrets: as delivery.yaml says, else the key `secretsprovider` of its file; None where neither does."""
    if context.secrets_provider is not None or (path := tracked_path(context)) is None:
        return context.secrets_provider
    try:
        named = parse(path.read_text(), project_name(context.root)).get("secretsprovider")
    except (OSError, ValueError) as error:
        fail(f"{path.name} can't be read: {error}")
    return str(named) if named else None


def tracked_path(context: Context) -> Path | None:
    """The file in the repository that a stack is made from: its own, else its base stack's; None where there is neither.

    A preview of a pull request is made from its base alone.
    """
    for stack in (context.stack, context.base_stack) if context.pull_request is None else (context.base_stack,):
        if (path := context.root / f"Pulumi.{stack}.yaml").is_file():
            return path
    return None


@dataclass
class _Snapshot:
    rendered: dict[str, Any]
    tracked: dict[str, Any]
    digest: str
    """Of the private file as it was rendered."""
    folded: str | None
    """Of the private file just before, whose changes are in the overlay already. Set only while the file is written."""


class PrivateConfig:
    """The private config of one stack."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.folder = context.private / "stacks"
        self.path = self.folder / f"Pulumi.{context.stack}.yaml"
        self.overlay_path = self.folder / f"{context.stack}.overlay.yaml"
        self.snapshot_path = self.folder / f"{context.stack}.rendered"
        self.project = project_name(context.root)

    def sync(self, values: dict[str, Any] | None = None) -> Path:
        """Move what was written since the last time into the overlay, then make the private file again. Returns its path.

        `values`: settings (with namespace) for the toolchain itself to write; None removes one. Raises ToolchainError where the
        tracked file can't be read.
        """
        with self._locked():
            overlay = before = self._read_overlay()
            snapshot = self._read_snapshot()
            tracked = self._tracked(overlay, snapshot)
            on_disk = _read(self.path)
            notes: list[Note] = []
            if on_disk is not None and (written := self._written(on_disk, snapshot)) is not None:
                rendered, then = (snapshot.rendered, snapshot.tracked) if snapshot else (render(tracked, overlay)[0], tracked)
                overlay, notes = fold(overlay, rendered, written, then)
            for key, value in (values or {}).items():
                overlay = _with(overlay, ("config", key), value, tracked)
            document, overlay, more = render(tracked, overlay)
            if not _same_overlay(overlay, before):
                write_private(self.overlay_path, _overlay_text(overlay))
            self._write_private(document, tracked, on_disk, snapshot)
        source = tracked_path(self.context)
        for item in notes + more:
            note(item.text(source.name if source else "the stack file", f".supastack/stacks/{self.overlay_path.name}"))
        return self.path

    def remove(self) -> None:
        """Remove all that is kept for this stack: called when the stack itself is gone."""
        with self._locked():
            for path in (self.path, self.snapshot_path, self.overlay_path):
                path.unlink(missing_ok=True)

    def _tracked(self, overlay: Overlay, snapshot: _Snapshot | None) -> dict[str, Any]:
        path = tracked_path(self.context)
        if path is None and snapshot:
            # Its file is gone, the stack is not: what the file said last stands, else the overlay would lose its values.
            return snapshot.tracked
        if path is None and overlay.entries:
            fail(
                f"Pulumi.{self.context.stack}.yaml is gone, but {self.overlay_path} holds values that were set over it: "
                "put the file back"
            )
        try:
            document = parse(path.read_text() if path else "", self.project)
        except (ValueError, OSError) as error:
            fail(f"{path.name if path else 'the stack file'} can't be read: {error}")
        instance = f"{self.project}:instance"
        # A file of the instance's own may say otherwise; the base stack's file can't.
        says_so = path is not None and path.name == f"Pulumi.{self.context.stack}.yaml" and instance in document["config"]
        if self.context.stack != self.context.base_stack and self.context.instance is not None and not says_so:
            document["config"][instance] = str(self.context.instance)
        if self.context.pull_request is not None:
            from toolchain.delivery import previews

            return previews.laid_over(document, self.context.stack, self.project, self.context.secrets_provider)
        return document

    def _written(self, on_disk: bytes, snapshot: _Snapshot | None) -> dict[str, Any] | None:
        """The private file's content, None where nothing was written since it was rendered or folded."""
        if snapshot and _digest(on_disk) in (snapshot.digest, snapshot.folded):
            return None
        try:
            if not on_disk.strip():
                raise ValueError("it is empty")
            return parse(on_disk.decode(), self.project)
        except ValueError as error:
            # The engine writes in place; when it is killed then, the file may be torn.
            aside = self.path.with_name(f"{self.path.name}.broken-{int(time.time())}")
            write_private(aside, on_disk.decode(errors="replace"))
            warn(f"{self.path} can't be read ({error}); it was made again, what was there is in {aside.name}")
            return None

    def _write_private(
        self, document: dict[str, Any], tracked: dict[str, Any], on_disk: bytes | None, snapshot: _Snapshot | None
    ) -> None:
        source = tracked_path(self.context)
        header = HEADER.format(tracked=source.name if source else "nothing", overlay=self.overlay_path.name)
        shown = document if document["config"] else {k: v for k, v in document.items() if k != "config"}
        text = header + (_dump(shown) if shown else "")
        unchanged = on_disk is not None and self._reads_as(on_disk, document)
        digest = _digest(on_disk if unchanged and on_disk is not None else text.encode())
        final = _Snapshot(document, tracked, digest, None)
        if not unchanged:
            folded = _digest(on_disk) if on_disk is not None else None
            self._write_snapshot(_Snapshot(document, tracked, digest, folded))
            write_private(self.path, text)
        if not unchanged or snapshot != final:
            self._write_snapshot(final)

    def _reads_as(self, on_disk: bytes, document: dict[str, Any]) -> bool:
        try:
            return same(parse(on_disk.decode(), self.project), document)
        except ValueError:
            return False

    def _read_overlay(self) -> Overlay:
        text = _read(self.overlay_path)
        if text is None:
            return Overlay()
        try:
            data = yaml.load(text.decode(), Loader=_Loader) or {}  # noqa: S506 - a SafeLoader
            return Overlay(
                {tuple(e["path"]): Entry(e["value"], e.get("over", MISSING)) for e in data.get("entries") or []},
                {tuple(e["path"]): e["value"] for e in data.get("superseded") or []},
            )
        except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):
            fail(
                f"{self.overlay_path} can't be read. It holds this stack's encryption salt and secrets: "
                "mend it, or remove the stack with its data (make purge) and move the file away."
            )

    def _read_snapshot(self) -> _Snapshot | None:
        text = _read(self.snapshot_path)
        if text is None:
            return None
        try:
            return _Snapshot(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def _write_snapshot(self, snapshot: _Snapshot) -> None:
        write_private(self.snapshot_path, json.dumps(snapshot.__dict__))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def config_file(context: Context) -> Path:
    """The file to give to the engine as `--config-file` and to the program's describe: private, or the tracked one of a team.

    Raises ToolchainError where the stack has no file.
    """
    if context.pull_request is not None:
        from toolchain.delivery import guard

        guard.check(context)
    path = tracked_path(context)
    if path is None:
        no_file(context)
    if has_private_config(context):
        return PrivateConfig(context).sync()
    if path.name != f"Pulumi.{context.stack}.yaml":
        fail(
            f"the stack {context.stack} needs a file of its own, since its state is in a backend of yours: copy {path.name} to "
            f"Pulumi.{context.stack}.yaml and set {project_name(context.root)}:instance: {context.instance} in it"
        )
    return path


def no_file(context: Context) -> NoReturn:
    """Say that the repository has no file for a stack (`tracked_path`), which there are, and how to make one. Raises ToolchainError."""
    known = sorted(p.name[len("Pulumi.") : -len(".yaml")] for p in context.root.glob("Pulumi.*.yaml"))
    model = "dev" if "dev" in known or not known else known[0]
    fail(
        f"there is no Pulumi.{context.base_stack}.yaml, so no stack '{context.stack}'. "
        f"There are: {', '.join(known) or 'none'}. "
        f"To make one, copy a file: cp Pulumi.{model}.yaml Pulumi.{context.base_stack}.yaml"
    )


def value_in(context: Context, key: str) -> Any:
    """A setting (with namespace) as the stack's config has it now, None where it is not set or can't be read; after `sync`."""
    private = has_private_config(context)
    path = PrivateConfig(context).path if private else tracked_path(context)
    try:
        found = get(parse(path.read_text() if path else "", project_name(context.root)), ("config", key))
    except (OSError, ValueError):
        return None
    return None if isinstance(found, type(MISSING)) else found


def group_in(context: Context, key: str) -> dict[str, Any] | None:
    """A group of settings, which may be set as a text too; None where it is none. As `value_in`."""
    found = value_in(context, key)
    if isinstance(found, str):
        with contextlib.suppress(ValueError):
            found = json.loads(found)
    return found if isinstance(found, dict) else None


def _with(overlay: Overlay, path: KeyPath, value: Any, tracked: dict[str, Any]) -> Overlay:
    entries = {p: e for p, e in overlay.entries.items() if p[: len(path)] != path}
    if value is not None:
        entries[path] = Entry(value, get(tracked, path))
    return Overlay(entries, overlay.superseded)


def _same_overlay(one: Overlay, other: Overlay) -> bool:
    return _overlay_text(one) == _overlay_text(other)


def _overlay_text(overlay: Overlay) -> str:
    entries = [
        {"path": list(path), "value": entry.value, **({} if entry.over is MISSING else {"over": entry.over})}
        for path, entry in overlay.entries.items()
    ]
    superseded = [{"path": list(path), "value": value} for path, value in overlay.superseded.items()]
    return (
        "# Written by Pulumi, by `pulumi config set` or by the toolchain, over or beside the tracked stack file.\n"
        "# The salt and the secrets in it exist nowhere else.\n" + _dump({"entries": entries, "superseded": superseded})
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
