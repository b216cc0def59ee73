"""An endpoint as the engine hands it over."""

from collections.abc import Mapping
from typing import Any


class Given(dict[str, Any]):
    """An endpoint. What is missing is None: the engine hands no null on. It knows one kind of number, and the port is whole here."""

    def __init__(self, endpoint: Mapping[str, Any]) -> None:
        super().__init__(endpoint)
        if "port" in self:
            self["port"] = int(self["port"])

    def __missing__(self, key: str) -> None:
        return None
