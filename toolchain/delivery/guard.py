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
from toolchain.delivery import reach, settings
from toolchain.delivery.previews import laid_over
from toolchain.delivery.reach import at, mapping

_ROUNDS = 1_000_000
"""Of PBKDF2 with SHA-256 (pulumi pkg/secrets/passphrase/manager.go)."""


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
    from toolchain.stack.config import project_name

    project = project_name(context.root)
    path = context.root / f"Pulumi.{context.base_stack}.yaml"
    if not path.is_file():
        fail(f"there is no {path.name}, which previews of pull requests are laid over: docs/delivery.md shows one")
    try:
        document = _read(path, project)
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


def _read(path: Path, project: str) -> dict[str, Any]:
    """A stack file in normal form, its groups as the program reads them. Raises OSError and ValueError."""
    from toolchain.stack.config import parse

    document = parse(path.read_text(), project)
    return {**document, "config": reach.decoded(document["config"], project)}


def _others(context: Context, project: str) -> Iterator[Stack]:
    """Every other stack that has a file; those of branches and those of which only a state is told in delivery.yaml."""
    plan = settings.load(context.root)
    files = {path.name[len("Pulumi.") : -len(".yaml")]: path for path in sorted(context.root.glob("Pulumi.*.yaml"))}
    for name in dict.fromkeys([*files, *plan.stacks, *plan.state]):
        if name == context.base_stack:
            continue
        document: dict[str, Any] = {"config": {}}
        if name in files:
            try:
                document = _read(files[name], project)
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
    namespace = at(config, project, "kubernetes", "namespace")
    if namespace and "${STACK}" not in str(namespace):
        yield f"{name} has kubernetes.namespace: {namespace}, which all previews would share: leave it out, or put ${{STACK}} into it"
    for app, given in mapping(config.get(f"{project}:apps")).items():
        host = mapping(given).get("host")
        if host and "${STACK}" not in str(host):
            yield f"{name} has apps.{app}.host: {host}, which all previews would share: leave it out, or put ${{STACK}} into it"


def _of_settings(context: Context, project: str, document: Mapping[str, Any], others: list[Stack]) -> Iterator[str]:
    """What the settings would share with another stack."""
    config = laid_over(dict(document), context.stack, project)["config"]
    target = config.get(f"{project}:target") or "docker"
    mine = reach.of(config, project)
    for other in others:
        theirs: Mapping[str, Any] = other.document["config"]
        if target == "kubernetes" and theirs.get(f"{project}:target") == "kubernetes":
            yield from _in_cluster(context, project, config, other)
        yield from _shared(mine, reach.of(theirs, project), other.name)


def _in_cluster(context: Context, project: str, config: Mapping[str, Any], other: Stack) -> Iterator[str]:
    """What it would share with another stack in a cluster."""
    theirs: Mapping[str, Any] = other.document["config"]
    space = _namespace(theirs, project, other.name)
    if space == _namespace(config, project, context.stack):
        yield f"its namespace would be that of {other.name}, {space}"
    for name, given in mapping(at(config, project, "kubernetes", "existingSecrets")).items():
        if mapping(given).get("namespace") == space:
            yield f"kubernetes.existingSecrets.{name} is in the namespace of {other.name}, {space}: give previews a Secret of their own"
    is_prod = theirs.get(f"{project}:environment") == "prod" or other.name == settings.load(context.root).stack_of("main")
    cluster = at(config, project, "kubernetes", "context")
    if is_prod and cluster and cluster == at(theirs, project, "kubernetes", "context"):
        yield (
            f"its kubeconfig context is that of {other.name}, {cluster}: give previews a context of their own, with an account "
            "that can't read the other's Secrets"
        )


def _shared(mine: reach.Reach, theirs: reach.Reach, name: str) -> Iterator[str]:
    """What others run, and both would use."""
    for server in sorted(mine.servers.keys() & theirs.servers.keys()):
        yield f"{mine.servers[server]} is that of {name}: {server}"
    for ref in sorted(mine.projects & theirs.projects):
        yield f"the managed project {ref} is that of {name} (its reference, or a host or login that has it)"
    for folder in sorted(mine.backups & theirs.backups):
        yield f"supabase.database.cnpg.backup.destination is that of {name}, {folder}: its backups would be written over"
    if shared := mine.buckets & theirs.buckets:
        yield f"it would use the bucket of {name}: {', '.join(bucket for _, bucket in sorted(shared))}"


def _namespace(config: Mapping[str, Any], project: str, stack: str) -> str:
    return str(at(config, project, "kubernetes", "namespace") or f"{project}-{stack}")


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
