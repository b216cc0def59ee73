"""Which arguments a user may add to what is run for a stack (`ARGS="..."`).

Everything before a deployment (locks, checks, policies) is about one stack and its settings as they stand. An argument that names another
stack, another folder or other settings would have the engine work on what nobody looked at; `--config` also writes the stack's file.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from toolchain.announce import fail

_STACK: Final = "the stack is named by STACK=... (and INSTANCE=...), so that all that is checked is checked for it"
_SETTING: Final = (
    "a setting is set beforehand, where checks and policies see it: in Pulumi.<stack>.yaml, or by "
    "`pulumi config set NAME VALUE --stack <stack>`"
)
_FILE: Final = "the settings are those of Pulumi.<stack>.yaml, which STACK=... names"
_FOLDER: Final = "a clone is worked on from its own folder: make -C FOLDER ..."
_REFUSED: Final = {
    "--stack": _STACK,
    "--config": _SETTING,
    "--config-path": _SETTING,
    "--config-file": _FILE,
    "--cwd": _FOLDER,
}
_SHORT: Final = {"s": "--stack", "c": "--config", "C": "--cwd"}
_WITH_VALUE: Final = "mptvx"
"""Other letters that what follows belongs to (`pulumi up --help`, preview, refresh; 3.258); the engine takes several in one word."""


def check(rest: Sequence[str], command: str) -> None:
    """Raises ToolchainError where one of them leads elsewhere. `command`: what they were added to, as `up`."""
    found = {option: shown for word in rest for option, shown in _options(word)}
    if found:
        lines = "\n".join(f"  - {shown}: {_REFUSED[option]}" for option, shown in found.items())
        fail(f"make {command} takes no argument that chooses the stack or its settings; nothing was done:\n{lines}")


def _options(word: str) -> Iterator[tuple[str, str]]:
    """The refused options in one word: their names, and as they stand there, without what may be a secret."""
    if word.startswith("--"):
        name = word.partition("=")[0]
        if name in _REFUSED:
            yield name, name
    elif word.startswith("-"):
        for letter in word[1:]:
            if letter in _SHORT:
                yield _SHORT[letter], f"-{letter}"
            if letter in _SHORT or letter in _WITH_VALUE or letter == "=":
                return
