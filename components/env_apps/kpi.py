"""The KPI dashboard: a Node backend with Prisma on port 3000, and a React frontend on port 3001 (seed 001).

The seed keeps one `.env` at the root of its repository for both: that is `kpi`. `kpi-backend` and `kpi-frontend` are the two halves
for whoever keeps the file beside each; there PORT is that half's own, while in `kpi` it is the backend's.
"""

from types import MappingProxyType
from typing import Final

from components.env_app import App, Group, Variable
from components.env_rules import Rule

_PORTS: Final = MappingProxyType({"app": 3001, "backend": 3000})
"""The frontend is what people open, so it is the app."""

# A managed project's POOLER_URL says so itself; it is not said twice.
_POOLED: Final = "${POOLER_URL.prisma}?pgbouncer=true"
_DIRECT: Final = "${DB_URL.prisma}"

_BACKEND: Final = (
    Group(
        "The backend",
        (
            Variable(key="PORT", value="${BACKEND_PORT}", setting="ports.backend"),
            Variable(key="NODE_ENV", value="development"),
        ),
    ),
    Group(
        "The database: pooled for queries, direct for migrations",
        (
            Variable(key="DATABASE_URL", value=_POOLED, instead=_DIRECT),
            Variable(key="DIRECT_URL", value=_DIRECT),
        ),
    ),
    Group(
        "Tests keep to a schema of their own (supabase.database.testSchema)",
        (
            Variable(key="TEST_SCHEMA", value="${TEST_SCHEMA}", required=False),
            Variable(key="TEST_DATABASE_URL", value="${TEST_DATABASE_URL.prisma}", required=False),
            Variable(key="TEST_DIRECT_URL", value="${TEST_DIRECT_URL.prisma}", required=False),
        ),
    ),
    Group("The cache", (Variable(key="REDIS_URL", value="${REDIS_URL}"),)),
)

_FRONTEND: Final = (
    Variable(key="REACT_APP_API_URL", value="${BACKEND_URL}", rule=Rule.HTTP_URL),
    Variable(key="REACT_APP_ENVIRONMENT", value="development"),
)
_COMMENT: Final = "The frontend. REACT_APP_ values end up in the browser"

KPI: Final = App("kpi", (*_BACKEND, Group(_COMMENT, _FRONTEND)), expands=True, ports=_PORTS)
BACKEND: Final = App("kpi-backend", _BACKEND, expands=True, ports=_PORTS)
FRONTEND: Final = App(
    "kpi-frontend",
    (Group(_COMMENT, (Variable(key="PORT", value="${APP_PORT}", setting="ports.app"), *_FRONTEND)),),
    expands=True,
    ports=_PORTS,
)
