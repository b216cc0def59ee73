"""What is made from the declaration: the schema in Pulumi.yaml and the tables of settings in the docs.

Each stands between two marker lines; what is around them is written by hand.
"""

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_origin

import yaml

from components.setting_schema import Field, all_fields, choices, fields, limits
from components.setting_types import PortSettings

SCHEMA: Final = ("# settings:begin", "# settings:end")
"""Marker lines in Pulumi.yaml. The first may go on after a space."""

TABLE: Final = ("<!-- settings:begin -->", "<!-- settings:end -->")
"""Marker lines in README.md and docs/settings.md."""


@functools.cache
def _descriptions(owner: type) -> Mapping[str, str]:
    """Return the text under each field of a class, from its source."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            assert isinstance(after, ast.Expr)
            assert isinstance(after.value, ast.Constant)
            found[statement.target.id] = inspect.cleandoc(str(after.value.value))
    return found


def description(field: Field) -> str:
    """Return what a setting is for."""
    text = _descriptions(field.owner)[field.path[-1]]
    return f"{text} Only with --secret." if field.setting.secret else text


def _default_in_schema(field: Field) -> Any:
    """Return what Pulumi.yaml says where a stack says nothing: for a group `{}`, which the settings complete."""
    if field.setting.default is None:
        return {} if field.group or get_origin(field.type) is dict else ""
    return field.setting.default


# -- Pulumi.yaml -----------------------------------------------------------------------------------------------------

_TYPES: Final = {str: "string", int: "integer", bool: "boolean"}


def config_schema() -> dict[str, dict[str, Any]]:
    """Return `config:` of Pulumi.yaml.

    The engine takes a key without a default for required, groups too (seen with 3.258), and one marked `secret` can't have a
    plain default; so what may stay unset has the default "" or {}, which the settings read as unset, and that secrets are
    secret is checked by the settings. A group's own defaults stand in docs/settings.md.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, field in fields().items():
        entry: dict[str, Any] = {}
        if get_origin(field.type) is list:
            entry |= {"type": "array", "items": {"type": "object"}}
        elif field.group or get_origin(field.type) is dict:
            entry["type"] = "object"
        elif isinstance(field.type, type) and issubclass(field.type, Enum):
            entry["type"] = "string"
        else:
            entry["type"] = _TYPES[field.type]
        if field.type is PortSettings:
            del entry["type"]  # `auto` is text; a key has one type or none
        entry["description"] = description(field)
        entry["default"] = _default_in_schema(field)
        found[name] = entry
    return found


