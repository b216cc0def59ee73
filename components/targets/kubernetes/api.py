"""A thin client of Kubernetes' API for the checks: one context of one kubeconfig file, JSON in and out.

Kubeconfig as `kubectl` reads it (Kubernetes, "kubeconfig (v1)"): server, certificate authority, client certificate, token, token file,
basic auth and exec plugins (client-go, ExecCredential). The old `auth-provider` is refused: client-go dropped it in 1.26.
"""

import base64
import binascii
import contextlib
import json
import os
import ssl
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

_SECONDS = 15.0
_EXEC_SECONDS = 60.0

Json = dict[str, Any]


class Unreachable(Exception):
    """The cluster can't be asked. The text says why and what to do, and holds no credential."""


class Refused(Exception):
    """The cluster answered, and did not do it.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """A cluster as one context reaches it."""

    def __init__(self, kubeconfig: str | Path, context: str) -> None:
        """Reads the kubeconfig; nothing is asked yet.

        Raises:
            Unreachable: it can't be read, or does not have that context.
        """
        self._folder = Path(kubeconfig).parent
        cluster, user = self._chosen(_read(Path(kubeconfig)), str(kubeconfig), context)
        self.server: str = str(cluster.get("server", "")).rstrip("/")
        if not self.server:
            raise Unreachable(f"context {context} in {kubeconfig} has a cluster without a server. Mend the file.")
        self._headers = {"Accept": "application/json"}
        try:
            user = {**user, **_executed(user["exec"], self._folder)} if user.get("exec") else user
            self._login(user, context)
            pool: dict[str, Any] = {"timeout": _SECONDS, "retries": urllib3.Retry(2, redirect=0, backoff_factor=0.2)}
            if self.server.startswith("https"):
                pool["ssl_context"] = self._tls(cluster, user)
                if name := cluster.get("tls-server-name"):
                    pool |= {"server_hostname": name, "assert_hostname": name}
        except (OSError, ValueError) as error:  # of files and certificates
            raise Unreachable(
                f"the credentials of context {context} in {kubeconfig} can't be used: {error}. Mend the file."
            ) from None
        proxy = cluster.get("proxy-url")
        self._pool = urllib3.ProxyManager(proxy, **pool) if proxy else urllib3.PoolManager(**pool)

    def _chosen(self, config: Mapping[str, Any], path: str, context: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        contexts = _named(config, "contexts", "context")
        if context not in contexts:
            has = ", ".join(sorted(contexts)) or "none"
            raise Unreachable(f"{path} has no context {context}; it has: {has}. Choose one of them in kubernetes.context.")
        chosen = contexts[context]
        cluster = _named(config, "clusters", "cluster").get(chosen.get("cluster", ""))
        if cluster is None:
            raise Unreachable(f"{path} has no cluster {chosen.get('cluster')}, which its context {context} names. Mend the file.")
        return cluster, _named(config, "users", "user").get(chosen.get("user", ""), {})

    def _login(self, user: Mapping[str, Any], context: str) -> None:
        if user.get("auth-provider"):
            raise Unreachable(
                f"context {context} logs in by an auth-provider, which Kubernetes dropped in 1.26. Use an exec plugin."
            )
        token = user.get("token")
        if not token and user.get("tokenFile"):
            token = self._path(user["tokenFile"]).read_text().strip()
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif user.get("username"):
            pair = f"{user['username']}:{user.get('password', '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    def _tls(self, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
        authority = self._pem(cluster, "certificate-authority")
        context = ssl.create_default_context(cadata=authority)
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        certificate, key = self._pem(user, "client-certificate"), self._pem(user, "client-key")
        if certificate and key:
            # The module reads them from a file only; it is the owner's alone, and gone at once.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(f"{certificate}\n{key}\n")
                file.flush()
                context.load_cert_chain(file.name)
        return context

    def _pem(self, holder: Mapping[str, Any], name: str) -> str | None:
        if data := holder.get(f"{name}-data"):
            try:
                return base64.b64decode(data, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise ValueError(f"{name}-data is not base64 text") from None
        return self._path(holder[name]).read_text() if holder.get(name) else None

    def _path(self, path: str) -> Path:
        """A path in a kubeconfig starts at the file's own folder."""
        return self._folder / Path(path).expanduser()

    def get(self, path: str, **query: str) -> Json:
        """What is at a path of the API.

        Raises:
            Unreachable: the cluster does not answer.
            Refused: it answers with another status than 200.
        """
        return self.ask("GET", path + (f"?{urlencode(query)}" if query else ""))

    def find(self, path: str) -> Json | None:
        """The object at a path; None where there is none."""
        try:
            return self.get(path)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Json]:
        """All objects of a list; none where the cluster does not know the kind."""
        try:
            return list(self.get(path, **query).get("items") or [])
        except Refused as error:
            if error.status == 404:
                return []
            raise

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """One request. Raises as `get`."""
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, self.server + path, headers=headers, body=data)
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise Unreachable(f"no cluster answers at {self.server}: {_plain(cause)}") from None
        try:
            found = json.loads(answer.data or b"{}")
        except ValueError:
            found = {}
        if answer.status >= 300:
            said = found.get("message") if isinstance(found, dict) else None
            raise Refused(answer.status, f"{said or 'it gives no reason'} (HTTP status {answer.status})")
        return found if isinstance(found, dict) else {}

    def may(self, verb: str, group: str, resource: str, namespace: str = "") -> bool:
        """Whether this user may do something (SelfSubjectAccessReview). `namespace` empty: in the whole cluster."""
        resource, _, part = resource.partition("/")
        attributes = {"verb": verb, "group": group, "resource": resource, "subresource": part, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool((answer.get("status") or {}).get("allowed"))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise Unreachable(
            f"there is no kubeconfig {path}. Choose another in kubernetes.kubeconfig. `make cluster` makes the one of this clone."
        ) from None
    except OSError as error:
        raise Unreachable(f"the kubeconfig {path} can't be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise Unreachable(f"the kubeconfig {path} is not YAML. Mend the file.") from None
    if not isinstance(found, dict):
        raise Unreachable(f"the kubeconfig {path} is empty, or no kubeconfig. Mend the file.")
    return found


def _named(config: Mapping[str, Any], many: str, one: str) -> dict[str, Mapping[str, Any]]:
    """`contexts`, `clusters` or `users` by name."""
    every = config.get(many)
    return {
        str(entry["name"]): entry.get(one) or {}
        for entry in (every if isinstance(every, Sequence) and not isinstance(every, str) else ())
        if isinstance(entry, dict) and "name" in entry
    }


def _executed(plugin: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What an exec plugin gives: token or client certificate, spelled as in a kubeconfig's user."""
    version = plugin.get("apiVersion", "client.authentication.k8s.io/v1")
    asked = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    env = {**os.environ, **{e["name"]: e["value"] for e in plugin.get("env") or ()}, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    command = str(plugin.get("command", ""))
    # One with a slash starts at the kubeconfig's folder (client-go, exec).
    words = [str(folder / command) if "/" in command else command, *map(str, plugin.get("args") or ())]
    try:
        done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=_EXEC_SECONDS, check=False)
    except FileNotFoundError:
        hint = plugin.get("installHint") or "Install it."
        raise Unreachable(f"the kubeconfig logs in by {command}, which is not there. {hint}") from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"the kubeconfig logs in by {command}, which did not end within {_EXEC_SECONDS:.0f} s.") from None
    if done.returncode != 0:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
        raise Unreachable(f"the kubeconfig logs in by {command}, which failed: {last}")
    with contextlib.suppress(ValueError, AttributeError):
        status = json.loads(done.stdout).get("status") or {}
        found = {"token": status.get("token")}
        for name, theirs in (("client-certificate", "clientCertificateData"), ("client-key", "clientKeyData")):
            if status.get(theirs):
                found[f"{name}-data"] = base64.b64encode(status[theirs].encode()).decode()
        return {name: value for name, value in found.items() if value}
    raise Unreachable(f"the kubeconfig logs in by {command}, which gave no ExecCredential.")


def _plain(cause: object) -> str:
    """An error of the transport in one line, without its object's address."""
    text = " ".join(str(cause).split())
    return text.split(">: ", 1)[-1].removeprefix("[Errno 111] ") or type(cause).__name__
