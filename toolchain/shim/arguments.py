"""Reads how `pulumi` was called: which command, on which stack. Flags as of engine 3.258."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ALIASES = {
    "update": "up",
    "pre": "preview",
    "down": "destroy",
    "dn": "destroy",
    "cfg": "config",
    "conf": "config",
    "del": "rm",
    "delete": "rm",
}
_CONFIG_FILE = frozenset({"preview", "up", "destroy", "refresh", "import", "watch", "logs", "config"})
"""Commands with the flag --config-file."""
_PRIVATE_PROJECT = frozenset({"init", "rm", "history", "import", "change-secrets-provider"})
"""Commands below `stack` that read or write the stack file and have no such flag."""
_NAMED = frozenset({"init", "rm", "select"})
"""Commands below `stack` whose first argument is a stack."""
_STATELESS = frozenset(
    {"version", "plugin", "schema", "package", "gen-completion", "completion", "help", "whoami", "login", "logout", "new"}
)
_GLOBAL_VALUES = frozenset(
    {"--color", "-C", "--cwd", "--memprofilerate", "--otel-traces", "--profiling", "--tracing", "-v", "--verbose"}
)
"""Flags with a value that may stand before the command."""


@dataclass(frozen=True)
class Call:
    """One call of `pulumi`."""

    arguments: tuple[str, ...]
    command: tuple[str, ...]
    """The words of the command, aliases resolved: ("up",), ("stack", "init"), ("config", "set")."""
    position: int
    """Where in the arguments the first word stands."""
    stack: str | None
    """The stack it names."""
    folder: str | None
    """The value of -C."""

    @property
    def is_plain(self) -> bool:
        """Whether no stack is concerned: help, version, plugins, the choice of a stack."""
        if not self.command or self.command[0] in _STATELESS or self.has("--help", "-h", "--version"):
            return True
        return self.command[:2] in (("stack", "ls"), ("stack", "select"), ("stack", "unselect"))

    @property
    def takes_config_file(self) -> bool:
        """Whether the command knows --config-file."""
        return bool(self.command) and self.command[0] in _CONFIG_FILE

    @property
    def needs_private_project(self) -> bool:
        """Whether the command reads or writes the stack file, and can be led to the private one only through the folder."""
        return len(self.command) > 1 and self.command[0] == "stack" and self.command[1] in _PRIVATE_PROJECT

    @property
    def changes_resources(self) -> bool:
        """Whether the command works on resources, other than `up`."""
        return self.command in (("destroy",), ("refresh",), ("import",))

    @property
    def has_config_file(self) -> bool:
        """Whether the caller gave a --config-file of his own."""
        return self.has("--config-file") or any(a.startswith("--config-file=") for a in self._flags)

    def has(self, *flags: str) -> bool:
        """Whether one of the flags is given."""
        return any(flag in self._flags for flag in flags)

    def with_option(self, option: str) -> list[str]:
        """The arguments with an option (`--name=value`) after the command's first word."""
        return [*self.arguments[: self.position + 1], option, *self.arguments[self.position + 1 :]]

    def with_absolute_files(self, folder: Path) -> list[str]:
        """The arguments with the value of --file made absolute, for a command that runs in another folder."""
        result: list[str] = []
        for argument in self.arguments:
            if result and result[-1] == "--file":
                result.append(str(folder / argument))
            elif argument.startswith("--file="):
                result.append(f"--file={folder / argument.removeprefix('--file=')}")
            else:
                result.append(argument)
        return result

    @property
    def _flags(self) -> tuple[str, ...]:
        return self.arguments[: self.arguments.index("--")] if "--" in self.arguments else self.arguments


def parse(arguments: Sequence[str]) -> Call:
    """Read a call."""
    words: list[str] = []
    position = 0
    stack: str | None = None
    folder: str | None = None
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        following = arguments[index + 1] if index + 1 < len(arguments) else None
        if name in ("--stack", "-s"):
            stack = value if equals else following
            index += 1 if equals else 2
        elif name in ("-C", "--cwd"):
            folder = value if equals else following
            index += 1 if equals else 2
        elif argument.startswith("-"):
            index += 2 if not equals and name in _GLOBAL_VALUES else 1
        else:
            if not words:
                position = index
            words.append(argument)
            index += 1
    command = _command(words)
    named = words[2] if len(words) > 2 and command[0] == "stack" and command[1] in _NAMED else None
    return Call(tuple(arguments), command, position, named or stack, folder)


def _command(words: Sequence[str]) -> tuple[str, ...]:
    first = [_ALIASES.get(word, word) for word in words[:2]]
    return tuple(first if first[:1] in (["stack"], ["config"], ["state"]) else first[:1])
