"""What keeps a preview of a pull request away from the stacks that branches are deployed as: checked before an engine works on it.

A preview runs what somebody proposes, before anybody has read it. So it may share nothing with another stack that could be read or
broken from there: no secrets provider, no passphrase, no backend, no namespace, no database, no bucket.
"""

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.announce import fail
from toolchain.context import Context
from toolchain.delivery import settings
from toolchain.delivery.previews import laid_over

_ROUNDS = 1_000_000
"""Of PBKDF2 with SHA-256 (pulumi pkg/secrets/passphrase/manager.go)."""

_SERVERS = (
    ("supabase", "database", "external", "host"),
    ("cache", "external", "host"),
)
"""Settings that name one server of somebody's own. Not the pooler of a managed project: those of a region share it, and its ref counts."""


@dataclass(frozen=True)
class Stack:
    """A stack that a preview must keep away from."""

    name: str
    document: Mapping[str, Any]
    """Its file, in normal form."""
    keeping: settings.Keeping
    salts: tuple[str, ...]

    @property
    def provider(self) -> str | None:
        """The URL of the service that encrypts its secrets; None where a passphrase does."""
        named = self.keeping.secrets_provider or self.document.get("secretsprovider")
        return str(named) if named and "://" in str(named) else None


def check(context: Context) -> None:
    """Raises ToolchainError with everything by which the preview would come near another stack."""
    from toolchain.stack.config import parse, project_name

    project = project_name(context.root)
    path = context.root / f"Pulumi.{context.base_stack}.yaml"
    if not path.is_file():
        fail(f"there is no {path.name}, which previews of pull requests are laid over: docs/delivery.md shows one")
    try:
        document = parse(path.read_text(), project)
    except (OSError, ValueError) as error:
        fail(f"{path.name} can't be read: {error}")
    others = list(_others(context, project))
    found = [
        *_of_files(context, path),
        *_of_secrets(context, document, others),
        *_of_itself(context, project, document),
        *_of_settings(context, project, document, others),
    ]
    if found:
        lines = "\n".join(f"  - {line}" for line in found)
        fail(f"{context.stack} would come near another stack, so nothing was done:\n{lines}")


def _others(context: Context, project: str) -> Iterator[Stack]:
    """Every other stack that has a file; those of branches and those of which only a state is told in delivery.yaml."""
    from toolchain.stack.config import parse

    plan = settings.load(context.root)
    files = {path.name[len("Pulumi.") : -len(".yaml")]: path for path in sorted(context.root.glob("Pulumi.*.yaml"))}
    for name in dict.fromkeys([*files, *plan.stacks, *plan.state]):
        if name == context.base_stack:
            continue
        document: dict[str, Any] = {"config": {}}
        if name in files:
            try:
                document = parse(files[name].read_text(), project)
            except (OSError, ValueError):
                # Not this stack's to judge; what can't be read can't be brought up either.
                continue
        salt = document.get("encryptionsalt")
        yield Stack(name, document, plan.keeping(name, name), (str(salt),) if salt else ())


def _of_files(context: Context, path: Path) -> Iterator[str]:
    own = context.root / f"Pulumi.{context.stack}.yaml"
    if own.exists():
        yield f"{own.name} is there: a preview takes its settings from {path.name} alone. Remove the file"
    real = path.resolve()
    for other in sorted(context.root.glob("Pulumi.*.yaml")):
        if other != path and other.resolve() == real:
            yield f"{path.name} is the file of another stack, {other.name}: make it one of its own"


def _of_secrets(context: Context, document: Mapping[str, Any], others: list[Stack]) -> Iterator[str]:
    name = f"Pulumi.{context.base_stack}.yaml"
    plan = settings.load(context.root)
    own = Stack(context.stack, document, settings.Keeping(secrets_provider=context.secrets_provider), ())
    mine = context.env.get("PULUMI_BACKEND_URL")
    phrase = _given_passphrase(context)
    for other in others:
        theirs = f"that of {other.name}: give previews one of their own"
        for key in ("encryptionsalt", "encryptedkey"):
            if document.get(key) and document.get(key) == other.document.get(key):
                yield f"the {key} in {name} is {theirs} by taking the line out"
        if own.provider and own.provider == other.provider:
            yield f"its secrets provider is {theirs} (state.{context.base_stack} in {settings.FILE})"
        if other.name in plan.state and other.keeping.backend and other.keeping.backend == mine:
            yield f"the backend of its state is {theirs} (state.{context.base_stack} in {settings.FILE})"
        if phrase is not None and any(opens(phrase, salt) for salt in other.salts):
            yield f"the passphrase in the environment opens the secrets of {other.name}: give previews one of their own"


