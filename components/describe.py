"""What the toolchain must get ready for a stack, as JSON: `python -m components.describe --stack NAME --config FILE`.

Exits with 2, and all problems on stderr, when the settings are not right; nothing has been touched then.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from components.plan import Plan, PlanError
from components.services.app import ROLE as APP
from components.setting_types import Target
from components.settings import Settings, SettingsError, load_file

_DEFAULT_REGISTRY = "registry-1.docker.io"


def _registry(reference: str) -> str:
    first = reference.split("/", 1)[0]
    return _DEFAULT_REGISTRY if first in {"docker.io", reference} or "." not in first else first


def _named_by(settings: Settings, role: str) -> str:
    """The setting that an image's reference comes from."""
    if role.startswith(APP):
        return f"{settings.project}:apps.{role.removeprefix(APP)}.image"
    given = settings.given("images")
    for group in ("overrides", "digests"):
        if role in given.get(group, {}):
            return f"{settings.project}:images.{group}.{role}"
    return f"{settings.project}:images.mirror" if given.get("mirror") else f"{settings.project}:release"


def describe(settings: Settings) -> dict[str, Any]:
    """What the stack needs.

    Raises:
        PlanError: the settings ask for something that can't be had.
    """
    plan = Plan(settings)
    images = sorted({(image.role, image.reference, image.kind, image.note) for image in plan.images.values()})
    named = {role: _named_by(settings, role) for role, *_ in images}
    return {
        "target": settings.target.value,
        "needs_docker": settings.target is Target.DOCKER,
        "docker_host": settings.docker.host,
        "cluster": _cluster(plan) if settings.target is Target.KUBERNETES else None,
        "image_source": settings.image_source.value if settings.image_source else None,
        "images": [
            {"role": role, "reference": reference, "kind": kind, "note": note, "setting": named[role]}
            for role, reference, kind, note in images
        ],
        "registries": sorted(
            {_registry(reference) for role, reference, kind, _ in images if kind == "registry" and not role.startswith(APP)}
        ),
        "notes": plan.notes,
        "ports": [{"name": p.name, "port": p.port, "bind": p.bind} for p in plan.ports],
        "env_files": [{"app": app, "path": str(file.path)} for app, file in sorted(settings.env_files.items())],
        **({"tenant_files": plan.tenant_files} if settings.tenants else {}),
    }


def _cluster(plan: Plan) -> dict[str, Any]:
    """Which cluster, and which of its ports `make forward` opens here: those that Docker would publish on this machine."""
    at = plan.settings.kubernetes
    forwards = [
        {"name": port.publish, "service": service, "port": port.number, "local": plan.settings.ports[port.publish]}
        for service, port in plan.published
        if port.publish is not None
    ]
    return {
        "kubeconfig": str(at.kubeconfig),
        "context": at.context,
        "namespace": at.namespace,
        "bind": plan.settings.bind_address,
        "forwards": forwards,
    }


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m components.describe", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--config", required=True, type=Path)
    options = parser.parse_args(argv)
    try:
        found = describe(load_file(options.config, stack=options.stack))
    except (SettingsError, PlanError, OSError) as e:
        print(e, file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
