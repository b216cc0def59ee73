"""Redis Commander: a web page on the cache.

What it can reach is in a file of its configuration folder. Its environment has variables for that, too, but its start script hands
REDIS_PASSWORD on as an argument, and takes REDIS_HOSTS apart at colons and commas (docker/entrypoint.sh of the npm package 0.9.0).
"""

from typing import Final

from components.service import Address, AddressPart, Edge, Encoding, File, Image, Port, Resources, Secret, Service, text
from components.services import node
from components.services.cache import PASSWORD

PORT: Final = 8081
USER: Final = "admin"
_HOME: Final = "/redis-commander"


def redis_commander(image: Image) -> Service:
    """The page. Its login is `admin` with the cache's password: without one it would open the cache to everybody on the machine."""
    return Service(
        name="redis-commander",
        image=image,
        # Our choice: it took 67 MiB when it was run with one key to show.
        resources=Resources(memory_mib=128),
        env={
            "HTTP_PASSWORD": text(Secret(PASSWORD)),
            "HTTP_USER": text(USER),
            "NODE_ENV": text("production"),
        },
        files=(
            # The name that the start script would give to a file of its own.
            File(
                f"{_HOME}/config/local-production.json",
                text(
                    '{"connections":[{"label":"cache","host":"',
                    Address("redis", AddressPart.HOST),
                    '","port":',
                    Address("redis", AddressPart.PORT),
                    ',"password":',
                    Secret(PASSWORD, Encoding.JSON),
                    ',"dbIndex":0}]}\n',
                ),
            ),
        ),
        ports=(Port("http", PORT, publish="redisCommander"),),
        health=node.health(f"{_HOME}/bin/healthcheck.js", start_period=30, timeout=5),
        connects=(Edge("redis"),),
        provides={"redis-commander": "http"},
        optional=True,
    )
