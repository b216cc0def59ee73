"""Keeps lists of a cluster's objects up to date, and tells when something changed."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from toolchain.announce import ToolchainError
from toolchain.cluster.api import Api

_RETRY_SECONDS = 1.0


class Informer:
    """What is in a list of the API, by a thread of its own."""

    def __init__(self, api: Api, path: str, changed: threading.Event) -> None:
        """`changed` is set at each change; several may share one."""
        self.synced = threading.Event()
        self._api = api
        self._path = path
        self._changed = changed
        self._lock = threading.Lock()
        self._objects: dict[str, dict[str, Any]] = {}
        threading.Thread(target=self._follow, name=f"informer {path}", daemon=True).start()

    def objects(self) -> list[dict[str, Any]]:
        """The objects as they are now."""
        with self._lock:
            return list(self._objects.values())

    def _follow(self) -> None:
        while True:
            try:
                found = self._api.get(self._path)
                with self._lock:
                    self._objects = {one["metadata"]["uid"]: one for one in found["items"]}
                self.synced.set()
                self._changed.set()
                version = found["metadata"]["resourceVersion"]
                # The server ends a watch now and then, with nothing wrong: the next begins where it ended.
                while version:
                    version = self._watch(version)
            except ToolchainError as error:
                print(error, flush=True)
            time.sleep(_RETRY_SECONDS)

    def _watch(self, version: str) -> str:
        for event in self._api.watch(self._path, version):
            if event["type"] == "ERROR":
                # Mostly the version is too old: listed again.
                return ""
            version = event["object"]["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._take(event)
        return version

    def _take(self, event: Mapping[str, Any]) -> None:
        uid = event["object"]["metadata"]["uid"]
        with self._lock:
            if event["type"] == "DELETED":
                self._objects.pop(uid, None)
            else:
                self._objects[uid] = event["object"]
        self._changed.set()
