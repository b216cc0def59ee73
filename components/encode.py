"""How a value is written where it stands: see `components.service.Encoding`."""

import json
from urllib.parse import quote

from components.service import Encoding


def encode(value: str, encoding: Encoding) -> str:
    """`value` in the form that `encoding` names.

    Raises:
        ValueError: SQL text can't carry a NUL character.
    """
    match encoding:
        case Encoding.RAW:
            return value
        case Encoding.URL:
            return quote(value, safe="")
        case Encoding.JSON | Encoding.YAML:
            # A JSON string is a YAML double-quoted scalar as long as it is ASCII (YAML 1.2, 1.3).
            return json.dumps(value)
        case Encoding.SQL:
            if "\0" in value:
                raise ValueError("an SQL string can't carry a NUL character")
            return "'" + value.replace("'", "''") + "'"
