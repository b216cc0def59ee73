"""JSON with symbolic references in it: sound for any value that a secret may have, since each stands as a string of its own.

It is YAML, too: by their names, Envoy and Kong read it as that.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from components.encode import json_string
from components.service import Address, AddressPart, Encoding, Secret, Text, text

Json = str | int | bool | None | Secret | Address | Sequence["Json"] | Mapping[str, "Json"]
"""What can be written: JSON, and references where a value stands."""


def json_text(value: Json) -> Text:
    """`value` as JSON text, indented for people who look into the container.

    Raises:
        ValueError: a secret stands there in another encoding than JSON.
    """
    parts: list[str | Secret | Address] = []
    for part in (*_parts(value, "\n"), "\n"):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return text(*parts)


def _parts(value: Json, margin: str) -> Iterator[str | Secret | Address]:
    match value:
        case Secret():
            if value.encoding is not Encoding.JSON:
                raise ValueError(f"secret {value.name} stands in JSON encoded as {value.encoding.value}")
            yield value
        case Address(part=AddressPart.PORT):
            yield value
        case Address():
            yield '"'
            yield value
            yield '"'
        case Mapping():
            yield from _items("{", "}", ((f"{json_string(k)}: ", v) for k, v in value.items()), margin)
        case list() | tuple():
            yield from _items("[", "]", (("", v) for v in value), margin)
        case str():
            yield json_string(value)
        case _:
            yield json.dumps(value)


def _items(begin: str, end: str, items: Iterator[tuple[str, Json]], margin: str) -> Iterator[str | Secret | Address]:
    inner = f"{margin} "
    yield begin
    comma = ""
    for label, value in items:
        yield f"{comma}{inner}{label}"
        yield from _parts(value, inner)
        comma = ","
    yield f"{margin}{end}" if comma else end
