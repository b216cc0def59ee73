"""`make bench`: measures and prints. ARGS="--quick" for one repetition, ARGS="--cold" with engine and images built anew."""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bench import cluster, machine, planning, tenants, whole
from bench.run import FailedRunError, Run
from bench.scenes import Bench, Step, Up, dev_images, name_of
from bench.table import Row, grid, show
from tests.integration.clone import Clone
from tests.integration.daemon import Daemon
from tests.integration.local_images import build_missing
from toolchain import announce

PREVIEW_RATIO = 2.5
OURS_SECONDS = 2.0
PROGRAM_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """Measure, and print the tables on stdout; what goes on is said on stderr."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measures this project on this machine.")
    parser.add_argument("--quick", action="store_true", help="one repetition of everything")
    parser.add_argument("--cold", action="store_true", help="build engine and images anew too (15 minutes and more)")
    options = parser.parse_args(arguments)
    for program in ("dockerd", "unshare", "nsenter"):
        if shutil.which(program) is None or os.geteuid() != 0:
            print(f"error: `make bench` needs root and {program}: it runs a Docker daemon of its own", file=sys.stderr)
            return 1
    folder = Path(tempfile.mkdtemp(prefix="supastack-bench-"))
    try:
        if options.cold:
            os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        print(measure(folder, previews=1 if options.quick else 7, ups=1 if options.quick else 3, cold=options.cold))
    except FailedRunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        # Modules that Go has downloaded are read-only.
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def measure(folder: Path, *, previews: int, ups: int, cold: bool) -> str:
    """All figures, as text."""
    load = os.getloadavg()
    built: list[Step] = []
    build_missing(folder / "builder", dev_images(folder), _recorder(built))
    daemon = Daemon(folder / "daemon")
    daemon.start()
    try:
        clone = Clone(folder / "clone", daemon)
        clone.copy()
        bench = Bench(clone, folder)
        return _tables(bench, previews, ups, built if cold else [], load)
    finally:
        daemon.remove()


def _tables(bench: Bench, previews: int, ups: int, built: list[Step], load: tuple[float, ...]) -> str:
    _say("make up in an empty clone")
    set_up, steps = bench.activate()
    first = bench.up(changes=True)
    from_nothing: list[Up] = []
    for n in range(ups):
        _say(f"up from nothing, {n + 1} of {ups}")
        bench.purge()
        from_nothing.append(bench.up(changes=True))
    second: list[Up] = []
    for n in range(previews):
        _say(f"second up, {n + 1} of {previews}")
        second.append(bench.up(changes=False))
    bench.make_empty_program()
    empty, dev, unrefreshed, program, bare = [], [], [], [], []
    for n in range(previews + 1):
        _say(f"previews, {n} of {previews}")
        # One beside the other, so that whatever else the machine does falls on both. The first round only warms the caches.
        pair = bench.preview_empty(), bench.preview_dev()
        used = bench.program(), bench.import_pulumi()
        without = bench.preview_dev("--refresh=false")
        if n:
            empty.append(pair[0])
            dev.append(pair[1])
            unrefreshed.append(without)
            program.append(used[0])
            bare.append(used[1])
    profiled = bench.preview_dev(watch=True)
    limits = whole.memory(bench)
    bench.purge()
    peers = whole.measure(bench, bench.clone.root.parent, ups, _say)
    in_cluster = cluster.measure(bench, bench.clone.root.parent, ups, previews, _say)
    of_tenants = tenants.measure(bench.clone.root.parent, ups, _say)
    _say("planning")
    planned = planning.measure(ups)
    rows = [
        Row("preview of dev, no change", [r.seconds for r in dev]),
        Row("preview of an empty program", [r.seconds for r in empty]),
        Row(
            "ratio, preview of dev to empty", [d.seconds / e.seconds for d, e in zip(dev, empty, strict=True)], "", PREVIEW_RATIO
        ),
        Row("ratio of their CPU times", [d.cpu / e.cpu for d, e in zip(dev, empty, strict=True)], ""),
        Row("preview of dev without refresh", [r.seconds for r in unrefreshed]),
        Row("ratio, that to empty", [d.seconds / e.seconds for d, e in zip(unrefreshed, empty, strict=True)], ""),
        Row("make up of dev from nothing, all set up", [u.seconds for u in from_nothing]),
        *_parts(from_nothing),
        Row("second make up, no change", [u.seconds for u in second]),
        *_parts(second, OURS_SECONDS),
        Row("program's CPU", [p.cpu for p in program]),
        Row("CPU of `import pulumi`", [p.cpu for p in bare]),
        Row("program over `import pulumi`", [p.cpu - b.cpu for p, b in zip(program, bare, strict=True)], "s", PROGRAM_SECONDS),
        Row("program's peak memory", [p.memory for p in program], "MB"),
        Row("peak memory of `import pulumi`", [p.memory for p in bare], "MB"),
        Row("ratio, program to `import pulumi`", [p.memory / b.memory for p, b in zip(program, bare, strict=True)], ""),
    ]
    return "\n\n".join(
        [
            f"## Figures\n\n{machine.describe(*_versions(bench))}\n- load before the bench began: {load[0]:.1f}",
            show([*rows, *limits]),
            f"## The whole stack and its peers\n\n{show(peers)}",
            f"## In a Kubernetes cluster\n\n{show([*in_cluster, *planned])}",
            f"## Tenants\n\n{show(of_tenants)}",
            f"## make up, by step\n\n{_by_step(set_up, steps, first, second, built)}",
            f"## Where a preview of dev goes\n\n{_profile(profiled)}",
        ]
    )


def _parts(ups: list[Up], goal: float | None = None) -> list[Row]:
    return [
        Row("Pulumi: until it updates", [u.preview for u in ups], indent=True),
        Row("Pulumi: update", [u.pulumi - u.preview for u in ups], indent=True),
        Row("ours", [u.ours for u in ups], "s", goal, indent=True),
    ]


def _by_step(set_up: float, steps: list[Step], first: Up, second: list[Up], built: list[Step]) -> str:
    def row(name: str, cold: float | None, warm: float | None = None) -> list[str]:
        return [name, "-" if cold is None else f"{cold:.1f} s", "-" if warm is None else f"{warm:.1f} s"]

    def warm(part: str) -> float:
        return float(statistics.median(getattr(u, part) for u in second))

    total = sum(step.seconds for step in built) + set_up + first.seconds
    rows = [
        *(row(f"{s.name}: {s.text}", s.seconds) for s in [*built, *steps, *first.steps]),
        row("the toolchain, before Pulumi (with the steps that it took)", first.before, warm("before")),
        row("Pulumi: until it updates", first.preview, warm("preview")),
        row("Pulumi: update", first.pulumi - first.preview, warm("pulumi") - warm("preview")),
        row("the toolchain, after Pulumi", first.after, warm("after")),
        row("all", total, warm("seconds")),
    ]
    return grid(["step", "cold", "warm (median)"], rows)


def _profile(done: Run) -> str:
    processes = sorted((p for p in done.processes.values() if p.cpu >= 0.01), key=lambda p: p.start)
    rows = [[name_of(p), f"{max(p.start, 0.0):.2f} s", f"{p.end:.2f} s", f"{p.cpu:.2f} s"] for p in processes]
    rows.append(["all, with what the watching adds", "0.00 s", f"{done.seconds:.2f} s", f"{done.cpu:.2f} s"])
    return grid(["process", "from", "to", "CPU"], rows)


def _versions(bench: Bench) -> tuple[str, str]:
    version = bench.clone.pulumi("version").stdout.strip()
    home = bench.clone.root / ".supastack/pulumi-home/plugins"
    folders = sorted(p for p in home.glob("resource-*") if p.is_dir())
    kinds = [f"{p.name.removeprefix('resource-')} ({'stand-in' if (p / 'STAND-IN').exists() else 'official'})" for p in folders]
    return version, ", ".join(kinds)


def _recorder(into: list[Step]) -> Callable[[str, str], AbstractContextManager[announce.Step]]:
    """`announce.step` that also keeps what each step took."""

    @contextmanager
    def step(name: str, text: str) -> Iterator[announce.Step]:
        began = time.monotonic()
        with announce.step(name, text) as current:
            yield current
        if not current.skipped:
            into.append(Step(name, current.text, time.monotonic() - began))

    return step


def _say(text: str) -> None:
    print(f"  bench       {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
