"""The preview of seed 004's stack with one tenant and with many: as `make bench` does, or alone by `python -m bench.tenants`."""

import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench.run import FailedRunError
from bench.table import Row, show
from tests.integration.clone import Clone

COUNTS = (1, 200)
RATIO = 3.0
STACK = "monopilot"
SHARED = "monopilotsharedprojx"

_MEASURED = """
import resource, subprocess, sys, time
began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


class _Nowhere:
    """No daemon: the stack runs nothing."""

    host = "unix:///nowhere/docker.sock"


class _Stack:
    """The shipped stack in a clone, with as many tenants as are asked for; each tenth has a project of its own."""

    def __init__(self, folder: Path) -> None:
        nowhere: Any = _Nowhere()
        self.clone = Clone(folder, nowhere)
        self.clone.copy()
        self.file = self.clone.root / f"Pulumi.{STACK}.yaml"
        self.shipped = yaml.safe_load(self.file.read_text())
        self.clone.make("activate", inside=False, STACK=STACK)

    def have(self, count: int) -> None:
        """Gives the stack so many tenants, with their secrets, and brings it up."""
        tenants: list[dict[str, Any]] = []
        secrets = {"databasePassword": "made-up-Password1", "cachePassword": "made-up-Password2", **_keys(SHARED)}
        for n in range(count):
            tenant: dict[str, Any] = {"id": f"org_{n}", "name": f"Tenant {n}"}
            if n % 10 == 9:
                ref = _ref(n)
                tenant |= {"tier": "enterprise", "project": {"ref": ref, "poolerHost": "aws-1-eu-west-1.pooler.supabase.com"}}
                own = {"databasePassword": f"made-up-{n}-Password", **_keys(ref)}
                secrets |= {f"tenantSecrets.org_{n}.{name}": value for name, value in own.items()}
            tenants.append(tenant)
        self.shipped["config"]["supastack:tenants"] = tenants
        self.file.write_text(yaml.safe_dump(self.shipped, sort_keys=False))
        self._give(secrets)
        self.run("up", "--yes", "--skip-preview")

    def _give(self, secrets: dict[str, str]) -> None:
        self.clone.run(
            "bash",
            "-c",
            ". .supastack/activate && pulumi config rm supastack:tenantSecrets --stack monopilot || true",
            inside=False,
        )
        words = [word for name, value in secrets.items() for word in ("--secret", f"supastack:{name}={value}")]
        command = '. .supastack/activate && pulumi config set-all --path --stack monopilot "$@"'
        self.clone.run("bash", "-c", command, "pulumi", *words, inside=False)

    def run(self, *arguments: str) -> tuple[float, float, float]:
        """Runs Pulumi: seconds, CPU seconds, and the peak of the largest process in MB."""
        shell = f'. .supastack/activate && exec {sys.executable} -c "$MEASURED" pulumi "$@" --stack {STACK} --non-interactive'
        done = self.clone.run("bash", "-c", shell, "pulumi", *arguments, inside=False, MEASURED=_MEASURED).stdout.split("\n")
        code, seconds, cpu, memory = [line for line in done if line][-1].split()
        if code != "0":
            raise FailedRunError(f"pulumi {arguments[0]} ended with {code}")
        return float(seconds), float(cpu), float(memory)


def _ref(n: int) -> str:
    return "tenantofthebench" + "".join(chr(ord("a") + int(digit)) for digit in f"{n:04}")


def _keys(ref: str) -> dict[str, str]:
    def key(role: str) -> str:
        parts = (
            {"alg": "HS256", "typ": "JWT"},
            {"iss": "supabase", "ref": ref, "role": role, "iat": 1_700_000_000, "exp": 2_000_000_000},
        )
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
        return ".".join([*encoded, base64.urlsafe_b64encode(f"{role} of {ref}, made up".encode()).rstrip(b"=").decode()])

    return {"anonKey": key("anon"), "serviceRoleKey": key("service_role")}


def measure(folder: Path, repetitions: int, say: Callable[[str], None]) -> list[Row]:
    """Time, CPU and memory of a preview without a change, and of the up that made the tenants, by their number."""
    stack = _Stack(folder / "tenants")
    previews: dict[int, list[tuple[float, float, float]]] = {}
    ups: dict[int, float] = {}
    for count in COUNTS:
        say(f"tenants: {count}")
        began = time.monotonic()
        stack.have(count)
        ups[count] = time.monotonic() - began
        stack.run("preview")  # the first warms the caches
        previews[count] = [stack.run("preview") for _ in range(repetitions)]
    least, most = COUNTS[0], COUNTS[-1]
    names = ("preview with {} tenants", "its CPU", "peak memory of its largest process")
    rows = []
    for count in COUNTS:
        for place, (name, unit) in enumerate(zip(names, ("s", "s", "MB"), strict=True)):
            rows.append(Row(name.format(count), [one[place] for one in previews[count]], unit, indent=place > 0))
    for place, name in enumerate((f"ratio, preview with {most} to {least}", "ratio of their CPU times", "ratio of their memory")):
        pairs = zip(previews[least], previews[most], strict=True)
        rows.append(Row(name, [b[place] / a[place] for a, b in pairs], "", RATIO, indent=place > 0))
    rows += [Row(f"config and up that made {count}", [ups[count]]) for count in COUNTS]
    return rows


def main() -> int:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="supastack-bench-") as folder:
        try:
            print(show(measure(Path(folder), 3, lambda text: print(f"  bench       {text}", file=sys.stderr, flush=True))))
        except (FailedRunError, subprocess.SubprocessError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
