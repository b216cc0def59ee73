"""After a failed up: which images could not be had, which containers are not well, the end of their logs, and what to do next."""

import sys
from collections.abc import Sequence

from toolchain.announce import ToolchainError
from toolchain.context import Context
from toolchain.stack.describe import Image
from toolchain.stack.docker_access import Container, Daemon, connect
from toolchain.stack.engine import Engine
from toolchain.stack.redact import Redactor

LINES = 20
PUBLISHED = frozenset({"postgres"})
"""The database's password by `compat: cli` (components.cli_keys): the Supabase CLI's, in its manual."""


def explain(context: Context, images: Sequence[Image] = ()) -> None:
    """Print a diagnosis to stderr; `images`: those that the stack uses. Never raises: a failure here must not hide the one it explains."""
    try:
        text = _explained(context, images)
    except ToolchainError as error:
        text = f"  nothing more can be said about the containers: {error}"
    print(f"\n{text}", file=sys.stderr, flush=True)


def _explained(context: Context, images: Sequence[Image]) -> str:
    engine = Engine(context)
    state = engine.read_state(show_secrets=True)
    stack_id = state.stack_id if state else None
    if state is None or stack_id is None:
        return "  Nothing was made yet. What pulumi says above is the whole of it."
    # What the Supabase CLI gives every local stack is a word of every log; who chose the same for himself, chose a secret.
    redact = Redactor([*(state.secrets() - PUBLISHED), *engine.secret_config()])
    with connect(context) as daemon:
        ill = [c for c in daemon.containers(stack_id=stack_id) if is_ill(c)]
        if missing := missing_images(images, daemon):
            # The cause is known; nobody has waited for the others yet.
            ill = [c for c in ill if c.health != "starting"]
        blocks = [*([missing] if missing else []), *(describe(container, daemon, redact) for container in ill)]
    if missing and not ill:
        return (
            f"{missing}\n\n  All containers that there are are well, or still starting. Mend it and run `{context.again}` again."
        )
    if not ill:
        return (
            "  All containers of the stack are well, so it is not one of them. What pulumi says above is the cause;\n"
            f"  mend it and run `{context.again}` again: it goes on from where it stopped."
        )
    return "\n\n".join([*blocks, advice(context, ill)])


def missing_images(images: Sequence[Image], daemon: Daemon) -> str:
    """The images that the daemon has not got, each with the setting that names it; empty where it has them all."""
    lines = [
        f"  - {image.reference}: the image of {image.role}, by {image.setting}"
        for image in images
        if not daemon.has_image(image.reference)
    ]
    return (
        "\n".join(["  Images that are not there, since they could not be had or the up ended before:", *lines]) if lines else ""
    )


def is_ill(container: Container) -> bool:
    """Whether it may be the cause: unhealthy or not yet healthy, restarting, dead, never started, ended with an error."""
    return not container.is_well


def describe(container: Container, daemon: Daemon, redact: Redactor) -> str:
    """One container's state, last health check and last log lines, without secrets."""
    # An image given by its id tells a person nothing.
    image = "" if container.image.startswith("sha256:") else f"   (image {container.image})"
    lines = [f"  {container.name}: {container.state}{image}"]
    if container.out_of_memory:
        lines.append("    it was killed for using more memory than its limit")
    if container.error:
        lines.append(f"    the daemon says: {redact(container.error)}")
    if container.last_check:
        lines.append(f"    last failed health check: {redact(container.last_check)[-400:]}")
    log = redact(daemon.last_lines(container.id, LINES)).strip()
    lines.append(f"    last {LINES} log lines:" if log else "    it has logged nothing")
    lines += [f"    | {line}" for line in log.splitlines()]
    return "\n".join(lines)


def advice(context: Context, ill: list[Container]) -> str:
    """What to do next."""
    first = ill[0]
    lines = ["  What to do next:"]
    if any(c.out_of_memory for c in ill):
        lines.append("  - raise the memory setting of the container that was killed for it")
    lines += [f"  - let it run again: docker unpause {c.name}" for c in ill if c.status == "paused"]
    lines += [
        f"  - see the whole log: docker logs {first.name}",
        f"  - mend the cause (a setting in Pulumi.{context.base_stack}.yaml, a full disk, a port), then `{context.again}`:",
        "    it repairs what is not well, or fails again; data stays as it is",
    ]
    return "\n".join(lines)
