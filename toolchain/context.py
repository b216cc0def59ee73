"""Where things are and in which environment Pulumi runs: computed, never created, here."""

import json
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from toolchain.announce import fail
from toolchain.delivery import settings as delivery

ROOT = Path(__file__).resolve().parent.parent
PREVIEW_PASSPHRASE = "passphrase-previews"
"""In the private folder: the passphrase of all previews of pull requests."""


@dataclass(frozen=True)
class Context:
    """Everything a command needs to know about this clone and the stack it works on."""

    root: Path
    """The clone."""
    private: Path
    """`<clone>/.supastack`: state, passphrase, private stack config, plugins. Ignored by git."""
    cache: Path
    """`${XDG_CACHE_HOME:-~/.cache}/supastack`: what was built or downloaded, in folders keyed by pins. Shared by all clones."""
    venv_bin: Path
    """`bin` of the virtual environment."""
    stack: str
    """The Pulumi stack: `dev`, or `dev-2` for a further instance."""
    base_stack: str
    """The stack whose file in the repository is used: `dev`."""
    instance: int | None
    """The instance asked for on the command line; None: what the stack's config says."""
    pulumi: Path
    """The engine. Exists once `toolchain.setup.ensure` has run."""
    env: dict[str, str]
    """The environment of Pulumi and all that runs below it."""
    secrets_provider: str | None = None
    """What delivery.yaml has the stack's secrets encrypted by."""

    @staticmethod
    def of(stack: str = "dev", instance: int | None = None) -> "Context":
        """The context of a stack, without side effects.

        Instance 1 is the stack itself, instance n the stack `<stack>-n`. Without an instance, `dev-2` is instance 2 of dev, unless
        it has a file of its own. Raises ToolchainError for a name that no stack can have.
        """
        if not stack or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in stack):
            fail(f"STACK={stack}: a stack's name has letters, digits, '-', '_' and '.' only. Example: make up STACK=dev")
        if instance is not None and instance < 1:
            fail(f"INSTANCE={instance}: instances count from 1. Example: make up INSTANCE=2")
        if instance is None:
            stack, instance = _split(stack)
        base = stack
        plan = delivery.load(ROOT)
        if delivery.preview_number(stack) is not None:
            if instance is not None:
                fail(f"INSTANCE={instance}: the preview of a pull request has no further instances: leave INSTANCE out")
            base = plan.base
        private = ROOT / ".supastack"
        keeping = plan.keeping(stack if instance in (None, 1) else f"{stack}-{instance}", base)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "supastack"
        venv_bin = Path(sys.prefix) / "bin" if sys.prefix != sys.base_prefix else ROOT / ".venv" / "bin"
        pulumi = _recorded_engine(private)
        return Context(
            root=ROOT,
            private=private,
            cache=cache,
            venv_bin=venv_bin,
            stack=stack if instance in (None, 1) else f"{stack}-{instance}",
            base_stack=base,
            instance=instance,
            pulumi=pulumi,
            env=_environment(private, venv_bin, pulumi, backend=keeping.backend, preview=base != stack),
            secrets_provider=keeping.secrets_provider,
        )

    def with_engine(self, pulumi: Path) -> "Context":
        """The same context with another engine, its folder on PATH after the virtual environment's."""
        return replace(self, pulumi=pulumi, env=_environment(self.private, self.venv_bin, pulumi, base=self.env))

    def with_recorded_engine(self) -> "Context":
        """The same context with the engine that a set-up has chosen since, in whatever it ended."""
        return self.with_engine(_recorded_engine(self.private))

    def with_env(self, **values: str) -> "Context":
        """The same context with these environment variables set."""
        return replace(self, env={**self.env, **values})

    @property
    def pulumi_home(self) -> Path:
        """The PULUMI_HOME in use: the user's own where they set one."""
        return Path(self.env["PULUMI_HOME"])

    @property
    def pull_request(self) -> int | None:
        """The number of the pull request whose preview this stack is; None for any other stack."""
        return delivery.preview_number(self.stack)

    @property
    def variables(self) -> str:
        """What names this stack behind a `make` target, with a blank before it; empty for dev."""
        if self.pull_request is not None:
            return f" STACK={self.stack}"
        stack = f" STACK={self.base_stack}" if self.base_stack != "dev" else ""
        return stack + (f" INSTANCE={self.instance}" if self.stack != self.base_stack else "")

    @property
    def again(self) -> str:
        """The command that brings this stack up."""
        return f"make up{self.variables}" if self.pull_request is None else f"make pr-up PR={self.pull_request}"

    @property
    def ways_up(self) -> str:
        """What to do where this clone knows nothing of the stack: bring it up, or say where its state is."""
        return (
            f"`{self.again}` brings it up; where it is up already, its state is elsewhere, as PULUMI_BACKEND_URL or"
            f" `state` in {delivery.FILE} has to say"
        )

    @property
    def owns_pulumi_home(self) -> bool:
        """Whether the PULUMI_HOME in use is this project's own, so that stand-in plugins may be put there."""
        return self.pulumi_home == self.private / "pulumi-home"


