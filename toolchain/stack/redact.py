"""Takes secrets out of text that a person will see."""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "******"
_PASSWORD_IN_URL = re.compile(r"(?P<before>\w[\w+.-]*://[^\s:/@]*:)[^\s/]*(?P<after>@)")


class Redactor:
    """Replaces every one of the secrets, in the spellings that logs use: plain, percent, JSON, base64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        # The longest first, since one secret may be part of another.
        ordered = sorted(spellings, key=lambda s: (-len(s), s))
        self._pattern = re.compile("|".join(re.escape(s) for s in ordered)) if ordered else None

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        if self._pattern:
            text = self._pattern.sub(HIDDEN, text)
        return without_password(text)


def without_password(text: str) -> str:
    """The text with the password of every URL in it hidden."""
    return _PASSWORD_IN_URL.sub(rf"\g<before>{HIDDEN}\g<after>", text)


def _spellings(secret: str) -> set[str]:
    found = set()
    # Logs come line by line, so a secret of many lines (a key file) is searched for by line as well.
    lines = [line.strip() for line in secret.splitlines() if len(line.strip()) >= 8] if "\n" in secret else []
    for text in (secret, secret.strip(), *lines):
        if text:
            found |= {text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]}
            if len(text) >= 6:
                # What base64 makes of it at the start of a text; elsewhere it is another text altogether.
                found.add(base64.b64encode(text.encode()).decode().rstrip("="))
                found.add(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))
    return found
