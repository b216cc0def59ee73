"""The whole stack against its peers: the same stubs, once instant and once with a start of seconds, in one run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.peers import Compose, SupabaseCli
from bench.scenes import Bench
from bench.table import Row

CLI_RATIO = 0.5
COMPOSE_RATIO = 1.6
MEMORY_MB = 2048

# Seconds until a stub listens, by our name and by the CLI's image: chosen by us, since no real image runs here.
_SLOW = {
    "auth": ("gotrue", 2),
    "rest": ("postgrest", 1),
    "realtime": ("realtime", 4),
    "storage": ("storage-api", 3),
    "functions": ("edge-runtime", 2),
    "studio": ("studio", 5),
    "pooler": ("supavisor", 3),
}


@dataclass
class _Times:
    """Seconds of each repetition."""

    ours: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    cli: list[float] = field(default_factory=list)
    compose: list[float] = field(default_factory=list)
    path: list[float] = field(default_factory=list)
    sum: list[float] = field(default_factory=list)


def measure(bench: Bench, folder: Path, repetitions: int, say: Callable[[str], None]) -> list[Row]:
    """All rows. The dev stack is gone before and afterwards."""
    rows = []
    for name, slow in (("instant stubs", False), ("stubs of 1 to 5 s", True)):
        times = _Times()
        _delay(bench, slow=slow)
        cli = SupabaseCli(bench.clone, folder / "cli", {image: seconds for image, seconds in _SLOW.values() if slow})
        compose = None
        for n in range(repetitions):
            say(f"peers, {name}, {n + 1} of {repetitions}")
            began = time.time()
            up = bench.up(changes=True)
            times.ours.append(up.seconds)
            times.engine.append(up.pulumi - up.preview)
            path, total = _starts(bench, began)
            times.path.append(path)
            times.sum.append(total)
            compose = compose or Compose(bench.clone, folder / f"compose-{slow}")
            times.second.append(bench.second_instance())
            bench.purge()
            times.cli.append(cli.start().seconds)
            times.compose.append(compose.up().seconds)
        rows += _rows(name, times)
    _delay(bench, slow=False)
    return rows


def memory(bench: Bench) -> list[Row]:
    """The memory limits of the stack that runs: its Supabase services, and all."""
    limits: dict[str, float] = {}
    for container in bench.clone.daemon.client().containers.list():
        component = container.labels["supastack.component"]
        limits[component] = limits.get(component, 0.0) + container.attrs["HostConfig"]["Memory"] / 2**20
    return [
        Row("sum of memory limits, Supabase without logs", [limits["supabase"]], "MB", MEMORY_MB),
        Row("sum of memory limits, with cache and object store", [sum(limits.values())], "MB"),
    ]


def _rows(name: str, times: _Times) -> list[Row]:
    def ratio(above: list[float], below: list[float]) -> list[float]:
        return [a / b for a, b in zip(above, below, strict=True)]

    return [
        Row(f"{name}: make up of dev from nothing", times.ours),
        Row(f"{name}: supabase start", times.cli),
        Row(f"{name}: ratio of the two", ratio(times.ours, times.cli), "", CLI_RATIO),
        Row(f"{name}: Pulumi's update alone", times.engine),
        Row(f"{name}: docker compose up --wait of an equal", times.compose),
        Row(f"{name}: ratio of the two", ratio(times.engine, times.compose), "", COMPOSE_RATIO),
        Row(f"{name}: make up of a second instance beside it", times.second),
        Row(f"{name}: first start to last healthy", times.path),
        Row(f"{name}: sum of each one's start to healthy", times.sum),
    ]


def _delay(bench: Bench, *, slow: bool) -> None:
    file = bench.clone.root / "Pulumi.dev.yaml"
    settings: dict[str, Any] = yaml.safe_load(file.read_text())
    supabase = settings["config"].setdefault("supastack:supabase", {})
    supabase["services"] = {name: {"env": {"STUB_DELAY": str(s)}} for name, (_, s) in _SLOW.items()} if slow else {}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))


def _starts(bench: Bench, since: float) -> tuple[float, float]:
    """Seconds from the first start of a container until the last was healthy, and the sum over all of the same."""
    client = bench.clone.daemon.client()
    started: dict[str, float] = {}
    healthy: dict[str, float] = {}
    for event in client.events(since=int(since), until=int(time.time()) + 1, decode=True, filters={"type": "container"}):
        name, at = event["Actor"]["Attributes"]["name"], event["timeNano"] / 1e9
        if event["Action"] == "start":
            started.setdefault(name, at)
        elif event["Action"] == "health_status: healthy":
            healthy.setdefault(name, at)
    both = started.keys() & healthy.keys()
    return max(healthy[n] for n in both) - min(started[n] for n in both), sum(healthy[n] - started[n] for n in both)
