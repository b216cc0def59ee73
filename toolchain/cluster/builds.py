"""The cluster's programs, built from their Go modules: once, kept in the cache by their pins."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from toolchain.announce import fail, step
from toolchain.cluster import pins
from toolchain.context import Context
from toolchain.setup.engine_build import go_problem
from toolchain.setup.folders import cached, key_of
from toolchain.setup.system import run

_FOLDER = Path(__file__).resolve().parent / "programs"
_VERSION = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = pins.KUBERNETES.split(".")
_KUBERNETES = f"-X {_VERSION}.gitVersion=v{pins.KUBERNETES} -X {_VERSION}.gitMajor={_MAJOR} -X {_VERSION}.gitMinor={_MINOR}"

PROGRAMS: dict[str, dict[str, str]] = {
    "pause": {"pause": "."},
    "etcd": {"etcd": "go.etcd.io/etcd/server/v3"},
    "kubernetes": {
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubelet",
            "kubectl",
        )
    },
    "coredns": {"coredns": "."},
    "cnpg": {"manager": "github.com/cloudnative-pg/cloudnative-pg/cmd/manager"},
}
"""Packages by the program they become, by the module under toolchain/cluster/programs whose go.mod pins them."""


def node_programs(context: Context) -> Path:
    """A folder with all programs of a cluster but CloudNativePG's, built where it is not in the cache. Raises ToolchainError."""
    modules = ["pause", "etcd", "kubernetes", "coredns"]
    key = key_of(*(_key(name) for name in modules))
    folder = context.cache / f"cluster-{key}"

    def link(target: Path) -> None:
        for name in modules:
            for program in _ensure(context, name).iterdir():
                # One file, two names: each module's folder is kept, so that one with a new pin does not build the others again.
                os.link(program, target / program.name)

    return cached(folder, link)


def cnpg_manager(context: Context) -> Path:
    """CloudNativePG's manager, built where it is not in the cache. Raises ToolchainError."""
    return _ensure(context, "cnpg") / "manager"


def cnpg_release() -> str:
    """The operator's manifests as its module carries them."""
    dependency = "github.com/cloudnative-pg/cloudnative-pg"
    folder = run(["go", "list", "-m", "-f", "{{.Dir}}", dependency], f"finding {dependency}", cwd=_FOLDER / "cnpg", env=_env())
    return (Path(folder.strip()) / "releases" / f"cnpg-{pins.CNPG}.yaml").read_text()


def module_files(context: Context, module: tuple[str, str, str], pattern: str) -> Path:
    """A folder with the files of a Go module that a pattern names, fetched where it is not in the cache. Raises ToolchainError."""
    path, version, expected = module
    folder = context.cache / f"cluster-files-{key_of(path, version, expected, pattern)}"

    def make(target: Path) -> None:
        with step("cluster", f"fetch {path} {version}"):
            output = run(["go", "mod", "download", "-json", f"{path}@{version}"], f"fetching {path}", cwd=target, env=_env())
            # Lines about the download itself may precede the JSON.
            about = json.JSONDecoder().raw_decode(output, output.index("{"))[0]
            if about.get("Sum") != expected:
                fail(f"{path} {version} has the checksum {about.get('Sum')}, expected {expected}. Nothing of it was used.")
            for file in Path(about["Dir"]).glob(pattern):
                shutil.copyfile(file, target / file.name)

    return cached(folder, make)


def _key(name: str) -> str:
    folder = _FOLDER / name
    pinned = sorted([*folder.glob("go.*"), *folder.glob("*.go")])
    return key_of(*pinned, repr(PROGRAMS[name]), _KUBERNETES, os.uname().machine)


def _ensure(context: Context, name: str) -> Path:
    folder = context.cache / f"cluster-{name}-{_key(name)}"
    if folder.exists():
        return folder
    problem = go_problem()
    if problem:
        fail(
            f"The test cluster's programs are built from their Go modules, and {problem}. Install Go (https://go.dev/dl), or use a"
            " cluster that you have: KUBECONFIG and SUPASTACK_TEST_CONTEXT choose it for tests."
        )

    def make(target: Path) -> None:
        for program, package in PROGRAMS[name].items():
            with step("cluster", f"build {program} from its Go module") as current:
                _build(_FOLDER / name, package, target / program, current.progress)
                current.done(f"built {program} from its Go module")

    return cached(folder, make)


def _build(module: Path, package: str, target: Path, progress: Callable[[str], None]) -> None:
    counts = {"Go modules fetched": 0, "packages built": 0}

    def on_line(line: str) -> None:
        what = "Go modules fetched" if line.startswith("go: downloading") else "packages built"
        if line and (what == "Go modules fetched" or " " not in line):
            counts[what] += 1
            progress(f"{counts[what]} {what}")

    ldflags = f"-s -w {_KUBERNETES if module.name == 'kubernetes' else ''}".strip()
    command = ["go", "build", "-v", "-mod=readonly", "-trimpath", "-ldflags", ldflags, "-o", str(target), package]
    run(command, f"building {target.name}", cwd=module, env=_env(), on_line=on_line)


def _env() -> dict[str, str]:
    # Static programs, the modules as pinned, whatever the user's own Go settings say. go.sum checks what is downloaded.
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
