"""The test cluster's own controllers, run on the node: `python -m toolchain.cluster.controllers FOLDER`."""

import sys
from pathlib import Path

from toolchain.cluster import layout as layouts
from toolchain.cluster.api import Api
from toolchain.cluster.volumes import Volumes


def main(folder: Path) -> int:
    """Run until killed."""
    layout = layouts.load(folder)
    assert layout is not None, folder
    api = Api(layout.config / "controllers.kubeconfig")
    Volumes(api, layout.volumes).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
