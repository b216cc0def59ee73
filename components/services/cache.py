"""The cache: Valkey or Redis, which take the same configuration file and commands."""

from components.service import File, Health, Image, Port, Resources, Secret, Service, Text, Volume, text
from components.setting_types import CacheEngine

PORT = 6379
PASSWORD = "password"  # the secret's name, not its value


def _configuration(max_memory: int, eviction_policy: str, append_only: bool, append_fsync: str) -> Text:
    return text(
        "dir /data\n",
        "bind * -::*\n",
        f"port {PORT}\n",
        f"maxmemory {max_memory}\n",
        f"maxmemory-policy {eviction_policy}\n",
        f"appendonly {'yes' if append_only else 'no'}\n",
        f"appendfsync {append_fsync}\n",
        # A password in a file, as one in the arguments would show in the list of processes.
        "requirepass ",
        Secret(PASSWORD),
        "\n",
    )


def cache(
    engine: CacheEngine,
    image: Image,
    *,
    memory_mib: int,
    max_memory: int,
    eviction_policy: str,
    append_only: bool,
    append_fsync: str,
) -> Service:
    """The cache server.

    Args:
        engine: Valkey or Redis.
        image: The engine's image.
        memory_mib: Memory limit in MiB of the container: above it the kernel ends the server.
        max_memory: What the data may take, in bytes; above it the eviction policy acts.
        eviction_policy: One of Redis' `maxmemory-policy` words.
        append_only: Whether each write is kept in the append-only file.
        append_fsync: When that file is forced to disk: `always`, `everysec` or `no`.
    """
    path = "/etc/supastack/cache.conf"
    return Service(
        name=engine.value,
        image=image,
        resources=Resources(memory_mib=memory_mib),
        command=(f"{engine.value}-server", path),
        # Both engines' command line clients read it.
        env={"REDISCLI_AUTH": text(Secret(PASSWORD))},
        files=(File(path, _configuration(max_memory, eviction_policy, append_only, append_fsync)),),
        ports=(Port("redis", PORT, publish="cache"),),
        volumes=(Volume("data", "/data", precious=True, size_mib=1024),),
        # By exit code the clients call a refused PING a success: look at the answer.
        health=Health(("sh", "-c", f'test "$({engine.value}-cli ping)" = PONG'), interval=2, retries=15, start_period=5),
        provides={"redis": "redis"},
        # With the append-only file turned on over a plain dump, or off again, a server starts without the data of the other form.
        identity=engine.value if append_only else f"{engine.value}-without-append-only-file",
        stop_grace=30,
    )
