"""`delivery.yaml`: which branch is which stack, what previews are laid over, where state and secrets of the stacks are kept."""

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from toolchain.announce import fail

FILE: Final = "delivery.yaml"
_STACK: Final = re.compile(r"[A-Za-z0-9_.-]+")
_PREVIEW: Final = re.compile(r"pr-([1-9][0-9]{0,6})")
_AGE: Final = re.compile(r"([1-9][0-9]{0,3})([hd])")
_PROVIDERS: Final = re.compile(r"passphrase|default|(awskms|azurekeyvault|gcpkms|hashivault)://\S+")
"""Pulumi's secrets providers (`pulumi stack init --help`)."""
_HOURS: Final = {"h": 1, "d": 24}


@dataclass(frozen=True)
class Keeping:
    """Where a stack's state is, and what encrypts its secrets. None: as without the file."""

    backend: str | None = None
    """As PULUMI_BACKEND_URL takes it: `file://`, `s3://`, `gs://`, `azblob://`, or `https://api.pulumi.com`."""
    secrets_provider: str | None = None


@dataclass(frozen=True)
class Delivery:
    """The file's content."""

    branches: tuple[tuple[str, str], ...] = (("main", "prod"), ("develop", "staging"), ("feature/*", "dev"))
    """Pattern and stack, in the order of the file."""
    base: str = "preview"
    """The stack whose file all previews of pull requests are laid over."""
    idle: str = "7d"
    """For how long a preview may lie without an update: `12h`, `7d`."""
    state: Mapping[str, Keeping] = field(default_factory=dict)

    def stack_of(self, branch: str) -> str | None:
        """The stack of a branch; None where no pattern matches."""
        return next((stack for pattern, stack in self.branches if fnmatch.fnmatchcase(branch, pattern)), None)

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks that branches are deployed as, each once."""
        return tuple(dict.fromkeys(stack for _, stack in self.branches))

    def keeping(self, stack: str, base: str) -> Keeping:
        """Where a stack's state is. `base`: the stack whose file it is laid over, for a further instance or a preview."""
        return self.state.get(stack) or self.state.get(base) or Keeping()


def preview_number(stack: str) -> int | None:
    """The pull request whose preview a stack is; None for any other stack."""
    match = _PREVIEW.fullmatch(stack)
    return int(match[1]) if match else None


def preview_stack(number: str) -> str:
    """The stack of a pull request: `12` -> `pr-12`. Raises ToolchainError for what is no number of one."""
    if preview_number(f"pr-{number}") is None:
        fail(f"PR={number}: the number of a pull request is wanted, 1 to 9999999. Example: make pr-up PR=12")
    return f"pr-{number}"


def hours(age: str) -> int:
    """`12h` or `7d` in hours. Raises ToolchainError for another text."""
    match = _AGE.fullmatch(age)
    if not match:
        fail(f"IDLE={age}: a time is wanted as hours or days, as in 12h or 7d")
    return int(match[1]) * _HOURS[match[2]]


def load(root: Path) -> Delivery:
    """Read the file of a clone; defaults where it has none. Raises ToolchainError with what is wrong."""
    import yaml  # for those alone that have the file: every command comes by here

    path = root / FILE
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Delivery()
    try:
        return parse(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError) as error:
        fail(f"{FILE} can't be read: {str(error).splitlines()[0]}")


def parse(document: Any) -> Delivery:
    """The content as data. Raises ValueError that names the key and what is wrong with it."""
    given = _mapping(document or {}, "the file", {"branches", "previews", "state"})
    previews = _mapping(given.get("previews") or {}, "previews", {"base", "idle"})
    default = Delivery()
    branches = given.get("branches", dict(default.branches))
    if not isinstance(branches, dict) or not branches:
        raise ValueError("branches: a mapping of branch to stack is wanted, as `main: prod`")
    for stack in branches.values():
        _stack(stack, "branches")
    base = _stack(previews.get("base", default.base), "previews.base")
    if base in branches.values():
        raise ValueError(f"previews.base: {base} is the stack of a branch; a preview must not be laid over its settings")
    idle = str(previews.get("idle", default.idle))
    if not _AGE.fullmatch(idle):
        raise ValueError(f"previews.idle: {idle}: hours or days are wanted, as in 12h or 7d")
    state = _mapping(given.get("state") or {}, "state", None)
    return Delivery(
        tuple((str(pattern), str(stack)) for pattern, stack in branches.items()),
        base,
        idle,
        {_stack(stack, "state"): _keeping(f"state.{stack}", entry) for stack, entry in state.items()},
    )


def _keeping(name: str, entry: Any) -> Keeping:
    given = _mapping(entry or {}, name, {"backend", "secretsProvider"})
    backend, provider = given.get("backend"), given.get("secretsProvider")
    if backend is not None and "://" not in str(backend):
        raise ValueError(f"{name}.backend: {backend}: a URL is wanted, as in s3://bucket?region=eu-central-1")
    if provider is not None and not _PROVIDERS.fullmatch(str(provider)):
        raise ValueError(f"{name}.secretsProvider: {provider}: passphrase, default, or a URL as awskms://alias/name is wanted")
    return Keeping(backend and str(backend), provider and str(provider))


def _mapping(value: Any, name: str, keys: set[str] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name}: a mapping is wanted")  # noqa: TRY004 - what the file says is wrong
    unknown = sorted(str(key) for key in value if keys is not None and key not in keys)
    if unknown:
        raise ValueError(f"{name}: there is no {', '.join(unknown)}. There are: {', '.join(sorted(keys or ()))}")
    return {str(key): inner for key, inner in value.items()}


def _stack(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _STACK.fullmatch(value):
        raise ValueError(f"{name}: {value} can't be a stack's name: letters, digits, '-', '_' and '.'")
    if preview_number(value) is not None:
        raise ValueError(f"{name}: {value} is the name of a pull request's preview")
    return value
