"""How a value is written where it stands: see `components.service.Encoding`."""

import json
import re
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
        case Encoding.JSON:
            return json_string(value)
        case Encoding.SQL:
            if "\0" in value:
                raise ValueError("an SQL string can't carry a NUL character")
            return "'" + value.replace("'", "''") + "'"


def json_string(value: str) -> str:
    """`value` as a JSON string that is a YAML double-quoted scalar with the same meaning, too.

    Gateways read such files as YAML. There an escape is one character (YAML 1.2, 5.7), so JSON's pairs of escapes for what
    lies beyond U+FFFF would be two wrong ones: those characters stand as they are. What YAML can't show (5.1) or might take for the end
    of a line is escaped.
    """
    return re.sub("[\x7f-\uffff]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
