"""The whole stack against its peers: the same stubs, once instant and once with a start of seconds, in one run."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.peers import Compose, SupabaseCli
from bench.scenes import Bench
from bench.starts import Watch
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
        with _stubs(bench, slow=slow):
            rows += _rows(name, _repeated(bench, folder, name, slow, repetitions, say))
    return rows


def _repeated(bench: Bench, folder: Path, name: str, slow: bool, repetitions: int, say: Callable[[str], None]) -> _Times:
    times = _Times()
    cli = SupabaseCli(bench.clone, folder / "cli", {image: seconds for image, seconds in _SLOW.values() if slow})
    compose = None
    for n in range(repetitions):
        say(f"peers, {name}, {n + 1} of {repetitions}")
        up = bench.up(changes=True)
        times.ours.append(up.seconds)
        times.engine.append(up.pulumi - up.preview)
        compose = compose or Compose(bench.clone, folder / f"compose-{slow}")
        times.second.append(bench.second_instance())
        bench.purge()
        times.cli.append(cli.start().seconds)
        times.compose.append(compose.up().seconds)
        # An up of its own: asking the containers all the time would count against ours above.
        with Watch(bench.clone.daemon.client()) as watch:
            bench.up(changes=True)
            path, total = watch.times()
        times.path.append(path)
        times.sum.append(total)
        bench.purge()
    return times


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


@contextmanager
def _stubs(bench: Bench, *, slow: bool) -> Iterator[None]:
    """The dev stack as shipped, its stubs slow or not; meanwhile only."""
    file = bench.clone.root / "Pulumi.dev.yaml"
    shipped = file.read_text()
    if slow:
        file.write_text(yaml.safe_dump(delayed(yaml.safe_load(shipped)), sort_keys=False))
    try:
        yield
    finally:
        file.write_text(shipped)


def delayed(stack: dict[str, Any]) -> dict[str, Any]:
    """A stack file's settings with stubs that take seconds to start, beside what else it says of their services."""
    found = copy.deepcopy(stack)
    services = found["config"].setdefault("supastack:supabase", {}).setdefault("services", {})
    for name, (_, seconds) in _SLOW.items():
        services.setdefault(name, {}).setdefault("env", {})["STUB_DELAY"] = str(seconds)
    return found
