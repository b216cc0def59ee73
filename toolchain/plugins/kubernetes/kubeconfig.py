"""kubeconfig files: which cluster, and how to log in there (client-go, tools/clientcmd).

What of it is not known here (auth-provider, impersonation) is refused by name.
"""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.plugins.common.errors import UserError
from toolchain.plugins.common.values import UNKNOWN

_EXEC_SECONDS = 60
_EXEC_API = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_REFUSED = ("auth-provider", "as", "as-uid", "as-groups", "as-user-extra")


@dataclass(frozen=True, repr=False)
class Access:
    """How to reach one cluster. Its text forms never show the credentials.

    Attributes:
        authority, certificate, key: PEM texts; empty where there are none.
        token: a bearer token; basic: `user:password`.
        insecure: the server's certificate is not checked.
    """

    server: str
    namespace: str = "default"
    authority: str = ""
    certificate: str = ""
    key: str = ""
    token: str = ""
    basic: str = ""
    insecure: bool = False
    server_name: str = ""
    proxy: str = ""


def read(path_or_content: Any) -> tuple[dict[str, Any], Path]:
    """A kubeconfig, and the folder that its relative paths start from. Raises UserError when it can't be read."""
    if isinstance(path_or_content, Mapping):
        return dict(path_or_content), Path.cwd()
    text = str(path_or_content)
    folder = Path.cwd()
    path = Path(text).expanduser() if "\n" not in text and "{" not in text else None
    try:
        if path is not None and path.exists():
            text, folder = path.read_text(), path.absolute().parent
        elif path is not None and not text.lstrip().startswith(("apiVersion", "kind", "clusters")):
            raise UserError(f"there is no kubeconfig file {path}")
    except OSError as error:
        raise UserError(f"the kubeconfig file {path} can't be read: {error.strerror}") from error
    return _parsed(text), folder


def _parsed(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UserError("the kubeconfig is no valid JSON") from error
    else:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            found = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader
        except yaml.YAMLError as error:
            # Its message quotes the text, which may hold a key.
            raise UserError("the kubeconfig is no valid YAML") from error
    if not isinstance(found, Mapping):
        raise UserError("the kubeconfig is neither a file that exists nor the content of one")
    return dict(found)


def default_path() -> str:
    """The kubeconfig that kubectl would read; empty where there is none."""
    for candidate in [*os.environ.get("KUBECONFIG", "").split(os.pathsep), str(Path.home() / ".kube" / "config")]:
        if candidate and Path(candidate).exists():
            return candidate
    return ""


def access(path_or_content: Any, context: str = "", cluster: str = "") -> Access:
    """How to reach the cluster of a context: the given one, else the kubeconfig's current one. Raises UserError."""
    config, folder = read(path_or_content)
    name = context or str(config.get("current-context") or "")
    if not name:
        raise UserError("the kubeconfig has no current context; name one in the provider's `context`")
    chosen = _named(config, "contexts", "context", name)
    place = _named(config, "clusters", "cluster", cluster or str(chosen.get("cluster") or ""))
    user_name = str(chosen.get("user") or "")
    user = _named(config, "users", "user", user_name) if user_name else {}
    if not place.get("server"):
        raise UserError(f"the kubeconfig's cluster of context {name} has no server")
    return Access(
        server=str(place["server"]).rstrip("/"),
        namespace=str(chosen.get("namespace") or "default"),
        authority=_pem(place, "certificate-authority", folder),
        insecure=bool(place.get("insecure-skip-tls-verify")),
        server_name=str(place.get("tls-server-name") or ""),
        proxy=str(place.get("proxy-url") or ""),
        **_login(user, user_name, folder),
    )


def active_cluster(settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The entry of the cluster that the settings point to; None when it can't be told (provider/util.go, getActiveClusterFromConfig)."""
    given = settings.get("kubeconfig")
    if not given or given == UNKNOWN:
        return None
    try:
        config, _ = read(given)
        context = _named(config, "contexts", "context", str(settings.get("context") or config.get("current-context") or ""))
        return _named(config, "clusters", "cluster", str(settings.get("cluster") or context.get("cluster") or ""))
    except UserError:
        return None


def _named(config: Mapping[str, Any], section: str, key: str, name: str) -> Mapping[str, Any]:
    for entry in config.get(section) or []:
        if isinstance(entry, Mapping) and entry.get("name") == name:
            found = entry.get(key) or {}
            return found if isinstance(found, Mapping) else {}
    known = ", ".join(str(e.get("name")) for e in config.get(section) or [] if isinstance(e, Mapping)) or "none"
    raise UserError(f"the kubeconfig has no {key} {name!r}; it has {known}")


def _pem(entry: Mapping[str, Any], key: str, folder: Path) -> str:
    """The text of `<key>-data`, else of the file that `<key>` names."""
    inline, file = entry.get(f"{key}-data"), entry.get(key)
    if inline:
        return base64.b64decode(str(inline)).decode()
    return _file(folder, str(file), key) if file else ""


def _file(folder: Path, name: str, what: str) -> str:
    try:
        return (folder / Path(name).expanduser()).read_text()
    except OSError as error:
        raise UserError(f"the kubeconfig's {what} {name} can't be read: {error.strerror}") from error


def _login(user: Mapping[str, Any], name: str, folder: Path) -> dict[str, str]:
    for key in _REFUSED:
        if user.get(key):
            raise UserError(f"the kubeconfig's user {name!r} has `{key}`, which this stand-in plugin does not know")
    if user.get("exec"):
        return _run_login(user["exec"], folder)
    token = str(user.get("token") or "") or (
        _file(folder, str(user["tokenFile"]), "tokenFile").strip() if user.get("tokenFile") else ""
    )
    basic = f"{user['username']}:{user.get('password') or ''}" if user.get("username") else ""
    return {
        "certificate": _pem(user, "client-certificate", folder),
        "key": _pem(user, "client-key", folder),
        "token": token,
        "basic": basic,
    }


def _run_login(wanted: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Run a credential plugin (client-go, plugin/pkg/client/auth/exec)."""
    command, api = str(wanted.get("command") or ""), str(wanted.get("apiVersion") or "")
    if api not in _EXEC_API:
        raise UserError(f"the kubeconfig's login command {command} speaks {api}, which this stand-in plugin does not know")
    info = {"apiVersion": api, "kind": "ExecCredential", "spec": {"interactive": False}}
    given = {str(entry["name"]): str(entry["value"]) for entry in wanted.get("env") or []}
    program = str(folder / command) if os.sep in command else command
    try:
        done = subprocess.run(
            [program, *(str(argument) for argument in wanted.get("args") or [])],
            env={**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            capture_output=True,
            text=True,
            timeout=_EXEC_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the kubeconfig's login command {command} could not be run: {type(error).__name__}") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"the kubeconfig's login command {command} ended with {done.returncode}: {last}")
    try:
        status = json.loads(done.stdout)["status"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"the kubeconfig's login command {command} gave no ExecCredential") from error
    return {
        "token": str(status.get("token") or ""),
        "certificate": str(status.get("clientCertificateData") or ""),
        "key": str(status.get("clientKeyData") or ""),
    }
