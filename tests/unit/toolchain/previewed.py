"""A clone whose pull requests' stacks are laid over `Pulumi.preview.yaml`."""

from typing import Any

import pytest
import yaml

from tests.unit.toolchain.conftest import Machine
from toolchain.announce import ToolchainError

DOCKER = {"supastack:target": "docker", "supastack:ports": "auto"}


def based(machine: Machine) -> Machine:
    """The machine's clone, with a base for previews."""
    (machine.root / "Pulumi.yaml").write_text("name: supastack\nruntime: python\n")
    stack(machine, "preview", DOCKER)
    return machine


def stack(machine: Machine, name: str, config: dict[str, Any], **top: Any) -> None:
    """Write the file of a stack."""
    (machine.root / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({**top, "config": config}))


def refused(match: str) -> Any:
    """What a test expects of a preview that would come near another stack."""
    return pytest.raises(ToolchainError, match=match)
