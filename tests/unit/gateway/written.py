"""A rendered configuration as data: each reference as a text that tells it."""

import json

from components.service import Address, AddressPart, Encoding, Secret, Text


def raw(text: Text) -> str:
    """The text, with `<secret-name>` for secrets and `<capability.host>` and 4711 for addresses."""
    parts = []
    for part in text.parts:
        if isinstance(part, Secret):
            assert part.encoding is Encoding.JSON
            parts.append(json.dumps(f"<{part.name}>"))
        elif isinstance(part, Address):
            parts.append({AddressPart.HOST: f"<{part.capability}.host>", AddressPart.PORT: "4711"}[part.part])
        else:
            parts.append(part)
    return "".join(parts)


def data(text: Text):
    """The JSON that the text is."""
    return json.loads(raw(text))
