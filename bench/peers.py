"""The peers: what `supabase start` and `docker compose up --wait` take, on the same images and the same daemon.

The Supabase CLI runs as shipped, on stubs under its own tags and on the local PostgreSQL. Compose runs an equal of our stack: its file is
made from the containers that run, gates and health checks included. Jobs are left out of it, since `--wait` takes one that has ended
for a failure: that is in compose's favour.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.run import FailedRunError, Run, run
from tests.clone_root import ROOT
from tests.integration.clone import Clone
from tests.peers import tools

_CLI_REGISTRY = "public.ecr.aws/supabase"
# What 3.1.0 starts by default (`supabase services`, and the tags it asks the daemon for), with the ports that it looks at.
_CLI_IMAGES = {
    "kong:2.8.1": "8000",
    "gotrue:v2.197.0": "9999",
    "postgrest:v16.5": "3000,3001",
    "realtime:v2.154.0": "4000",
    "storage-api:v1.90.1": "5000",
    "edge-runtime:v1.78.1": "8081",
    "postgres-meta:v0.100.0": "8080",
    "studio:2026.11.09-sha-1567384": "3000",
    "mailpit:v1.31.3": "8025,1025,1110",
    "logflare:1.50.15": "4000",
    "vector:0.58.0-alpine": "9001",
}
_CLI_POSTGRES = "postgres:17.11.0.018"
_LOCAL_POSTGRES = "supastack.local/postgres:17"


class SupabaseCli:
    """`supabase start` of a new project, on stubs that take `delay` seconds to start."""

    def __init__(self, clone: Clone, folder: Path, delay: Mapping[str, int]) -> None:
        self.clone = clone
        self.folder = folder
        self.program = tools.supabase_cli()
        self.folder.mkdir(exist_ok=True)
        for image, ports in _CLI_IMAGES.items():
            seconds = delay.get(image.split(":")[0], 0)
            self._docker(
                "build", "-q", "--build-arg", f"PORTS={ports}", "--build-arg", f"DELAY={seconds}",
                "-t", f"{_CLI_REGISTRY}/{image}", str(ROOT / "tests/peers/cli_images"),
            )  # fmt: skip
        self._docker("tag", _LOCAL_POSTGRES, f"{_CLI_REGISTRY}/{_CLI_POSTGRES}")
        if not (self.folder / "supabase").exists():
            self._run("init")

    def start(self) -> Run:
        """`supabase start` from nothing; everything is gone again afterwards."""
        done = self._run("start")
        self._run("stop", "--no-backup")
        return done

    def _docker(self, *arguments: str) -> None:
        subprocess.run(["docker", *arguments], env=self.clone.env, check=True, capture_output=True)

    def _run(self, *arguments: str) -> Run:
        env = {**self.clone.env, "SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}
        with self.clone.daemon.network():
            return run([self.program, *arguments], cwd=self.folder, env=env)


class Compose:
    """`docker compose up --wait` of an equal of the stack that runs. The stack is down meanwhile."""

    def __init__(self, clone: Clone, folder: Path) -> None:
        self.clone = clone
        self.folder = folder
        # Where the docker command looks for it.
        plugins = clone.home / ".docker/cli-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tools.compose(), plugins / "docker-compose")
        folder.mkdir(exist_ok=True)
        (folder / "compose.yaml").write_text(yaml.safe_dump(self._equal()))

    def up(self) -> Run:
        """`docker compose up --wait` from nothing; everything is gone again afterwards."""
        done = self._run("up", "--detach", "--wait", "--quiet-pull")
        self._run("down", "--volumes")
        return done

    def _run(self, *arguments: str) -> Run:
        with self.clone.daemon.network():
            return run(["docker", "compose", *arguments], cwd=self.folder, env=self.clone.env)

    def _equal(self) -> dict[str, Any]:
        client = self.clone.daemon.client()
        gates = self._gates()
        services: dict[str, Any] = {}
        volumes: set[str] = set()
        for container in client.containers.list():
            about = container.attrs
            name = container.labels["supastack.service"]
            # Files that were put into it are in what is committed; what a server wrote to its volumes is not.
            container.commit("supastack-bench-equal", name)
            mounts = [m for m in about["Mounts"] if m["Type"] == "volume"]
            volumes |= {m["Name"] for m in mounts}
            services[name] = {
                "image": f"supastack-bench-equal:{name}",
                "entrypoint": about["Config"]["Entrypoint"],
                "command": about["Config"]["Cmd"],
                # Compose takes a `$` for a variable.
                "environment": [e.replace("$", "$$") for e in about["Config"]["Env"]],
                "restart": "unless-stopped",
                "mem_limit": about["HostConfig"]["Memory"],
                "ports": list(_ports(about)),
                "volumes": [f"{m['Name']}:{m['Destination']}" for m in mounts],
                "depends_on": {o: {"condition": f"service_{gate}"} for o, gate in gates.get(name, {}).items()},
            }
            services[name] = {key: _escaped(key, value) for key, value in services[name].items() if value}
            if health := about["Config"].get("Healthcheck"):
                services[name]["healthcheck"] = {
                    "test": _escaped("command", health["Test"]),
                    **{k.lower(): f"{health[k] // 10**9}s" for k in ("Interval", "Timeout") if health.get(k)},
                    "retries": health.get("Retries", 3),
                    "start_period": f"{health.get('StartPeriod', 0) // 10**9}s",
                }
        if not services:
            raise FailedRunError("no container runs that compose could be given an equal of")
        return {"name": "equal", "services": services, "volumes": {v: {} for v in sorted(volumes)}}

    def _gates(self) -> dict[str, dict[str, str]]:
        ask = (
            "import json, pathlib, sys\n"
            "from components.plan import Plan\n"
            "from components.service import start_order\n"
            "from components.settings import load_file\n"
            "plan = Plan(load_file(pathlib.Path(sys.argv[1]), stack='dev'))\n"
            "print(json.dumps({s.name: {o.name: g.value for o, g in gates} for made in plan.services.values()\n"
            "    for s, gates in start_order([s for s in made if not s.off]) if s.kind.value == 'server'}))\n"
        )
        private = self.clone.root / ".supastack/stacks/Pulumi.dev.yaml"
        python = self.clone.root / ".venv/bin/python"
        done = subprocess.run([python, "-c", ask, private], cwd=self.clone.root, capture_output=True, text=True, check=True)
        found: dict[str, dict[str, str]] = json.loads(done.stdout)
        return found


def _ports(about: Mapping[str, Any]) -> Iterator[str]:
    for inside, bound in (about["HostConfig"]["PortBindings"] or {}).items():
        for one in bound:
            yield f"{one['HostIp']}:{one['HostPort']}:{inside.split('/')[0]}"


def _escaped(key: str, value: Any) -> Any:
    if key in ("command", "entrypoint"):
        return [word.replace("$", "$$") for word in value]
    return value
