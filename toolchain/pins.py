"""Versions of what the toolchain downloads or builds. Python packages are pinned in requirements.txt instead."""

ENGINE_FLOOR = "3.258.0"
"""The oldest Pulumi engine this project was run with; a `pulumi` on PATH must be at least this."""

ENGINE_DOWNLOAD = "3.272.0"
"""The engine taken from get.pulumi.com: the same release as the `pulumi` package in requirements.txt."""

ENGINE_MODULE = "3.258.0"
"""The engine built from Go module github.com/pulumi/pulumi/pkg/v3 (toolchain/engine/go.mod requires the same)."""

LANGUAGE_HOST_MODULE = "3.79.0"
"""The Python language host built from github.com/pulumi/pulumi/sdk/v3: the last version that carries it."""

HELPERS_MODULE = "3.272.0"
"""The sdk module whose helper scripts of the Python host are used: the release of the `pulumi` package."""

GO_FLOOR = "1.25.11"
"""What toolchain/engine/go.mod asks for. Go 1.21 and later fetch that toolchain by themselves where they are older."""

GO_BOOTSTRAP_FLOOR = "1.21"
"""The oldest Go that can fetch the toolchain a go.mod asks for."""

PIP_TOOLS = "pip-tools==7.*"
"""What `make lock` makes requirements.txt with."""

PLUGINS = {"docker": "pulumi-docker", "random": "pulumi-random", "kubernetes": "pulumi-kubernetes"}
"""Provider plugins and the Python package whose version each must have."""

STAND_INS = ("docker", "kubernetes", "random")
"""Plugins that toolchain/plugins can stand in for, where the official one can't be had."""

HELPERS_SUM = "h1:MoJElH3Y/VwV1tfTVNCh2BJuc3HxB7OPmvvYzaDe89c="
"""Go's checksum of that module, from the Go checksum database."""


def version_tuple(version: str) -> tuple[int, ...]:
    """`3.258.0` as (3, 258, 0), to be compared."""
    return tuple(int(part) for part in version.split("."))
