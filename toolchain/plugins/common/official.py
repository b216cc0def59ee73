"""The official plugin that a stand-in stands for."""

import json
import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Official:
    """An official plugin: `name` as in its tokens, `version` without a `v`."""

    name: str
    version: str

    @staticmethod
    def of(name: str) -> "Official":
        """The one that the installed package `pulumi_<name>` asks for, so that its version is pinned once (requirements.txt)."""
        # Looked up, not imported: the package takes longer to import than this plugin to start.
        spec = find_spec(f"pulumi_{name}")
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit(f"the Python package pulumi-{name} is not installed in {sys.prefix}: make activate installs it")
        about = json.loads((Path(spec.submodule_search_locations[0]) / "pulumi-plugin.json").read_text())
        return Official(name, str(about["version"]))

    def explain(self) -> str:
        """Says what a stand-in is and how to come by the official plugin. Ends every refusal."""
        home = os.environ.get("PULUMI_HOME") or "~/.pulumi"
        folder = f"{home}/plugins/resource-{self.name}-v{self.version}"
        return (
            f"This is Supastack's stand-in for the official Pulumi plugin {self.name} {self.version}: it has what Supastack uses."
            f" To get the official one, on a machine that reaches get.pulumi.com: remove {folder},"
            f" then run: pulumi plugin install resource {self.name} {self.version}"
        )
