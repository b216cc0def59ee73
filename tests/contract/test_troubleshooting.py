"""Every message that docs/troubleshooting.md explains is one that the project says.

In the document `<...>` stands for what varies. What lies between is looked for, in its order, in one text of a source file: in Python a
string with its adjacent pieces joined, so that no wrapping of lines matters; elsewhere a line. Messages of others (`Message of Docker:`)
are named as theirs, and not looked for.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from tests.clone_root import ROOT

DOCUMENT = ROOT / "docs/troubleshooting.md"
HOLE = "\0"
"""Stands for what a source fills in."""
OTHERS = (".js", ".ts", ".lua", ".sql", ".sh", ".exs", ".go")
BLOCK = re.compile(r"^Message(?: of (?P<whose>[^\n:]+))?:\n\n```text\n(?P<lines>.*?)\n```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Message:
    """One line of the document, and whose it is; None: ours."""

    text: str
    whose: str | None

    @property
    def fragments(self) -> list[str]:
        """What does not vary."""
        return [part.strip() for part in re.split(r"<[^<>]+>", self.text) if part.strip()]

    def is_in(self, text: str) -> bool:
        """Whether a text of a source file is this message, or has it in it."""
        return self._pattern.search(text) is not None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(".*?".join(map(re.escape, self.fragments)), re.DOTALL)


def entries() -> dict[str, str]:
    """The text of each entry by its heading."""
    parts = re.split(r"^### (.+)$", re.sub(r"^## .*$", "", DOCUMENT.read_text(), flags=re.MULTILINE), flags=re.MULTILINE)
    headings = parts[1::2]
    assert len(set(headings)) == len(headings), "two entries have one heading"
    return dict(zip(headings, parts[2::2], strict=True))


def messages() -> list[Message]:
    """All messages of the document."""
    return [
        Message(line, block["whose"])
        for body in entries().values()
        for block in BLOCK.finditer(body)
        for line in block["lines"].splitlines()
    ]


OURS = [message for message in messages() if message.whose is None]


@cache
def said() -> tuple[str, ...]:
    """Every text that the project may say."""
    files = [path for folder in ("components", "toolchain") for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    return tuple(text for path in files for text in texts_of(path))


def texts_of(path: Path) -> Iterator[str]:
    """The texts of one file."""
    if path.suffix == ".py":
        yield from python_texts(path.read_text())
    elif path.suffix in OTHERS:
        source = path.read_text()
        # A shell joins words that stand in quotes on several lines; SQL writes a quote twice, a shell a backtick behind a backslash.
        joined = re.sub(r'"\s*\\\n\s*"', " ", source) if path.suffix == ".sh" else source
        yield from joined.replace("''", "'").replace("\\`", "`").replace('" +\n', '"').splitlines()


def python_texts(source: str) -> Iterator[str]:
    """The strings of a Python source, but its docstrings; `{...}` becomes a hole."""
    tree = ast.parse(source)
    silent = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and node not in silent and (text := joined(node)) != HOLE:
            yield text


def joined(node: ast.expr) -> str:
    """A string, or several that are added, as one text."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(joined(value) for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return joined(left) + joined(right)
    return HOLE


def is_said(message: Message) -> bool:
    """Whether the project says it."""
    return any(message.is_in(text) for text in said())


def test_there_are_messages_of_ours_and_of_others():
    assert len(OURS) > 100
    assert {message.whose for message in messages()} >= {None, "Docker", "Envoy", "PostgreSQL"}


@pytest.mark.parametrize("heading", entries())
def test_each_entry_has_a_message_a_cause_and_a_cure(heading):
    body = entries()[heading]
    assert BLOCK.search(body), "no message"
    assert body.count("```text") == len(BLOCK.findall(body)), "a block of messages has no line `Message:` before it"
    for word in ("**Cause.**", "**Cure.**"):
        assert body.count(word) == 1, word


@pytest.mark.parametrize("message", OURS, ids=lambda message: message.text[:60])
def test_each_message_of_ours_exists(message):
    assert sum(map(len, message.fragments)) > 10, "too little of it to be found by"
    assert is_said(message), f"no source under components/ or toolchain/ says: {message.text}"


def test_a_message_that_nobody_says_is_noticed():
    assert not is_said(Message("port <port> on <address>, wanted by <service>, is eaten by <holder>", None))
    assert not is_said(Message("Every message that docs/troubleshooting.md explains", None))


def test_strings_are_joined_over_lines_and_docstrings_are_not_messages():
    source = '"""A docstring."""\nfail(f"volume {name} exists " "and was " + other() + f"not {made}")\n'
    found = list(python_texts(source))
    assert f"volume {HOLE} exists and was {HOLE}not {HOLE}" in found
    assert not any("docstring" in text for text in found)


def refusals(source: str) -> Iterator[str]:
    """What the checks of a source refuse values with."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
            yield joined(node.args[0])


@pytest.mark.parametrize(
    "module",
    [
        *("plain_settings", "setting_values", "env_file_settings"),
        *(
            f"supabase_settings/{name}"
            for name in ("auth", "auth_values", "functions", "gateway", "keys", "managed", "rest", "storage")
        ),
    ],
)
def test_what_a_check_of_a_setting_refuses_with_is_explained(module):
    for reason in refusals((ROOT / f"components/{module}.py").read_text()):
        assert any(message.is_in(reason) for message in OURS), reason
