"""Drives a provider plugin through the real engine: small Python programs, a file backend and a PULUMI_HOME of the test's own.

    def test_something(project):                    # the fixture in conftest.py; it destroys what is left at the end
        run = project.up('''
            import pulumi_random as random
            random.RandomId("id", byte_length=8)
        ''')
        assert run.ops() == {"id": ["create"]}      # what the engine did, by resource name
        assert project.up(run.program).ops() == {}  # `same` is left out
        project.state()["id"].outputs["hex"]        # decrypted
        project.stored()                            # all bytes of the backend: state, backups, history
        run = project.up("...", fails=True)         # without `fails` a failing run fails the test with its output
        run.errors                                  # what the user reads, one text an error

`SUPASTACK_PLUGINS` says which plugins are under test: `stand-in` (the default; toolchain/plugins), or `official`: those that are
installed in the user's own PULUMI_HOME (`pulumi plugin install resource random <version>`); a test whose official plugin is not
installed there is skipped and says so. `SUPASTACK_TEST_ENGINE` names the engine (`.../bin/pulumi`, with the language host beside
it); without it the one that `make` set up is used, or the one on PATH.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from toolchain.context import Context
from toolchain.setup.plugins import MARKER, folder

ROOT = Path(__file__).resolve().parents[3]
PROJECT, STACK = "conformance", "test"
PLUGINS = os.environ.get("SUPASTACK_PLUGINS", "stand-in")
_SECONDS = 300


def engine() -> Path:
    """The engine that the tests run."""
    chosen = os.environ.get("SUPASTACK_TEST_ENGINE") or shutil.which(Context.of().pulumi)
    if chosen is None or not Path(chosen).exists():
        pytest.fail("no Pulumi engine: run `make activate`, or name one in SUPASTACK_TEST_ENGINE")
    return Path(chosen).absolute()


def install(home: Path, name: str) -> None:
    """Put the plugin under test into a PULUMI_HOME, laid out as toolchain/setup/plugins.py does it."""
    target = folder(home, name)
    if PLUGINS == "official":
        theirs = folder(Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi"), name)
        if not (theirs / f"pulumi-resource-{name}").exists() or (theirs / MARKER).exists():
            pytest.skip(f"SUPASTACK_PLUGINS=official, and there is no official plugin in {theirs}")
        target.mkdir(parents=True)
        # The engine passes over a plugin folder that is a link itself.
        for file in theirs.iterdir():
            (target / file.name).symlink_to(file)
    elif PLUGINS == "stand-in":
        install_program(target, name, f"toolchain.plugins.{name}")
        (target / MARKER).touch()
    else:
        pytest.fail(f"SUPASTACK_PLUGINS={PLUGINS}: use stand-in or official")


def install_program(target: Path, name: str, module: str) -> None:
    """Make a Python module of this repository a plugin."""
    target.mkdir(parents=True)
    program = target / f"pulumi-resource-{name}"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m {module} "$@"\n')
    program.chmod(0o755)


@dataclass(frozen=True)
class Step:
    """What the engine did, or in a preview would do, with one resource.

    Attributes:
        op: the engine's word: create, update, same, create-replacement, replace, delete-replaced, delete, import ...; of
            `refresh` what it found: same, update, delete or failed.
        changed: properties that differ (top level).
        replacing: those of them for which it is replaced.
    """

    op: str
    type: str
    name: str
    changed: frozenset[str]
    replacing: frozenset[str]


@dataclass(frozen=True)
class Run:
    """One run of the engine, from its event log and what it printed."""

    command: str
    program: str
    code: int
    text: str
    steps: tuple[Step, ...]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    def ops(self) -> dict[str, list[str]]:
        """The operations by resource name in their order, without `same`."""
        found: dict[str, list[str]] = {}
        for step in self.steps:
            if step.op != "same":
                found.setdefault(step.name, []).append(step.op)
        return found

    def step(self, name: str, op: str) -> Step:
        """The one step of this name and operation."""
        (only,) = (step for step in self.steps if (step.name, step.op) == (name, op))
        return only


@dataclass(frozen=True)
class Stored:
    """A resource in the state."""

    id: str
    type: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    init_errors: tuple[str, ...]


@dataclass
class Project:
    """A Pulumi project with one stack. `plugins` are installed under test; `env` is added to the engine's environment."""

    root: Path
    plugins: Iterable[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder, self.home, self._backend = self.root / "program", self.root / "home", self.root / "backend"
        for made in (self.folder, self.home, self._backend):
            made.mkdir(parents=True)
        for name in self.plugins:
            install(self.home, name)
        (self.folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        self.pulumi("stack", "init", STACK)

    def up(self, program: str, *arguments: str, fails: bool = False) -> Run:
        """Deploy `program`; with `--refresh` among the arguments the state is read anew first."""
        return self._run("up", program, "--yes", "--skip-preview", *arguments, fails=fails)

    def preview(self, program: str, *arguments: str, fails: bool = False) -> Run:
        """Preview `program`."""
        return self._run("preview", program, *arguments, fails=fails)

    def refresh(self, *arguments: str, fails: bool = False) -> Run:
        """Read the state of all resources anew; the steps' ops are `same`, `update` or `delete`."""
        return self._run("refresh", None, "--yes", "--skip-preview", *arguments, fails=fails)

    def destroy(self, *arguments: str, fails: bool = False) -> Run:
        """Delete everything."""
        return self._run("destroy", None, "--yes", "--skip-preview", *arguments, fails=fails)

    def start_up(self, program: str) -> subprocess.Popen[bytes]:
        """Begin to deploy `program`, to be interrupted or killed; the caller ends it. Unlock with `pulumi("cancel", "--yes")`."""
        self._write(program)
        command = [engine(), "up", "--yes", "--skip-preview", "--non-interactive", "--stack", STACK]
        return subprocess.Popen(
            command, cwd=self.folder, env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def state(self) -> dict[str, Stored]:
        """The resources in the state by name, decrypted, without stack and providers."""
        deployment = json.loads(self.pulumi("stack", "export", "--show-secrets"))["deployment"]
        return {
            _name(r["urn"]): Stored(
                r.get("id", ""),
                r["type"],
                _revealed(r.get("inputs", {})),
                _revealed(r.get("outputs", {})),
                tuple(r.get("initErrors", ())),
            )
            for r in deployment.get("resources", [])
            if _is_subject(r["type"])
        }

    def secret_outputs(self, name: str) -> set[str]:
        """Which outputs of a resource are encrypted in the state."""
        deployment = json.loads(self.pulumi("stack", "export"))["deployment"]
        (found,) = (r for r in deployment["resources"] if _name(r["urn"]) == name and _is_subject(r["type"]))
        return {key for key, value in found.get("outputs", {}).items() if isinstance(value, dict) and "ciphertext" in value}

    def stored(self) -> bytes:
        """Everything that lies in the backend: state, its backups, history."""
        return b"\n".join(path.read_bytes() for path in sorted(self._backend.rglob("*")) if path.is_file())

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, decrypted."""
        found: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))
        return found

    def pulumi(self, *arguments: str) -> str:
        """Any other command of the engine; its output. Fails the test if the command fails."""
        done = self._engine(*arguments)
        if done.returncode != 0:
            pytest.fail(f"pulumi {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _run(self, command: str, program: str | None, *arguments: str, fails: bool) -> Run:
        self._write(program)
        log = self.root / "events.json"
        log.unlink(missing_ok=True)
        done = self._engine(command, *arguments, "--event-log", str(log))
        text = done.stdout + done.stderr
        if (done.returncode != 0) != fails:
            pytest.fail(f"pulumi {command} ended with {done.returncode}:\n{text}")
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return Run(
            command, program or "", done.returncode, text, _steps(events), _said(events, "error"), _said(events, "warning")
        )

    def _write(self, program: str | None) -> None:
        if program is not None:
            (self.folder / "__main__.py").write_text(textwrap.dedent(program))

    def _engine(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [engine(), *arguments, "--non-interactive", "--color", "never"]
        if arguments[:2] != ("stack", "init"):
            command += ["--stack", STACK]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "PYTHON"))}
        path = [str(Path(sys.executable).parent), str(engine().parent), kept.get("PATH", "")]
        return {
            **kept,
            "PATH": os.pathsep.join(path),
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": f"file://{self._backend}",
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase of the tests",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # Without it the engine has no --event-log.
            "PULUMI_DEBUG_COMMANDS": "true",
            **self.env,
        }


def forms_of(secret: str) -> set[bytes]:
    """How a secret text may lie in a file: as bytes, in base64 (either alphabet, at any offset), percent-encoded and in JSON."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    # Go's encoder also escapes these.
    found.add(json.dumps(secret)[1:-1].translate({ord(c): f"\\u{ord(c):04x}" for c in "<>&"}).encode())
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        # Only the digits that hold nothing but bits of the secret.
        digits = encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        found |= {digits, digits.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def _steps(events: list[dict[str, Any]]) -> tuple[Step, ...]:
    """The steps in the order in which they began; of a refresh, what it found."""
    steps = []
    for index, event in enumerate(events):
        about = event.get("resourcePreEvent", {}).get("metadata")
        if about is None or not _is_subject(about["type"]):
            continue
        op = _found(about["urn"], events[index:]) if about["op"] == "refresh" else about["op"]
        detailed = about.get("detailedDiff") or {}
        changed = {path.replace("[", ".").split(".")[0] for path in detailed} | set(about.get("diffs") or ())
        steps.append(Step(op, about["type"], _name(about["urn"]), frozenset(changed), frozenset(about.get("keys") or ())))
    return tuple(steps)


def _found(urn: str, later: list[dict[str, Any]]) -> str:
    """What the refresh of a resource came to. Within an `up` the engine does not say; the steps that follow show it."""
    for event in later:
        if event.get("resOpFailedEvent", {}).get("metadata", {}).get("urn") == urn:
            return "failed"
        about = event.get("resOutputsEvent", {}).get("metadata", {})
        if about.get("urn") == urn:
            return "same" if about["op"] == "refresh" else str(about["op"])
    return "same"


def _said(events: list[dict[str, Any]], severity: str) -> tuple[str, ...]:
    said = (e["diagnosticEvent"] for e in events if "diagnosticEvent" in e)
    return tuple(d["message"].strip() for d in said if d["severity"] == severity)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _is_subject(token: str) -> bool:
    return token != "pulumi:pulumi:Stack" and not token.startswith("pulumi:providers:")


def _revealed(value: Any) -> Any:
    """The value with what `--show-secrets` wraps taken out of its wrapping."""
    if isinstance(value, dict):
        if "plaintext" in value and len(value) == 2:
            return json.loads(value["plaintext"])
        return {key: _revealed(item) for key, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list) else value
