"""The plugin's program: `python -m toolchain.plugins.kubernetes ADDRESS`, started by the engine."""

import sys

from toolchain.plugins.common.lifetime import end_with_parent

end_with_parent()  # before the imports that take time

from toolchain.plugins.common.official import Official  # noqa: E402
from toolchain.plugins.common.server import serve  # noqa: E402

from .host import Host  # noqa: E402
from .provider import KubernetesProvider  # noqa: E402

official = Official.of("kubernetes")
serve(official.version, KubernetesProvider(official, Host(sys.argv[1])))
