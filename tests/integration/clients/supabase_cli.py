"""The Supabase CLI as a person runs it: in a project's folder, with a clean environment, in the daemon's network."""

import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.stack.whole import Whole
from tests.peers import tools

QUIET = {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1", "SUPABASE_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
"""It does not phone home (its own opt-outs, seen in its program 3.1.0)."""


@dataclass(frozen=True)
class Project:
    """A folder with a `supabase` folder in it, and the stack that the CLI is to find from there."""

    stack: Whole
    folder: Path
    flag: str | None = None

    @staticmethod
    def flag_in(summary: str) -> str:
        """The flag that a summary tells to give, as a shell reads it."""
        (line,) = (line for line in summary.splitlines() if "Supabase CLI:" in line)
        (flag,) = shlex.split(line.split("Supabase CLI:", 1)[1])
        return flag

    def migration(self, version: str, name: str, sql: str) -> None:
        """Writes a migration, as `supabase migration new` would name it."""
        folder = self.folder / "supabase/migrations"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{version}_{name}.sql").write_text(sql)

    def run(self, *arguments: str, code: int | None = 0, **more: str) -> subprocess.CompletedProcess[str]:
        """`supabase …`, with more variables; the flag comes last. Both outputs are kept apart.

        Raises:
            AssertionError: it ended with another exit code than `code` (None: any).
        """
        clone = self.stack.clone
        # No daemon answers there: what works, works by PostgreSQL and HTTP alone.
        env = {**clone.env, **QUIET, "DOCKER_HOST": f"unix://{self.folder}/no-docker.sock", **more}
        command = [str(tools.supabase_cli()), *arguments, *([self.flag] if self.flag else [])]
        with clone.daemon.network():
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        assert code in (None, done.returncode), f"supabase {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """What a command says as JSON."""
        return json.loads(self.run(*arguments).stdout)
