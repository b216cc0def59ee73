"""The plugin's program: `python -m toolchain.plugins.random ENGINE`."""

from toolchain.plugins.common.lifetime import end_with_parent

end_with_parent()

from toolchain.plugins.common.official import Official  # noqa: E402 - the imports take time in which the engine may end
from toolchain.plugins.common.provider import StandIn  # noqa: E402
from toolchain.plugins.common.server import serve  # noqa: E402
from toolchain.plugins.random.resources import RESOURCES  # noqa: E402

official = Official.of("random")
serve(official.version, StandIn(official, RESOURCES))
