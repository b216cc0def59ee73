"""A placement for tests."""

from components import ports
from components.targets.placement import Placement, TargetKind


def placement(**over) -> Placement:
    return {
        "target": TargetKind.DOCKER,
        "project": "supastack",
        "stack": "dev",
        "stack_id": "0123456789abcdef",
        "network": "supastack-dev",
        "bind_address": "127.0.0.1",
        "ports": dict(ports.plan(1)),
        "release": "2026-09",
        "local_images": True,
        **over,
    }
