"""What a stack is, for a person: URLs, env files, images, containers, plugins. Secrets are hidden unless asked for."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from toolchain.context import Context
from toolchain.stack.docker_access import Container
from toolchain.stack.redact import HIDDEN, without_password
from toolchain.stack.state import Output

_LISTS = ("PORTS", "IMAGES", "ENV_FILES", "NOTES")
"""Outputs that are shown in a way of their own."""
_KINDS = {"registry": "real, from a registry", "local": "real, built here", "stub": "stub"}


def render(
    context: Context,
    outputs: Mapping[str, Output],
    containers: list[Container] | None,
    stand_ins: Mapping[str, bool],
    show_secrets: bool,
) -> str:
    """The summary. `containers` None: they can't be asked about. `stand_ins`: plugin -> whether it is a stand-in."""
    blocks = [
        [heading(context, containers)],
        _values(outputs, show_secrets),
        _env_files(context, outputs),
        _images(outputs),
        _containers(containers),
        _plugins(stand_ins),
        [f"  note: {text}" for text in _plain(outputs, "NOTES", [])],
    ]
    if not show_secrets and any(output.secret for output in outputs.values()):
        blocks.append(["  SHOW_SECRETS=1 shows what is hidden."])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def heading(context: Context, containers: list[Container] | None) -> str:
    """One line: is it up, or what of it is not well."""
    needed = [c for c in containers or [] if c.labels.get("supastack.optional") != "true"]
    ill = [c for c in needed if not c.is_well]
    if containers is None:
        word = "is deployed; its containers can't be asked about"
    elif not needed:
        word = "has lost its containers: make up makes them again"
    elif ill:
        word = f"is not well: {len(ill)} of {len(needed)} containers ({', '.join(c.name for c in ill)})"
    else:
        word = "is up"
    return f"Stack {context.stack} {word}."


def shown(output: Output, show_secrets: bool) -> str:
    """An output's value; of a secret only what is no secret: the URL around a password."""
    text = str(output.value)
    if show_secrets or not output.secret:
        # An output that is not marked secret may still be a URL somebody put a password into.
        return text if show_secrets else without_password(text)
    hidden = without_password(text)
    return hidden if "://" in text and hidden != text else HIDDEN


def _values(outputs: Mapping[str, Output], show_secrets: bool) -> list[str]:
    names = [name for name in outputs if name not in _LISTS]
    width = max((len(name) for name in names), default=0)
    return [f"  {name:<{width}}  {shown(outputs[name], show_secrets)}" for name in names]


def _plain(outputs: Mapping[str, Output], name: str, default: Any) -> Any:
    output = outputs.get(name)
    return output.value if output and isinstance(output.value, type(default)) else default


def _env_files(context: Context, outputs: Mapping[str, Output]) -> list[str]:
    return [
        f"  env file of {app}: {path}{'' if path.exists() else ' (missing: make up writes it again)'}"
        for app, path in env_files(context, outputs).items()
    ]


def env_files(context: Context, outputs: Mapping[str, Output]) -> dict[str, Any]:
    """The env files of the stack by app, as absolute paths."""
    return {app: context.root / path for app, path in _plain(outputs, "ENV_FILES", {}).items()}


def _images(outputs: Mapping[str, Output]) -> list[str]:
    images = _plain(outputs, "IMAGES", {})
    if not images:
        return []
    # One image may serve several services; an image counts once.
    kinds = Counter({image["reference"]: image["kind"] for image in images.values()}.values())
    counted = ", ".join(f"{kinds[kind]} {what}" for kind, what in _KINDS.items())
    width = max(len(service) for service in images)
    lines = [
        f"    {service:<{width}}  {i['reference']} ({_KINDS.get(i['kind'], i['kind'])})" for service, i in sorted(images.items())
    ]
    return [f"  images: {counted}", *lines]


def _containers(containers: list[Container] | None) -> list[str]:
    if not containers:
        return []
    width = max(len(c.name) for c in containers)
    lines = []
    for container in containers:
        words = [container.state, *(["optional"] if container.labels.get("supastack.optional") == "true" else [])]
        lines.append(f"    {container.name:<{width}}  {', '.join(words)}")
    return ["  containers:", *lines]


def _plugins(stand_ins: Mapping[str, bool]) -> list[str]:
    if not stand_ins:
        return []
    words = [f"{name} ({'stand-in of this project' if own else 'official'})" for name, own in sorted(stand_ins.items())]
    return [f"  plugins: {', '.join(words)}"]
