"""The outputs that tell of the tests' schema: TEST_SCHEMA, TEST_DATABASE_URL and TEST_DIRECT_URL. Pure."""

from collections.abc import Mapping
from typing import Final

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
    direct = urls["DB_URL"]
    return {
        "TEST_SCHEMA": text(schema),
        "TEST_DATABASE_URL": _within(schema, urls.get("POOLER_URL", direct)),
        "TEST_DIRECT_URL": _within(schema, direct),
    }


def _within(schema: str, url: Text) -> Text:
    # No other part has a question mark: passwords are percent-encoded.
    asked = any(isinstance(part, str) and "?" in part for part in url.parts)
    return text(*url.parts, f"{'&' if asked else '?'}{PARAMETER}={schema}")
