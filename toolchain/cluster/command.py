"""`make cluster`, `make cluster-down` and `python -m toolchain.cluster`: start, look at and end a cluster."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from toolchain.announce import warn
from toolchain.cluster import layout as layouts
from toolchain.cluster.cluster import default_folder, down, find, up
from toolchain.context import Context


def run(context: Context, arguments: Sequence[str]) -> int:
    """Run `up`, `down` or `status` with its options. Returns the exit code. Raises ToolchainError."""
    options = _parser().parse_args(arguments)
    folder = options.folder or default_folder(context)
    match options.command:
        case "up":
            return _up(context, folder, options)
        case "down":
            found = layouts.load(folder)
            down(folder, purge=options.purge)
            print(
                "no cluster was there"
                if found is None
                else f"the cluster has ended{'' if options.purge else f'; its data is in {folder}'}"
            )
            return 0
        case _:
            return _status(folder)


def _up(context: Context, folder: Path, options: argparse.Namespace) -> int:
    cluster = up(context, folder, reaches_out=not options.alone)
    if options.cnpg:
        cluster.install_cnpg(context)
    if options.images:
        cluster.import_images(options.images)
    print(f"kubeconfig  {cluster.kubeconfig}")
    print(f"context     {cluster.context}")
    print(f"node        {cluster.address}  (node ports and host ports; this machine as pods reach it: {cluster.host_address})")
    print(f"kubectl     {cluster.folder / 'kubectl'} --kubeconfig {cluster.kubeconfig}")
    return 0


def _status(folder: Path) -> int:
    cluster = find(folder)
    if cluster is None:
        print(f"no cluster runs in {folder}")
        return 1
    print(f"kubeconfig  {cluster.kubeconfig} (context {cluster.context}), node {cluster.address}")
    programs = cluster.programs()
    for name, one in programs.items():
        state = "runs" if one["running"] else f"ended with {one['last_exit']}"
        print(f"  {name:<26}{state}, started {one['starts']} times")
    if not all(one["running"] for one in programs.values()):
        warn(f"not all of it runs; its logs: {cluster.layout.logs}")
        return 1
    print(cluster.kubectl("get", "pods", "--all-namespaces", "--output=wide"), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain.cluster", description="A one-node Kubernetes of our own.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in {
        "up": "have it run",
        "down": "end it; its data stays",
        "status": "say what of it runs",
    }.items():
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--folder", type=Path, help="where all of it is kept (default: .supastack/cluster in the clone)")
        if name == "up":
            command.add_argument(
                "--cnpg", action="store_true", help="install the CloudNativePG operator and its operand image too"
            )
            command.add_argument("--alone", action="store_true", help="without a way to the world")
            command.add_argument("--images", nargs="*", metavar="IMAGE", help="images to bring from the Docker daemon")
        if name == "down":
            command.add_argument("--purge", action="store_true", help="remove its data too")
    return parser
