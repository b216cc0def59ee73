"""Runs the jobs of `.github/workflows/` here: the very commands that stand there, in a fresh clone of a bare repository for each job.

What a runner of GitHub's does between them is done as its documents say: `bash -e`, variables by GITHUB_ENV and GITHUB_OUTPUT, the steps
after a failed one left out but for those that say `!cancelled()`, and those that ask for a file (`hashFiles`) where it is missing. `uses:`
steps are not run: the clone and its Python are there.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from tests.recording_github import GitHub

GIT = ("git", "-c", "user.name=tests", "-c", "user.email=tests@example.com")


@dataclass
class Ran:
    """A job that was run."""

    job: str
    steps: list[tuple[str, int, str]] = field(default_factory=list)
    """Name, exit code and output of each that was run."""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    @property
    def failed(self) -> bool:
        return any(code for _, code, _ in self.steps)

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.steps]

    @property
    def text(self) -> str:
        return "\n".join(f"== {name} ended with {code}\n{out}" for name, code, out in self.steps)


class Remote:
    """A bare repository and a file backend that stand for the remote, and a server that stands for GitHub."""

    def __init__(self, folder: Path, daemon: Daemon, github: GitHub, files: Mapping[str, Any]) -> None:
        """Make the repository of this project, with these stack files in the place of its own (path -> document)."""
        self.folder = folder
        self.daemon = daemon
        self.github = github
        self.bare = folder / "remote.git"
        self.state = folder / "state"
        self.state.mkdir()
        self.first = Clone(folder / "first", daemon)
        self.first.create()
        self.developer = self.first.root
        for name, document in files.items():
            (self.developer / name).write_text(yaml.safe_dump(document, sort_keys=False))
        self.git("checkout", "-q", "-B", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Stacks of the test")
        subprocess.run([*GIT, "clone", "-q", "--bare", str(self.developer), str(self.bare)], check=True)
        self.git("remote", "add", "origin", str(self.bare))
        self.variables = {"SUPASTACK_DEPLOYS": "true", "SUPASTACK_PREVIEWS": "true", "PULUMI_BACKEND_URL": f"file://{self.state}"}
        self.secrets = {"PULUMI_CONFIG_PASSPHRASE": "of the environment"}
        self._runs = 0

    def git(self, *arguments: str) -> str:
        """git in the developer's clone."""
        command = [*GIT, "-C", str(self.developer), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def push(self, branch: str, name: str, document: Any) -> str:
        """Commit a file on a branch (made where it is missing) and push it. Returns the commit."""
        exists = self.git("branch", "--list", branch)
        self.git("checkout", "-q", *([] if exists else ["-b"]), branch)
        (self.developer / name).write_text(yaml.safe_dump(document, sort_keys=False))
        self.git("commit", "-q", "-a", "-m", f"Change {name}")
        self.git("push", "-q", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str, into: str) -> None:
        self.git("checkout", "-q", into)
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        self.git("push", "-q", "origin", into)

    def run(self, workflow: str, job: str, ref: str, event: Mapping[str, Any], only: str | None = None) -> Ran:
        """Run one job of a workflow on a ref. `event`: what `github.` and `needs.` and `matrix.` name. `only`: steps with this in them."""
        spec = yaml.safe_load((self.developer / f".github/workflows/{workflow}.yaml").read_text())["jobs"][job]
        self._runs += 1
        clone = Clone(self.folder / f"run-{self._runs}", self.daemon)
        clone.home.mkdir(parents=True)
        subprocess.run([*GIT, "clone", "-q", "--branch", ref, str(self.bare), str(clone.root)], check=True)
        (clone.root / ".venv").symlink_to(self.developer / ".venv")
        names = ("env", "output", "summary", "temp")
        env_file, output, summary, temp = (clone.home / name for name in names)
        for file in (env_file, output, summary):
            file.touch()
        temp.mkdir()
        context = {"vars": self.variables, "secrets": self.secrets, **event}
        context["github"] = {**context.get("github", {}), "token": "ghs_token-of-the-test"}
        given = {
            **{name: value for name, value in self.github.environment().items() if name != "GITHUB_TOKEN"},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "RUNNER_TEMP": str(temp),
            "GITHUB_ENV": str(env_file),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            **_filled(spec.get("env", {}), context),
        }
        ran = Ran(job)
        for step in spec["steps"]:
            if "run" not in step or (only and only not in step["run"]):
                continue
            if ran.failed and "!cancelled()" not in step.get("if", ""):
                continue
            if (file := re.search(r"hashFiles\('([^']+)'\) != ''", step.get("if", ""))) and not (clone.root / file[1]).exists():
                continue
            later = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
            env = {**given, **later, **_filled(step.get("env", {}), context)}
            script = clone.home / "step.sh"
            script.write_text(step["run"])
            done = clone.run("bash", "--noprofile", "--norc", "-e", str(script), code=None, **env)
            ran.steps.append((step["name"], done.returncode, done.stdout))
        found = dict(line.split("=", 1) for line in output.read_text().splitlines())
        steps = {"steps": {step["id"]: {"outputs": found} for step in spec["steps"] if "id" in step}}
        ran.outputs = _filled(spec.get("outputs", {}), steps)
        ran.summary = summary.read_text()
        # As the runner goes, and all that was only there.
        shutil.rmtree(clone.root)
        return ran


def _filled(values: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, str]:
    """The values of an `env:` with their expressions filled in: names alone; one that is not there is empty, as GitHub has it."""

    def one(match: re.Match[str]) -> str:
        value: Any = context
        for key in match[1].split("."):
            value = value.get(key, "") if isinstance(value, Mapping) else ""
        return str(value)

    return {name: re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", one, str(value)) for name, value in values.items()}