def config_schema_text() -> str:
    """Return `config:` of Pulumi.yaml as text."""

    class Plain(yaml.SafeDumper):
        """Repeats a value where it stands twice, in place of YAML's references."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return yaml.dump({"config": config_schema()}, Dumper=Plain, sort_keys=False, width=116, allow_unicode=True)


# -- tables ----------------------------------------------------------------------------------------------------------


def _key(field: Field) -> str:
    return ".".join(f"<{_NAMES.get(before, 'name')}>" if name == "*" else name for before, name in _pairs(field.path))


_NAMES: Final = {"envFiles": "app", "services": "service", "tenants": "n"}


def _pairs(path: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(("", *path), path, strict=False))


def _value(field: Field) -> str:
    """Return what a setting takes, as text."""
    if field.item is not None and get_origin(field.type) is dict:
        return f"{'sizes' if field.item.setting.unit == 'size' else 'numbers'} by name, {limits(field.item.setting)}"
    if field.setting.environment:
        return "variables by name"
    if get_origin(field.type) is dict:
        return "secret texts by name" if field.setting.secret else "texts by name"
    if isinstance(field.type, type) and issubclass(field.type, Enum):
        return choices(field.type)
    if get_origin(field.type) is list:
        return f"list of {limits(field.setting)}" if field.setting.maximum is not None else "list"
    if field.setting.unit == "size":
        return f"size, {limits(field.setting)}"
    if field.setting.minimum is not None:
        return limits(field.setting)
    if field.type is bool:
        return "true, false"
    if field.setting.secret:
        return "secret text"
    return field.setting.unit or "text"


def _default(field: Field) -> str:
    default = field.setting.default
    if default is None or default in ([], {}):
        return ""
    if isinstance(default, bool):
        return "`true`" if default else "`false`"
    return f"`{', '.join(map(str, default))}`" if isinstance(default, list) else f"`{default}`"


_HEAD: Final = ["| setting | takes | default | what it is |", "| --- | --- | --- | --- |"]


def _line(field: Field) -> str:
    said = _descriptions(field.owner)[field.path[-1]]
    return f"| `{_key(field)}` | {_value(field)} | {_default(field)} | {said} |"


def _sections() -> Iterator[tuple[str, str, list[Field]]]:
    """Yield each group of settings: its heading, what it is, and the values that stand directly in it; at the end the secrets."""
    every = list(all_fields())
    yield "The stack", "", [field for field in every if len(field.path) == 1 and field.group is None and not field.setting.secret]
    for group in every:
        if group.group is None:
            continue
        depth = len(group.path) + group.several
        inside = [f for f in every if f.group is None and len(f.path) == depth + 1 and f.path[: len(group.path)] == group.path]
        if inside:
            yield _key(inside[0]).rpartition(".")[0], description(group), inside
    said = "Each is accepted only when it was set with `pulumi config set --secret`; one in a mapping with `--path` too."
    yield "Secrets", said, [field for field in every if field.setting.secret]


def settings_tables() -> str:
    """Return all settings in Markdown, a table for each group."""
    parts = []
    for heading, said, inside in _sections():
        lines = [f"### {heading}" if " " in heading or heading == "Secrets" else f"### `{heading}`", ""]
        parts.append("\n".join([*lines, *([said, ""] if said else []), *_HEAD, *map(_line, inside)]))
    return "\n\n".join(parts) + "\n"


def overview_table() -> str:
    """Return the settings at the top, and the groups, as a Markdown table: what the README shows."""
    lines = list(_HEAD)
    for field in all_fields():
        if field.setting.secret or "*" in field.path or len(field.path) > 2:
            continue
        if field.group is not None:
            lines.append(f"| `{_key(field)}` | group | | {description(field)} |")
        elif len(field.path) == 1:
            lines.append(_line(field))
    hidden = ", ".join(f"`{name}`" for name, field in fields().items() if field.setting.secret)
    return "\n".join([*lines, f"| {hidden} | secrets | | Passwords and keys; unset ones that the stack needs are made. |"]) + "\n"


# -- files -----------------------------------------------------------------------------------------------------------


def put_between(text: str, markers: tuple[str, str], content: str) -> str:
    """Return a text with new content between its marker lines. Raises ValueError where a marker is missing or stands twice."""
    lines = text.splitlines(keepends=True)
    begins = [n for n, line in enumerate(lines) if line.rstrip("\n") == markers[0] or line.startswith(markers[0] + " ")]
    ends = [n for n, line in enumerate(lines) if line.rstrip("\n") == markers[1]]
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise ValueError(f"expected one line {markers[0]!r}, and one line {markers[1]!r} after it")
    return "".join(lines[: begins[0] + 1]) + content + "".join(lines[ends[0] :])


def renewed(root: Path) -> dict[Path, str]:
    """Return the files that hold something made from the declaration, with the text they should have."""
    files = {root / "Pulumi.yaml": (SCHEMA, config_schema_text()), root / "docs/settings.md": (TABLE, f"\n{settings_tables()}\n")}
    readme = root / "README.md"
    if readme.exists() and TABLE[0] in readme.read_text():
        files[readme] = (TABLE, f"\n{overview_table()}\n")
    return {path: put_between(path.read_text(), *made) for path, made in files.items()}


def renew(root: Path, *, write: bool) -> list[Path]:
    """Return the files that are out of date, relative to the root; with `write`, bring them up to date."""
    changed = []
    for path, text in renewed(root).items():
        if path.read_text() != text:
            changed.append(path.relative_to(root))
            if write:
                path.write_text(text)
    return changed
