"""The log shipper (Vector): takes the logs of this stack's services, and of no other, to Logflare.

It knows services by the label that the target puts on each, so the stack may be called anything; upstream goes by container names.
Which of Logflare's sources a service belongs to is upstream's (volumes/logs/vector.yml). Its programs were compiled and run with the
remap language's own library (vrl 0.30); the whole was not run, since no image of Vector could be had.
"""

import json
from pathlib import Path
from typing import Final

from components.service import Address, Edge, File, Health, Logs, LogsPart, Part, Port, Secret, Service, Text, text
from components.services.context import Context
from components.services.secret_names import LOGFLARE_PUBLIC_ACCESS_TOKEN

PORT: Final = 9001
CONFIG: Final = "/etc/vector/vector.yml"
SOURCES: Final = {
    "gateway": "cloudflare.logs.prod",
    "auth": "gotrue.logs.prod",
    "rest": "postgREST.logs.prod",
    "realtime": "realtime.logs.prod",
    "functions": "deno-relay-logs",
    "storage": "storage.logs.prod.2",
    "postgres": "postgres.logs",
}
"""Logflare's source by our service."""

_TEMPLATE: Final = (Path(__file__).with_name("files") / "vector.yml").read_text()


def token_variable(c: Context) -> str:
    """Name of the variable that holds the token for Logflare: in upstream's sets of 2024 one was for all."""
    return "LOGFLARE_API_KEY" if c.release.features.legacy_names else "LOGFLARE_PUBLIC_ACCESS_TOKEN"


def vector(c: Context) -> Service:
    """Vector."""
    variable = token_variable(c)
    return Service(
        name="vector",
        image=c.release.image_if_any("vector"),
        # 107 MiB at rest and 120 under load, by `docker stats` in TrailBase's benchmark of a Supabase of June 2024.
        resources=c.memory("vector", 192),
        command=("--config", CONFIG),
        env={variable: text(Secret(LOGFLARE_PUBLIC_ACCESS_TOKEN))},
        files=(File(CONFIG, _config(variable)),),
        ports=(Port("api", PORT),),
        health=Health(("wget", "--no-verbose", "--tries=1", "--spider", f"http://127.0.0.1:{PORT}/health"), retries=3),
        # It keeps what it has until Logflare answers.
        connects=(Edge("analytics"),),
        provides={"vector": "api"},
        optional=True,
        collects_logs=True,
        # How far it has read each log (`data_dir`).
        writable=("/var/lib/vector",),
    )


def _config(variable: str) -> Text:
    """The configuration: the token comes from the environment, so that no secret stands in it."""
    routes = "\n      ".join(f"""{service}: '.appname == "{service}"'""" for service in SOURCES)
    filled: dict[str, list[Part]] = {
        "@SOURCE@": [Logs(LogsPart.SOURCE)],
        "@SERVICE@": [Logs(LogsPart.SERVICE)],
        "@ROUTES@": [routes],
        "@SINKS@": [part for service in SOURCES for part in _sink(service, variable)],
    }
    parts: list[Part] = []
    rest = _TEMPLATE
    for mark, content in filled.items():
        before, found, rest = rest.partition(mark)
        if not found:
            raise ValueError(f"vector.yml: {mark} is missing, or not in its place")
        parts += [before, *content]
    return text(*parts, rest)


def _sink(service: str, variable: str) -> list[Part]:
    """Where a service's logs go, on one line."""
    sink = {
        "type": "http",
        "inputs": [f"{service}_logs"],
        "method": "post",
        "encoding": {"codec": "json"},
        "request": {
            "headers": {"x-api-key": f"${{{variable}?{variable} is required}}"},
            "retry_initial_backoff_secs": 1,
            "retry_max_duration_secs": 30,
        },
        "uri": "http://@/api/logs?source_name=" + SOURCES[service],
    }
    before, after = json.dumps(sink).split("@")
    return [f"{service}: {before}", Address("analytics"), f"{after}\n  "]
