"""A small client of the Kubernetes API for what the test cluster itself does: objects as they are, by requests."""

import base64
import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

from toolchain.announce import ToolchainError, fail

Manifest = Mapping[str, Any]
_FIELD_MANAGER = "supastack-cluster"
_SECONDS = 30


class ApiError(ToolchainError):
    """What the API server answered other than success."""

    def __init__(self, what: str, status: int, message: str) -> None:
        super().__init__(f"{what}: {status} {message}")
        self.status = status


class Api:
    """A cluster by a kubeconfig that has its certificates inside. All methods raise ToolchainError."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        self._server = config["clusters"][0]["cluster"]["server"]
        user = config["users"][0]["user"]
        # requests takes certificates from files only.
        self._files = tempfile.TemporaryDirectory(prefix="supastack-api-")
        folder = Path(self._files.name)
        for name, data in {
            "ca": config["clusters"][0]["cluster"]["certificate-authority-data"],
            "crt": user["client-certificate-data"],
            "key": user["client-key-data"],
        }.items():
            (folder / name).write_bytes(base64.b64decode(data))
        self._session = requests.Session()
        # Neither a proxy nor other authorities of the machine have a say here.
        self._session.trust_env = False
        self._session.verify = str(folder / "ca")
        self._session.cert = (str(folder / "crt"), str(folder / "key"))
        self._resources: dict[tuple[str, str], str] = {}

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request. Raises ApiError where the answer is not a success."""
        try:
            response = self._session.request(method, f"{self._server}{path}", **{"timeout": _SECONDS, **options})
        except requests.RequestException as error:
            raise ToolchainError(f"{method} {path}: the cluster does not answer: {error}") from error
        if not response.ok:
            message = response.text
            with contextlib.suppress(ValueError, AttributeError):
                message = response.json().get("message", message)
            raise ApiError(f"{method} {path}", response.status_code, message)
        return response

    def get(self, path: str) -> dict[str, Any]:
        """An object or a list."""
        return dict(self.request("GET", path).json())

    def find(self, path: str) -> dict[str, Any] | None:
        """An object, None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str) -> list[dict[str, Any]]:
        """What is in a list."""
        return list(self.get(path)["items"])

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone is fine."""
        try:
            self.request("DELETE", path, json={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != 404:
                raise

    def apply(self, *manifests: Manifest) -> None:
        """Server-side apply, one after the other, taking fields over."""
        for manifest in manifests:
            path = f"{self._path(manifest)}?fieldManager={_FIELD_MANAGER}&force=true"
            headers = {"Content-Type": "application/apply-patch+yaml"}
            self.request("PATCH", path, data=json.dumps(manifest), headers=headers)

    def ready(self) -> bool:
        """Whether the API server says it is ready."""
        try:
            return self.request("GET", "/readyz", timeout=5).text == "ok"
        except ToolchainError:
            return False

    def watch(self, path: str, version: str, seconds: int = 300) -> Iterator[dict[str, Any]]:
        """What happens to a list from a resource version on, until the server ends it."""
        options = {"watch": "1", "resourceVersion": version, "timeoutSeconds": seconds, "allowWatchBookmarks": "true"}
        try:
            with self.request("GET", path, params=options, stream=True, timeout=(10, seconds + 30)) as response:
                for line in response.iter_lines():
                    if line:
                        yield json.loads(line)
        except requests.RequestException as error:
            raise ToolchainError(f"watching {path}: {error}") from error

    def _path(self, manifest: Manifest) -> str:
        version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._resources:
            for resource in self.get(root)["resources"]:
                if "/" not in resource["name"]:
                    self._resources[version, resource["kind"]] = resource["name"]
        name = self._resources.get((version, kind))
        if name is None:
            fail(f"The cluster knows no {kind} of {version}.")
        namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
        return f"{root}{namespace}/{name}/{metadata['name']}"


def wait(what: str, done: Callable[[], str | None], seconds: float) -> None:
    """Wait until `done()` returns None; until then it says what is waited for. Raises ToolchainError when it takes longer."""
    deadline = time.monotonic() + seconds
    while (why := done()) is not None:
        if time.monotonic() > deadline:
            fail(f"{what}: not after {seconds:.0f} s: {why}")
        time.sleep(0.2)


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a YAML text of several documents."""
    return [one for one in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if one]
