"""A fresh clone of this project in a clean HOME, used as a person uses it: by `make` and `pulumi`."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import yaml

from components.supabase_settings.override import SERVICES
from tests.clone_root import ROOT
from tests.integration.daemon import Daemon


class Failed(AssertionError):
    """A command ended with another exit code than expected."""


class Clone:
    """The project, copied as git would, with its own private folder, on the tests' own daemon."""

    _environment: ClassVar[Path | None] = None

    def __init__(self, folder: Path, daemon: Daemon, *, core: bool = False) -> None:
        """A clone that is not made yet. `core`: its dev stack is the servers that keep data alone, for tests of what happens to these."""
        self.core = core
        self.root = folder / "supastack"
        self.home = folder / "home"
        self.daemon = daemon
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "DOCKER_", "SUPASTACK_"))}
        # HOME is clean; caches are passed in, and where Go and pip keep theirs does not follow HOME then.
        self.env = {**kept, "HOME": str(self.home), "XDG_CACHE_HOME": cache, "DOCKER_HOST": daemon.host}
        self.env.pop("VIRTUAL_ENV", None)

    def create(self) -> None:
        """Makes the clone, and sets up there what comes from package registries: in the daemon's namespace there is no network.

        The first one of a run does all of it, the further ones take its virtual environment over: nothing in it tells where it lies
        but scripts that nobody calls.
        """
        self.copy()
        if Clone._environment is not None and Clone._environment.is_dir():
            shutil.copytree(Clone._environment, self.root / ".venv", symlinks=True)
        self.make("activate", inside=False)
        Clone._environment = self.root / ".venv"

    def copy(self) -> None:
        """Copies what git has or would take, uncommitted changes included, and commits it there. Nothing is set up."""
        self.home.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=True
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        if self.core:
            self._turn_off_the_others()
        git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.com", "-C", self.root]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "A fresh clone"], check=True)

    def _turn_off_the_others(self) -> None:
        file = self.root / "Pulumi.dev.yaml"
        settings = yaml.safe_load(file.read_text())
        supabase = settings["config"].setdefault("supastack:supabase", {})
        for service in SERVICES:
            if service != "postgres":
                supabase[service] = {"enabled": False}
        file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def run(
        self, *command: str, inside: bool = True, code: int | None = 0, timeout: float = 900, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in the clone and returns it with both outputs together in `stdout`.

        Raises:
            Failed: it ended with another exit code than `code` (None: any).
        """
        done = self._run(list(command), inside, timeout, {**self.env, **env})
        if code is not None and done.returncode != code:
            raise Failed(f"{' '.join(command)} ended with {done.returncode}, not {code}:\n{done.stdout[-8000:]}")
        return done

    def _run(self, command: list[str], inside: bool, timeout: float, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        def start() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                command,
                cwd=self.root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=timeout,
                check=False,
            )

        if not inside:
            return start()
        with self.daemon.network():
            return start()

    def make(
        self, target: str, code: int | None = 0, *, inside: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`make TARGET NAME=value…`, as a person types it."""
        words = [f"{k}={v}" for k, v in variables.items()]
        return self.run("make", "--no-print-directory", target, *words, inside=inside, code=code)

    def pulumi(self, *arguments: str, code: int | None = 0, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """`pulumi …` in an activated shell."""
        return self.run("bash", "-c", '. .supastack/activate && pulumi "$@"', "pulumi", *arguments, code=code, timeout=timeout)

    def outputs(self, stack: str = "dev") -> dict[str, Any]:
        """The stack's outputs, secrets in plain."""
        shown = self.pulumi("stack", "output", "--json", "--show-secrets", "--stack", stack).stdout
        found: dict[str, Any] = json.loads(shown[shown.index("{") :])
        return found

    def preview_steps(self, stack: str = "dev") -> dict[str, str]:
        """Resource by name -> kind of step of a preview, without those that stay the same."""
        shown = self.pulumi("preview", "--json", "--stack", stack).stdout
        steps = json.loads(shown[shown.index("{") :])["steps"]
        return {s["urn"].rsplit("::", 1)[-1]: s["op"] for s in steps if s["op"] not in {"same", "read", "refresh"}}

    def state_file(self, stack: str = "dev") -> Path:
        """The raw state."""
        (found,) = self.root.glob(f".supastack/state/.pulumi/stacks/supastack/{stack}.json")
        return found

    def status(self) -> str:
        """`git status`, short."""
        return self.run("git", "status", "--porcelain", inside=False).stdout
