"""Settings of the connection pooler (Supavisor)."""

from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Setting


class PoolMode(str, Enum):
    """How long a client keeps a connection of the pool."""

    TRANSACTION = "transaction"
    SESSION = "session"


@declared
class PoolerSettings(TypedDict):
    """Connection pooler (Supavisor)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
    poolMode: NotRequired[Annotated[PoolMode, Setting(default="transaction")]]
    """How long a client keeps a connection: for a transaction, or for its session."""
    defaultPoolSize: NotRequired[Annotated[int, Setting(default=20, minimum=1, maximum=10000)]]
    """Connections to the database that a pool opens at most; a pool is for one user and mode."""
    maxClientConn: NotRequired[Annotated[int, Setting(default=100, minimum=1, maximum=100000)]]
    """Clients that a pool takes at most."""
    dbPoolSize: NotRequired[Annotated[int, Setting(default=5, minimum=1, maximum=1000)]]
    """Connections that the pooler keeps for its own tables."""
