"""The outputs that tell of the tests' schema: TEST_SCHEMA, TEST_DATABASE_URL and TEST_DIRECT_URL. Pure."""

from collections.abc import Mapping
from typing import Final

from components.managed import POOLED
from components.service import Text, text

NAMES: Final = ("TEST_SCHEMA", "TEST_DATABASE_URL", "TEST_DIRECT_URL")
"""All there can be."""
PARAMETER: Final = "schema"
"""Prisma's word in a connection URL (Prisma reference, "PostgreSQL connector"). libpq and what is made of it refuse a URL with it, and
set the schema by a statement of theirs; libpq's own way (`options=-csearch_path=...`) is one that poolers in transaction mode drop, and
that Prisma does not read. Who tests with something else has TEST_SCHEMA."""


def outputs(schema: str | None, urls: Mapping[str, Text]) -> dict[str, Text]:
    """The outputs, by name; nothing where no schema is the tests'.

    Args:
        schema: Its name, which needs no encoding; None: there is none.
        urls: The outputs DB_URL and POOLER_URL, as far as they are there. Without a pooler both tests' URLs lead to the database itself.
    """
    if schema is None or "DB_URL" not in urls:
        return {}
    direct = _with(urls["DB_URL"], f"{PARAMETER}={schema}")
    # Only Prisma reads a URL with its word in it, so it can be told of the pooler on every target.
    pooled = _with(urls["POOLER_URL"], POOLED, f"{PARAMETER}={schema}") if "POOLER_URL" in urls else direct
    return {"TEST_SCHEMA": text(schema), "TEST_DATABASE_URL": pooled, "TEST_DIRECT_URL": direct}


def _with(url: Text, *words: str) -> Text:
    """The URL with further words in its query, each once."""
    # A question mark begins the query: those in passwords are percent-encoded.
    asked = "".join(part for part in url.parts if isinstance(part, str)).partition("?")[2]
    missing = [word for word in words if word not in asked.split("&")]
    return text(*url.parts, f"{'&' if asked else '?'}{'&'.join(missing)}") if missing else url
