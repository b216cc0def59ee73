"""Requests to the API server.

On urllib3, not on the `kubernetes` package: a client of that one takes 0.5 s of CPU to import (37.0.2, its generated models), urllib3
0.05 s, and the plugin starts anew in every run. Objects are plain dicts either way.
"""

import base64
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

from toolchain.plugins.common.errors import UserError

from .kubeconfig import Access
from .objects import Object, pluck

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"

_AT_ONCE = 64
"""Connections kept: as many as the engine's parallel requests."""

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _INVALID = 400, 403, 404, 409, 422


class Unreachable(UserError):
    """The API server does not answer."""


class ApiError(Exception):
    """The API server's refusal (metav1.Status)."""

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.status = status
        super().__init__(str(status.get("message") or f"the API server answered {code}"))

    @property
    def is_not_found(self) -> bool:
        """The object, its namespace or its kind is not there."""
        return self.code == _NOT_FOUND

    @property
    def is_namespace_not_found(self) -> bool:
        """The namespace that the object is to be in is not there."""
        return self.is_not_found and pluck(self.status, "details", "kind") == "namespaces"

    @property
    def already_exists(self) -> bool:
        """There is an object of this name."""
        return self.code == _CONFLICT and self.reason == "AlreadyExists"

    @property
    def is_conflict(self) -> bool:
        """Another field manager owns a field, or the object was changed meanwhile."""
        return self.code == _CONFLICT and self.reason == "Conflict"

    @property
    def is_forbidden(self) -> bool:
        """This user may not do it, or an admission rule refuses it."""
        return self.code == _FORBIDDEN

    @property
    def is_immutable(self) -> bool:
        """A field can't be changed in place."""
        return self.code == _INVALID and ("field is immutable" in str(self) or "updates to statefulset spec" in str(self))

    @property
    def is_dry_run_refused(self) -> bool:
        """A webhook can't take part in a dry run (provider.go, isDryRunDisabledError)."""
        return self.code == _BAD_REQUEST and "does not support dry run" in str(self)


class Client:
    """One API server."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._headers = {"Accept": "application/json", "User-Agent": "supastack-kubernetes-plugin"}
        if access.token:
            self._headers["Authorization"] = f"Bearer {access.token}"
        elif access.basic:
            self._headers["Authorization"] = "Basic " + base64.b64encode(access.basic.encode()).decode()
        options: dict[str, Any] = {"maxsize": _AT_ONCE, "num_pools": 4}
        if access.server.startswith("https://"):
            options["ssl_context"] = tls(access)
            if access.insecure:
                options["assert_hostname"] = False
            if access.server_name:
                options |= {"server_hostname": access.server_name, "assert_hostname": access.server_name}
        options["timeout"] = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        self._pool = urllib3.ProxyManager(access.proxy, **options) if access.proxy else urllib3.PoolManager(**options)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Object:
        """The answer to one request.

        Raises:
            ApiError: the server refuses it.
            Unreachable: there is no answer.
        """
        found = json.loads(self._send(method, path, query, body, content_type) or b"{}")
        return found if isinstance(found, dict) else {}

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """The plain text at a path: a container's log. Raises as `request` does."""
        return self._send("GET", path, query, None, "").decode(errors="replace")

    def _send(self, method: str, path: str, query: Mapping[str, str] | None, body: Any, content_type: str) -> bytes:
        url = self.access.server + path + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, "Content-Type": content_type} if body is not None else self._headers
        data = None if body is None else json.dumps(body).encode()
        try:
            retries = _retries(repeatable=method in {"GET", "DELETE"} or content_type == APPLY)
            answer = self._pool.request(method, url, body=data, headers=headers, retries=retries)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"the API server {self.access.server} does not answer: {_cause(error)}") from error
        if answer.status >= _BAD_REQUEST:
            raise ApiError(answer.status, _status(answer.data))
        return bytes(answer.data)


def _retries(*, repeatable: bool) -> urllib3.Retry:
    """Repeated is what never reached the server or was put off by it, and what may be done twice when the connection broke."""
    broken = 2 if repeatable else 0
    return urllib3.Retry(
        total=5,
        connect=1,
        read=broken,
        other=broken,
        redirect=0,
        backoff_factor=0.5,
        status_forcelist=[429],
        allowed_methods=None,
        raise_on_status=False,
    )


def _status(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace").strip()[:500]}
    return found if isinstance(found, Mapping) else {}


def _cause(error: BaseException) -> str:
    """What went wrong, without the pool's own words."""
    reason = getattr(error, "reason", None) or error
    text = str(reason)
    return text.rpartition(": ")[2] if "Connection" in type(reason).__name__ and ": " in text else text


def tls(access: Access) -> ssl.SSLContext:
    """How the server is checked, and how this client shows who it is."""
    context = ssl.create_default_context(cadata=access.authority or None)
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.certificate and access.key:
        # Python reads them from files only.
        with tempfile.TemporaryDirectory(prefix="supastack-") as folder:
            pair = Path(folder) / "pair.pem"
            pair.touch(mode=0o600)
            pair.write_text(f"{access.certificate}\n{access.key}\n")
            context.load_cert_chain(pair)
    return context
