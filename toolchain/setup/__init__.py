"""Sets up whatever a command needs and is missing: private folder, engine, plugins, Docker, local images."""

from collections.abc import Callable
from dataclasses import dataclass

from toolchain.context import Context


@dataclass(frozen=True)
class Needs:
    """What a command needs to be set up."""

    plugins: tuple[str, ...] = ()
    """Provider plugins by name."""
    docker: bool = False
    """A Docker daemon that answers."""
    docker_host: str | None = None
    """The daemon that the stack's settings name."""
    docker_in_use: Callable[[Context], bool] = lambda _: False
    """Whether the stack has objects on the daemon of its last `up`, so that no other one will do."""
    docker_binaries: bool = False
    """Docker's programs, for a daemon that the caller starts himself."""
    images: tuple[str, ...] = ()
    """References of images to be built here (`supastack.local/postgres:17`)."""


def ensure(context: Context, needs: Needs) -> Context:
    """Set up what is missing. Returns the context with engine, plugins and Docker host in it. Raises ToolchainError."""
    from toolchain.setup import docker, docker_start, engine, folders, plugins

    folders.ensure_private(context)
    context = engine.ensure(context)
    context = plugins.ensure(context, needs.plugins)
    if needs.docker_binaries:
        docker_start.ensure_binaries("the tests run a Docker daemon of their own", for_tests=True)
    if needs.docker:
        context = docker.ensure(context, needs.docker_host, needs.docker_in_use)
    if needs.images:
        from toolchain import images
        from toolchain.announce import step

        images.ensure(list(needs.images), None, step, context.env)
    return context
