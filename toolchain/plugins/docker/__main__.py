"""The plugin's program: `python -m toolchain.plugins.docker ADDRESS`, started by the engine."""

from toolchain.plugins.common.lifetime import end_with_parent

end_with_parent()  # before the imports that take time

from toolchain.plugins.common.official import Official  # noqa: E402
from toolchain.plugins.common.server import serve  # noqa: E402

from .provider import DockerProvider  # noqa: E402

official = Official.of("docker")
serve(official.version, DockerProvider(official))
