"""The test cluster's own controllers, run on the node: `python -m toolchain.cluster.controllers FOLDER`."""

import sys
import threading
from pathlib import Path

from toolchain.cluster import layout as layouts
from toolchain.cluster.api import Api
from toolchain.cluster.policies.controller import Policies
from toolchain.cluster.volumes import Volumes


def main(folder: Path) -> int:
    """Run until killed."""
    layout = layouts.load(folder)
    assert layout is not None, folder
    api = Api(layout.config / "controllers.kubeconfig")
    threading.Thread(target=Volumes(api, layout.volumes).run, name="volumes").start()
    threading.Thread(target=Policies(api, layout.applied_policies).run, name="policies").start()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
