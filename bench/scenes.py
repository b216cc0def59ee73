"""What is measured, on a fresh clone in a clean HOME and a Docker daemon of its own: a user's stacks are never touched."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.run import FailedRunError, Process, Run, run
from tests.clone_root import ROOT
from tests.integration.clone import Clone

PROBE = Path(__file__).with_name("probe")
_STEP = re.compile(r"^  (\S+) +(\S.*?) +(?:(\d+)m)?([\d.]+)s$")


@dataclass(frozen=True)
class Step:
    """A set-up step, as the toolchain announced it."""

    name: str
    text: str
    seconds: float


@dataclass(frozen=True)
class Up:
    """One `make up`.

    Attributes:
        seconds: All of it.
        pulumi: The life of the engine's process that did the up.
        before: What we did until then.
        after: What we did afterwards.
        preview: The part of the engine's time before it began to update.
        steps: What was set up.
    """

    seconds: float
    pulumi: float
    before: float
    after: float
    preview: float
    steps: list[Step]

    @property
    def ours(self) -> float:
        """All that is not the engine's time."""
        return self.seconds - self.pulumi


@dataclass(frozen=True)
class Program:
    """What a Python process used: CPU in seconds, the peak of its resident memory in MB."""

    cpu: float
    memory: float


def dev_images(folder: Path) -> list[str]:
    """References of the images that dev builds on a machine without a registry."""
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    stack["config"]["supastack:imageSource"] = "local"
    config = folder / "Pulumi.dev.yaml"
    config.write_text(yaml.safe_dump(stack))
    command = [sys.executable, "-m", "components.describe", "--stack", "dev", "--config", str(config)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({image["reference"] for image in json.loads(answer)["images"] if image["kind"] != "registry"})


class Bench:
    """A clone to measure on."""

    def __init__(self, clone: Clone, folder: Path) -> None:
        self.clone = clone
        self.empty = folder / "empty"
        self.probes = folder / "probes"
        self.probes.mkdir()

    # ---- make ------------------------------------------------------------------------------------------------------

    def activate(self) -> tuple[float, list[Step]]:
        """The set-up that needs a network, which the daemon's namespace has not: seconds and steps."""
        done = run(["make", "activate"], cwd=self.clone.root, env={**self.clone.env, "VERBOSE": "1"})
        return done.seconds, list(_steps(done))

    def up(self, *, changes: bool) -> Up:
        """`make up`; `changes`: whether it has anything to do."""
        done = self._inside(["make", "up"], watch=True)
        if changes == _is_unchanged(done):
            raise FailedRunError(f"this up was expected to change {'something' if changes else 'nothing'}:\n{done.text}")
        engines = [p for p in done.processes.values() if p.arguments[1:2] == ["up"] and Path(p.arguments[0]).name == "pulumi"]
        # What an engine starts has the engine's arguments for a moment.
        engine = max(engines, key=lambda p: p.end - p.start)
        updating = next(at for at, line in done.lines if line.startswith("Updating ("))
        return Up(
            done.seconds,
            engine.end - engine.start,
            engine.start,
            done.seconds - engine.end,
            updating - engine.start,
            list(_steps(done)),
        )

    def second_instance(self) -> float:
        """`make up INSTANCE=2` beside the first; it is gone again afterwards. Seconds of the up."""
        done = self._inside(["make", "up", "INSTANCE=2"])
        self._inside(["make", "purge", "INSTANCE=2", "CONFIRM=dev-2"])
        return done.seconds

    def purge(self) -> None:
        """Everything gone, for the next up from nothing."""
        self._inside(["make", "purge", "CONFIRM=dev"])

    # ---- the engine alone ------------------------------------------------------------------------------------------

    def make_empty_program(self) -> None:
        """A project with an empty program: same engine, language host, virtual environment, state folder and options."""
        self.empty.mkdir()
        project = yaml.safe_load((self.clone.root / "Pulumi.yaml").read_text())
        runtime = project["runtime"]
        runtime["options"]["virtualenv"] = str(self.clone.root / runtime["options"]["virtualenv"])
        text = yaml.safe_dump({"name": "empty", "runtime": runtime, "options": project["options"]})
        (self.empty / "Pulumi.yaml").write_text(text)
        (self.empty / "__main__.py").write_text("import pulumi\n")
        self._engine(self.empty, "stack", "init", "empty", "--non-interactive")
        self._engine(self.empty, "up", "--yes", "--skip-preview", "--stack", "empty")

    def preview_empty(self) -> Run:
        """A preview of the empty program that changes nothing."""
        return self._preview(self.empty, "--stack", "empty")

    def preview_dev(self, *further: str, watch: bool = False) -> Run:
        """A preview of dev that changes nothing: the engine alone, without `make`. `further`: more arguments for it."""
        return self._preview(self.clone.root, "--stack", "dev", *self._config("dev"), "--parallel", "64", *further, watch=watch)

    def kube(self, target: str, *variables: str) -> Run:
        """`make TARGET STACK=kube`: the cluster is reached from this machine's own network."""
        command = ["make", target, "STACK=kube", *variables]
        return run(command, cwd=self.clone.root, env=self.clone.env)

    def preview_kube(self) -> Run:
        """A preview of kube that changes nothing: the engine alone."""
        return self._preview(self.clone.root, "--stack", "kube", *self._config("kube"), "--parallel", "64", inside=False)

    def kube_resources(self) -> int:
        """How many resources the state of kube has."""
        done = self._engine(self.clone.root, "stack", "export", "--stack", "kube")
        return len(json.loads(done.text)["deployment"]["resources"])

    def program(self) -> Program:
        """What the program's process used in the last preview of a stack."""
        (found,) = self._probed("pulumi-language-python-exec")
        return found

    def import_pulumi(self) -> Program:
        """What `python -c 'import pulumi'` uses."""
        self._forget()
        python = self.clone.root / ".venv/bin/python"
        run([python, "-c", "import pulumi"], cwd=self.clone.root, env=self._probing(self.clone.env))
        (found,) = self._probed("import pulumi")
        return found

    # ---- how -------------------------------------------------------------------------------------------------------

    def _preview(self, folder: Path, *arguments: str, watch: bool = False, inside: bool = True) -> Run:
        self._forget()
        done = self._engine(folder, "preview", *arguments, watch=watch, inside=inside)
        if not _is_unchanged(done):
            raise FailedRunError(f"this preview was expected to change nothing:\n{done.text}")
        return done

    def _engine(self, folder: Path, *arguments: str, watch: bool = False, inside: bool = True) -> Run:
        env = self._engine_env()
        pulumi = json.loads((self.clone.root / ".supastack/engine.json").read_text())["pulumi"]
        with self.clone.daemon.network() if inside else nullcontext():
            return run([pulumi, *arguments], cwd=folder, env=self._probing(env), watch=watch)

    def _engine_env(self) -> dict[str, str]:
        ask = "import json; from toolchain.context import Context; print(json.dumps(Context.of().env))"
        done = subprocess.run(
            [self.clone.root / ".venv/bin/python", "-c", ask],
            cwd=self.clone.root,
            env=self.clone.env,
            capture_output=True,
            check=True,
        )
        env: dict[str, str] = json.loads(done.stdout)
        return {**env, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}

    def _config(self, stack: str) -> list[str]:
        private = self.clone.root / f".supastack/stacks/Pulumi.{stack}.yaml"
        return [f"--config-file={private}"] if private.exists() else []

    def _inside(self, command: list[str], *, watch: bool = False) -> Run:
        with self.clone.daemon.network():
            return run(command, cwd=self.clone.root, env={**self.clone.env, "VERBOSE": "1"}, watch=watch)

    def _probing(self, env: dict[str, str]) -> dict[str, str]:
        return {**env, "PYTHONPATH": str(PROBE), "BENCH_PROBE": str(self.probes)}

    def _forget(self) -> None:
        for file in self.probes.iterdir():
            file.unlink()

    def _probed(self, needle: str) -> list[Program]:
        found = []
        for file in self.probes.iterdir():
            cpu, peak, *arguments = file.read_text().split("\0")
            if any(argument.endswith(needle) for argument in arguments):
                found.append(Program(float(cpu), int(peak) / 1024))
        return found


def name_of(process: Process) -> str:
    """What a process of a preview is, for people."""
    words = process.arguments
    line = " ".join(words)
    if "pulumi-language-python-exec" in line:
        return "program"
    if "pip list" in line or "-m pip" in line:
        return "pip list (the language host looks for plugins)"
    if "-m" in words:
        return f"python -m {words[words.index('-m') + 1]}"
    return os.path.basename(words[0]) if words else "?"  # noqa: PTH119 - a name, maybe of no file


def _is_unchanged(done: Run) -> bool:
    summary = done.text[done.text.rindex("Resources:") :] if "Resources:" in done.text else ""
    return "unchanged" in summary and not re.search(r"\d+ (to )?(create|update|replace|delete)", summary)


def _steps(done: Run) -> Iterator[Step]:
    for _, line in done.lines:
        if found := _STEP.match(line.rstrip()):
            yield Step(found[1], found[2], 60 * int(found[3] or 0) + float(found[4]))
