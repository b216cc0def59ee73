"""Runs the Pulumi engine for one stack: captured for the toolchain's own questions, or in the user's terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from toolchain import child
from toolchain.announce import fail
from toolchain.context import Context
from toolchain.stack.config import PrivateConfig, has_private_config, project_name, secrets_provider, uses_private_state
from toolchain.stack.state import StackState

NO_SUCH_STACK = 6
"""The engine's exit code where a stack does not exist (seen with 3.258)."""


class Engine:
    """The engine on one stack. Secrets pass through its environment and its stdin, never through its arguments."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.env = engine_environment(context)

    def exists(self) -> bool:
        """Whether the stack exists, told from its file where the state is this clone's own (a look takes no time)."""
        if not uses_private_state(self.context):
            return self.read_state() is not None
        folder = self.context.private / "state" / ".pulumi" / "stacks" / project_name(self.context.root)
        return any((folder / f"{self.context.stack}{suffix}").exists() for suffix in (".json", ".json.gz"))

    def read_state(self, show_secrets: bool = False) -> StackState | None:
        """The stack's state, None where the stack does not exist. With `show_secrets` it must never be printed or written."""
        if uses_private_state(self.context) and not self.exists():
            return None
        return self.parse_state(self.start_export(show_secrets))

    def start_export(self, show_secrets: bool = False) -> "subprocess.Popen[str]":
        """Begin to read the state, so that something else can be done meanwhile; `parse_state` waits for it."""
        arguments = ["stack", "export", "--stack", self.context.stack, *(["--show-secrets"] if show_secrets else [])]
        return subprocess.Popen(
            self._command(arguments),
            env=self.env,
            cwd=self.context.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def parse_state(self, export: "subprocess.Popen[str]") -> StackState | None:
        """What `start_export` reads. Raises ToolchainError where it can't be read."""
        out, err = export.communicate()
        if export.returncode == NO_SUCH_STACK or (export.returncode != 0 and "no stack named" in err):
            return None
        if export.returncode != 0:
            fail(f"the state of stack {self.context.stack} can't be read:\n{_indented(err)}")
        return StackState.parse(out)

    def create_stack(self) -> None:
        """`pulumi stack init`, the salt going into the private config. Raises ToolchainError."""
        arguments = ["stack", "init", self.context.stack, "--no-select"]
        private = has_private_config(self.context)
        # The engine's own default passes over what the stack's file says (pulumi pkg/backend/diy/backend.go, DefaultSecretManager).
        # A backend of the user's has a default of its own: Pulumi Cloud's is no passphrase.
        provider = secrets_provider(self.context) or ("passphrase" if uses_private_state(self.context) else None)
        self._checked([*arguments, *(["--secrets-provider", provider] if provider else [])], beside_private_config=private)
        if private:
            PrivateConfig(self.context).sync()
        # A plain `pulumi preview` in an activated shell should find a stack; a selection the user made stays.
        if self.selected() is None:
            self.select()

    def selected(self) -> str | None:
        """The stack that the user selected in this clone."""
        done = self._captured(["stack", "--show-name"])
        return done.stdout.strip() or None if done.returncode == 0 else None

    def select(self) -> None:
        """Make this the selected stack of the clone; where it does not exist yet, none is."""
        if self._captured(["stack", "select", self.context.stack]).returncode != 0:
            self._captured(["stack", "unselect"])

    def remove_stack(self) -> None:
        """`pulumi stack rm`: the stack must be empty. Raises ToolchainError."""
        private = has_private_config(self.context)
        arguments = ["stack", "rm", self.context.stack, "--yes", *([] if private else ["--preserve-config"])]
        self._checked(arguments, beside_private_config=private)

    def write_state(self, state: StackState) -> None:
        """`pulumi stack import`. Raises ToolchainError."""
        private = has_private_config(self.context)
        self._checked(["stack", "import", "--stack", self.context.stack], beside_private_config=private, text=state.text())

    def secret_config(self) -> list[str]:
        """The values of the stack's secret settings, in clear: never to be printed. Empty where they can't be read."""
        arguments = ["config", "--json", "--show-secrets", "--stack", self.context.stack, *self.config_arguments()]
        done = self._captured(arguments)
        try:
            settings = json.loads(done.stdout)
            return [leaf for s in settings.values() if s.get("secret") for leaf in _leaves(s.get("objectValue", s.get("value")))]
        except (ValueError, AttributeError, TypeError):
            return []

    def ask(self, arguments: Sequence[str]) -> str:
        """What a command that changes nothing prints. Raises ToolchainError where it fails."""
        done = self._captured(arguments)
        if done.returncode != 0:
            fail(f"`pulumi {' '.join(arguments[:2])}` failed:\n{_indented(done.stderr or done.stdout)}")
        return str(done.stdout)

    def config_arguments(self) -> list[str]:
        """`--config-file` for commands that take it, where the stack's config is a private file."""
        return [f"--config-file={PrivateConfig(self.context).path}"] if has_private_config(self.context) else []

    def run(self, arguments: Sequence[str], *, events: Path | None = None, stdout: int | None = None) -> int:
        """Run a command on the stack in the user's terminal. Returns its exit code; 128 + n where signal n killed it.

        Args:
            arguments: The command and its own arguments.
            events: Where the engine writes its event log; None: it writes none.
            stdout: A file descriptor that what it prints goes to, in place of stdout.
        """
        words = [arguments[0], *self.config_arguments(), "--stack", self.context.stack, *arguments[1:]]
        env = self.env
        if events is not None:
            words += ["--event-log", str(events)]
            # The engine knows that option with this set only (pulumi/pkg cmd/pulumi/pulumi.go).
            env = {**env, "PULUMI_DEBUG_COMMANDS": "1"}
        code = child.run(self._command(words), cwd=self.context.root, env=env, stdout=stdout)
        return code if code >= 0 else 128 - code

    def destroy(self, which: str) -> int:
        """`pulumi destroy`, without asking; `which`: `--exclude-protected` or `--ignore-protect`. Returns its exit code."""
        return self.run(["destroy", which, "--yes", "--skip-preview", *working()])

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [str(self.context.pulumi), *arguments]

    def _captured(
        self, arguments: Sequence[str], beside_private_config: bool = False, text: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        folder = private_project(self.context) if beside_private_config else self.context.root
        standard_input: dict[str, str | int] = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            self._command([*arguments, "--non-interactive"]),
            env=self.env,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            **standard_input,
        )

    def _checked(self, arguments: Sequence[str], beside_private_config: bool = False, text: str | None = None) -> None:
        done = self._captured(arguments, beside_private_config, text)
        if done.returncode != 0:
            fail(f"`pulumi {' '.join(arguments[:2])}` failed:\n{_indented(done.stderr or done.stdout)}")


def _leaves(value: object) -> list[str]:
    """Every single value of a setting that may be a group."""
    if isinstance(value, dict | list):
        return [leaf for inner in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(inner)]
    return [str(value)] if value else []


def working() -> list[str]:
    """Arguments for everything that works on resources."""
    # The engine's own limit follows the number of cores; what is waited for here are health checks, which cost none.
    arguments = ["--parallel", "64", "--suppress-outputs"]
    return arguments if sys.stdout.isatty() else [*arguments, "--suppress-progress"]


def private_project(context: Context) -> Path:
    """A folder whose Pulumi.<stack>.yaml is the private one, for commands that know no `--config-file`: init, rm, import.

    It holds a Pulumi.yaml with the project's name and nothing else.
    """
    folder = PrivateConfig(context).folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = f"# For pulumi commands that know no --config-file.\nname: {project_name(context.root)}\nruntime: python\n"
    project = folder / "Pulumi.yaml"
    if not project.exists() or project.read_text() != text:
        project.write_text(text)
    return folder


def engine_environment(context: Context) -> dict[str, str]:
    """The context's environment without the shim on PATH, which would call itself."""
    env = dict(context.env)
    if context.pull_request is not None:
        # No file keeps a preview's salt or key from one machine to the next: where its config has none, what the state says of it
        # counts, not the backend's default (pulumi pkg/cmd/pulumi/stack/secrets.go, GetSecretsManager).
        env.setdefault("PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER", "true")
    shim = str(context.private / "bin")
    env["PATH"] = os.pathsep.join(p for p in env.get("PATH", "").split(os.pathsep) if p and p != shim)
    return env


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
