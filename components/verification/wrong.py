"""Why an endpoint did not answer as it must."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote


class Wrong(Exception):
    """An endpoint is not as the settings say.

    Attributes:
        reason: What is wrong, after "it" or a noun of its own.
        fix: What to do.
        setting: The setting that is wrong; None: the one that names the endpoint.
        password: Whether it is the password, which others might be asked with too.
        silent: Whether nobody answered, as nobody answers whom he has banned.
    """

    def __init__(
        self, reason: str, fix: str, setting: str | None = None, *, password: bool = False, silent: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.fix, self.setting, self.password, self.silent = reason, fix, setting, password, silent


def told(endpoint: Mapping[str, Any], wrong: Wrong) -> str:
    """One line for people: the endpoint, the setting, why, and what to do. No secret of the endpoint is in it."""
    said = (
        f"verify: {endpoint['what']} ({endpoint['at']}): {wrong.reason} "
        f"[{wrong.setting or endpoint['setting']}]. Fix: {wrong.fix}"
    )
    return without(said, (value for name, value in endpoint.items() if name in SECRET))


SECRET = ("password", "secret_key", "key")
"""Names under which an endpoint holds a secret."""


def without(text: str, secrets: Iterable[object]) -> str:
    """The text without the secrets: a server may repeat what it was sent, as it is or in a URL."""
    for secret in secrets:
        if isinstance(secret, str) and secret:
            for form in {secret, quote(secret, safe=""), repr(secret)[1:-1]}:
                text = text.replace(form, "(hidden)")
    return " ".join(text.split())