def _of_itself(context: Context, project: str, document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the settings whatever others have: all previews have them."""
    config = document["config"]
    name = f"Pulumi.{context.base_stack}.yaml"
    target = config.get(f"{project}:target") or "docker"
    if config.get(f"{project}:environment") == "prod":
        yield f"{name} has {project}:environment: prod, which a preview is not"
    if target == "docker" and config.get(f"{project}:ports") != "auto":
        yield f"{name} needs {project}:ports: auto, else two previews want the same ports"
    namespace = _group(config, project, "kubernetes").get("namespace")
    if namespace and "${STACK}" not in str(namespace):
        yield f"{name} has kubernetes.namespace: {namespace}, which all previews would share: leave it out, or put ${{STACK}} into it"
    for app, given in _group(config, project, "apps").items():
        host = given.get("host") if isinstance(given, dict) else None
        if host and "${STACK}" not in str(host):
            yield f"{name} has apps.{app}.host: {host}, which all previews would share: leave it out, or put ${{STACK}} into it"


def _of_settings(context: Context, project: str, document: Mapping[str, Any], others: list[Stack]) -> Iterator[str]:
    """What the settings would share with another stack."""
    config = laid_over(dict(document), context.stack, project)["config"]
    target = config.get(f"{project}:target") or "docker"
    space = _namespace(config, project, context.stack)
    cluster = _group(config, project, "kubernetes").get("context")
    for other in others:
        theirs: Mapping[str, Any] = other.document["config"]
        if target == "kubernetes" and theirs.get(f"{project}:target") == "kubernetes":
            if space == _namespace(theirs, project, other.name):
                yield f"its namespace would be that of {other.name}, {space}"
            is_prod = theirs.get(f"{project}:environment") == "prod" or other.name == settings.load(context.root).stack_of("main")
            if is_prod and cluster and cluster == _group(theirs, project, "kubernetes").get("context"):
                yield (
                    f"its kubeconfig context is that of {other.name}, {cluster}: give previews a context of their own, with an account "
                    "that can't read the other's Secrets"
                )
        for path in _SERVERS:
            if (server := _at(config, project, path)) and server == _at(theirs, project, path):
                yield f"{'.'.join(path)} is that of {other.name}"
        for ref in sorted(_projects(config, project) & _projects(theirs, project)):
            yield f"the managed project {ref} is that of {other.name} (supabase.managed.ref, tenants[].project.ref)"
        for folder in sorted(_backups(config, project) & _backups(theirs, project)):
            yield f"supabase.database.cnpg.backup.destination is that of {other.name}, {folder}: its backups would be written over"
        shared = _buckets(config, project) & _buckets(theirs, project)
        if shared:
            yield f"it would use the bucket of {other.name}: {', '.join(bucket for _, bucket in sorted(shared))}"


def _namespace(config: Mapping[str, Any], project: str, stack: str) -> str:
    return str(_group(config, project, "kubernetes").get("namespace") or f"{project}-{stack}")


def _projects(config: Mapping[str, Any], project: str) -> set[str]:
    """The references of all managed projects: the stack's own, and its tenants'."""
    tenants = config.get(f"{project}:tenants")
    given = [tenant.get("project") for tenant in tenants if isinstance(tenant, dict)] if isinstance(tenants, list) else []
    refs = [_at(config, project, ("supabase", "managed", "ref")), *(each.get("ref") for each in given if isinstance(each, dict))]
    return {str(ref) for ref in refs if ref}


def _backups(config: Mapping[str, Any], project: str) -> set[str]:
    """Where the database's backups go, without the slash that may end it."""
    folder = _at(config, project, ("supabase", "database", "cnpg", "backup", "destination"))
    return {str(folder).rstrip("/")} if folder else set()


def _buckets(config: Mapping[str, Any], project: str) -> set[tuple[str, str]]:
    """Endpoint and name of each bucket in a store that others run."""
    store = _group(config, project, "objectStorage")
    if store.get("engine") != "external":
        return set()
    return {(str(store.get("endpoint")), str(bucket)) for bucket in store.get("buckets") or ()}


def _group(config: Mapping[str, Any], project: str, name: str) -> Mapping[str, Any]:
    group = config.get(f"{project}:{name}")
    return group if isinstance(group, dict) else {}


def _at(config: Mapping[str, Any], project: str, path: tuple[str, ...]) -> Any:
    value: Any = _group(config, project, path[0])
    for key in path[1:]:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _given_passphrase(context: Context) -> str | None:
    """The passphrase that the user gave; None where it is the clone's own for previews, which opens nothing else."""
    if "PULUMI_CONFIG_PASSPHRASE" in os.environ:
        return os.environ["PULUMI_CONFIG_PASSPHRASE"]
    if "PULUMI_CONFIG_PASSPHRASE_FILE" not in os.environ:
        return None
    path = Path(context.env["PULUMI_CONFIG_PASSPHRASE_FILE"])
    try:
        return path.read_text().strip()
    except OSError as error:
        fail(f"the passphrase file {path} can't be read: {error.strerror}")


def opens(passphrase: str, salt: str) -> bool:
    """Whether a passphrase opens the secrets of the stack whose `encryptionsalt` this is (pulumi pkg/secrets/passphrase/manager.go).

    It has the word `pulumi` in it, encrypted by AES-256-GCM with the key that PBKDF2 makes of the passphrase.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        version, start, inner, nonce, text = salt.split(":")
        if (version, inner) != ("v1", "v1"):
            return False
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), base64.b64decode(start), _ROUNDS)
        return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(text), None) == b"pulumi"
    except (ValueError, InvalidTag):
        return False