def _split(stack: str) -> tuple[str, int | None]:
    """The base stack and the instance that a full name means: `dev-2` where there is a file for `dev` and none for `dev-2`."""
    match = re.fullmatch(r"(.+)-([2-9]|[1-9][0-9]+)", stack)
    if match and (ROOT / f"Pulumi.{match[1]}.yaml").is_file() and not (ROOT / f"Pulumi.{stack}.yaml").is_file():
        return match[1], int(match[2])
    return stack, None


def _recorded_engine(private: Path) -> Path:
    """The engine the last set-up chose, or the name alone, to be looked up on PATH."""
    try:
        return Path(json.loads((private / "engine.json").read_text())["pulumi"])
    except (OSError, ValueError, KeyError, TypeError):
        return Path("pulumi")


def _environment(
    private: Path,
    venv_bin: Path,
    pulumi: Path,
    base: dict[str, str] | None = None,
    backend: str | None = None,
    preview: bool = False,
) -> dict[str, str]:
    env = dict(os.environ if base is None else base)
    # The language host looks for `python` on PATH, so the virtual environment comes first.
    first = [str(venv_bin)]
    if pulumi.is_absolute():
        first.append(str(pulumi.parent))
    rest = [p for p in env.get("PATH", "").split(os.pathsep) if p and p not in first]
    env["PATH"] = os.pathsep.join(first + rest)
    env["VIRTUAL_ENV"] = str(venv_bin.parent)
    # Set by a shell that runs another Python; either would make the virtual environment import something else.
    env.pop("PYTHONHOME", None)
    own_home = str(private / "pulumi-home")
    home = env.setdefault("PULUMI_HOME", own_home)
    logged_in = home != own_home and _logged_in(Path(home))
    backend = backend or _project_backend(private.parent)
    if backend and not env.get("PULUMI_BACKEND_URL"):
        # Also where Pulumi.yaml has it: some commands run beside a Pulumi.yaml of our own, which has not.
        env["PULUMI_BACKEND_URL"] = backend
    if not env.get("PULUMI_BACKEND_URL") and not env.get("PULUMI_ACCESS_TOKEN") and not logged_in:
        env["PULUMI_BACKEND_URL"] = f"file://{private / 'state'}"
    if "PULUMI_CONFIG_PASSPHRASE" not in env and "PULUMI_CONFIG_PASSPHRASE_FILE" not in env:
        # A preview's secrets are never to be read by what reads the other stacks', nor the other way round.
        env["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(private / (PREVIEW_PASSPHRASE if preview else "passphrase"))
    env.setdefault("PULUMI_SKIP_UPDATE_CHECK", "true")
    return env


def _project_backend(root: Path) -> str | None:
    """`backend.url` of Pulumi.yaml (Pulumi's own setting); None where it has none."""
    try:
        text = (root / "Pulumi.yaml").read_text()
    except OSError:
        return None
    match = re.search(r"""^backend:\s*\n(?:\s*#.*\n)*\s+url:\s*["']?([^\s"'#]+)["']?""", text, re.MULTILINE)
    return match[1] if match else None


def _logged_in(home: Path) -> bool:
    """Whether `pulumi login` was run with this PULUMI_HOME."""
    try:
        return bool(json.loads((home / "credentials.json").read_text()).get("current"))
    except (OSError, ValueError, AttributeError):
        return False
