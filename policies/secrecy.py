"""Rules about secrets: none that is published, and none where it is not kept as one."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from policies import ids
from policies.model import Resource, Rule, Stack, Violation
from policies.values import MASKED, at, host_of, is_masked, is_public, texts

PUBLISHED: Final = frozenset(
    {
        # Upstream's docker/.env.example (self-hosted/v0.8.2): database, JWT, roles' keys, dashboard, SECRET_KEY_BASE, vault, meta,
        # Logflare's two.
        "53d3eb3d9500cdcdbbe39c030eb2959438bcc459d5de9380db2a3c85b5de5360",
        "1453cea2dc3799e9026e42b3e465e455256d5a149582e4c5b92d4c8d604731a2",
        "fc6a5e9ae75f9160dacd38844789d90a04c85c29c3c95c8c8c6e9da3f58c2365",
        "2359b281e1fa0ec38bb10316e2b0e3a7b960fe5d271ee75a4735ff1b313a222c",
        "80d1c192cf2210c5282179cc9989f4be2e9b24605daabe1bc7da10fd9ed842ed",
        "52f004438faf780274c9c95f79d1cf39d2355fbcf035899fc0242b1437f30df3",
        "0a53c0992edae8ceb04c7a32ee47b49ad0b229c17b073e8c24683111c843d45e",
        "627507f04b33fb434001b83fa1d73b39c7d9a88f2b9a3aec652527a7f0ea571a",
        "4feb5df17e31da658971467f079e9dfa946712c0281386fe631830bdfa1e7332",
        "272b1f97285638be545049c9d56ed0c07b252faf0d47867068482d2b2374a2a9",
        # Its S3 keys of Storage, which are the Supabase CLI's too, and MinIO's password.
        "b0f3a96ded759f6c5f13d27881ffcbfd7821fd6bb5858b0ab819e7a187e46452",
        "7f59edafa4d502ca0156b8fddf28394634d77b1843838b5783a7c9c95fcbd32f",
        "390d4757bf1b75e305984c99cdedfb1e7c201a2d143a53cfbc35075fa5f9a56f",
        # The Supabase CLI's (3.1.0, components/cli_keys.py): JWT secret, sb_ keys, private part of its signing key, roles' keys.
        "a064b502e61d27e94b8717290e5e1b32e36720e9fbdf952ec81a84c07128cb37",
        "9705102db0d5f99ee08daa19a73e510d9877a2a9add9369da247cbbe6c2a0140",
        "c85debb55f2f204d868cc1552c42faa143b4c675f61363ab040dd50b5b5304cd",
        "68a3c0689dd52919680c1d3f4a606714b44e2c0c75287fcbfec9908af6ad8b40",
        "bf1725a8f98bea37e88618702e725ba84bd8acdb2647c5e0ed638bfd685791cf",
        "70541e07fd4f900b66e289f5be55c85f9bef1def4924a5b0c518c45ea1688c12",
    }
)
"""SHA-256 of secrets that anybody can read in a public repository or program."""

_WORDS: Final = frozenset({"postgres", "password", "supabase", "admin", "secret", "changeme", "minioadmin"})
"""Passwords that everybody tries: refused where something is known to be one, as in a URL. The first is the Supabase CLI's."""
_PIECE: Final = re.compile(r"[^\s\"'`,;=(){}<>\[\]]{8,}")
"""What may be a secret inside of a longer text: a file, a URL, a variable."""
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.(eyJ[A-Za-z0-9_-]{8,})\.[A-Za-z0-9_-]{16,}")
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>`]+", re.IGNORECASE)
_DATABASE: Final = re.compile(r"\b(?:postgres|postgresql|ecto)://[^\s\"'<>`]+", re.IGNORECASE)
_KEY_BLOCK: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_NAMED: Final = re.compile(
    r"(?im)^\s*[\"']?[A-Z0-9_.-]*(?:password|passwd|secret_?key|private_?key|api_?token)[\"']?\s*[:=]\s*[\"']?(\S{6,})"
)
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})


def is_published(value: str) -> bool:
    """Whether a text is a secret that anybody can read."""
    return hashlib.sha256(value.encode()).hexdigest() in PUBLISHED


def is_weak_password(value: str) -> bool:
    """Whether a text that is a password is published, or one that everybody tries."""
    return value.lower() in _WORDS or is_published(value) or is_published(_private_part(value))


def _private_part(value: str) -> str:
    """The secret in a JWK; empty where the text is none."""
    try:
        key = json.loads(value)
    except ValueError:
        return ""
    return str(key.get("d", "")) if isinstance(key, dict) else ""


def _decoded(resource: Resource) -> Mapping[str, Any]:
    """The properties, with a Secret's data as text."""
    if resource.kind != "Secret":
        return resource.properties
    held: dict[str, Any] = (
        dict(at(resource.properties, "stringData") or {}) if isinstance(at(resource.properties, "stringData"), Mapping) else {}
    )
    data = at(resource.properties, "data")
    for key, value in data.items() if isinstance(data, Mapping) else ():
        try:
            held[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, TypeError, ValueError):
            continue
    return {"data": held}


def _passwords(text: str) -> Iterator[str]:
    """Passwords of URLs in a text."""
    for url in _URL.findall(text):
        try:
            password = urlsplit(url).password
        except ValueError:
            continue
        if password and password != MASKED:
            yield unquote(password)


def _published_values(resource: Resource) -> Iterator[str]:
    said: set[str] = set()
    for path, text in texts(_decoded(resource)):
        place = _place(resource, path, text)
        whole = text.partition("=")[2] if path.startswith("envs[") else text
        found = is_published(whole) or is_published(_private_part(whole)) or any(map(is_published, _PIECE.findall(text)))
        found = found or any(_private_published(piece) for piece in re.findall(r"\{[^{}]*\}", text))
        if not found and not any(map(is_weak_password, _passwords(text))):
            named = re.search(r"PASSWORD|PASSWD", place.upper()) is not None and whole.lower() in _WORDS
            if not named:
                continue
        if place not in said:
            said.add(place)
            yield f"{place} holds a key or password that is published"


def _private_published(text: str) -> bool:
    part = _private_part(text)
    return bool(part) and is_published(part)


def _place(resource: Resource, path: str, text: str) -> str:
    """Where a text stands, for a message: never the text itself."""
    if path.startswith("envs[") and "=" in text:
        return text.partition("=")[0]
    found = re.fullmatch(r"(?:(.*)\.env\[(\d+)\])\.value", path)
    if found:
        names = at(resource.properties, "spec", "template", "spec", "containers")
        for container in names if isinstance(names, list | tuple) else ():
            env = container.get("env") if isinstance(container, Mapping) else None
            if isinstance(env, list | tuple) and int(found[2]) < len(env) and at(env[int(found[2])], "value") == text:
                return str(at(env[int(found[2])], "name"))
    return path


def _published_settings(stack: Stack) -> Iterator[Violation]:
    if stack.settings.get("compat") == "cli":
        yield Violation(
            where="compat", message="compat is cli, so the stack has the Supabase CLI's keys and password, which are published"
        )
    for path, text in texts(stack.settings):
        if is_published(text) or any(map(is_weak_password, _passwords(text))):
            yield Violation(where=path, message="it is a key or password that is published")


def _in_configmap(resource: Resource) -> Iterator[str]:
    if resource.kind != "ConfigMap":
        return
    for part in ("data", "binaryData"):
        held = at(resource.properties, part)
        if is_masked(held):
            yield f"{part} has a secret in it"
            continue
        for key, value in held.items() if isinstance(held, Mapping) else ():
            what = _secret_in(value) if isinstance(value, str) else None
            if what:
                yield f"{part}.{key} has {what} in it"


def _secret_in(text: str) -> str | None:
    """What secret a text has in it; None where none is seen."""
    if MASKED in text:
        return "a secret"
    if _KEY_BLOCK.search(text):
        return "a private key"
    for body in _JWT.findall(text):
        try:
            claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except ValueError:
            continue
        if isinstance(claims, dict) and claims.get("role") != "anon":
            return "a token"
    if "sb_secret_" in text and re.search(r"sb_secret_[A-Za-z0-9_-]{16,}", text):
        return "an sb_secret_ key"
    if any(True for _ in _passwords(text)):
        return "a URL with a password"
    if any(is_published(piece) for piece in _PIECE.findall(text)):
        return "a key or password that is published"
    for value in _NAMED.findall(text):
        # `${NAME}`, `$(NAME)`, `env(NAME)`, `/run/secrets/...` say where it is to be found.
        if not re.match(r"[$%/{<(]|env\(|\\", value):
            return "a password"
    return None


def _unencrypted(resource: Resource) -> Iterator[str]:
    said: set[str] = set()
    for path, text in texts(_decoded(resource)):
        for url in _DATABASE.findall(text):
            host = host_of(url)
            mode = parse_qs(urlsplit(url).query).get("sslmode", [""])[-1]
            if is_public(host) and mode not in _ENCRYPTED:
                place = _place(resource, path, text)
                if place not in said:
                    said.add(place)
                    yield f"{place} reaches the database at {host} {f'with sslmode={mode}' if mode else 'without sslmode'}"


def _external_unencrypted(stack: Stack) -> Iterator[Violation]:
    database = at(stack.settings, "supabase", "database")
    if at(database, "engine") != "external":
        return
    mode = at(database, "external", "sslmode") or "prefer"
    if mode not in _ENCRYPTED:
        where = "supabase.database.external.sslmode"
        yield Violation(where=where, message=f"it is {mode}, so connections to the external database need not be encrypted")


def _replicas_unencrypted(stack: Stack) -> Iterator[Violation]:
    """Read replicas at public hosts are reached with `require` unless the setting says otherwise, or that of an external database."""
    database = at(stack.settings, "supabase", "database")
    mode, replicas = at(database, "readReplicaSslmode"), at(database, "readReplicas")
    if mode is None or mode in _ENCRYPTED or at(stack.settings, "supabase", "managed", "ref"):
        return
    hosts = [host_of(f"//{replica}") or "" for replica in (replicas if isinstance(replicas, list | tuple) else ())]
    if outside := sorted({host for host in hosts if is_public(host)}):
        where = "supabase.database.readReplicaSslmode"
        message = f"it is {mode}, so connections to the read replicas at {', '.join(outside)} need not be encrypted"
        yield Violation(where=where, message=message)


def _databases_unencrypted(stack: Stack) -> Iterator[Violation]:
    yield from _external_unencrypted(stack)
    yield from _replicas_unencrypted(stack)


RULES: Final = (
    Rule(
        id=ids.WELL_KNOWN_KEYS,
        demand="No key or password is one that is published.",
        reason="Upstream's example values and the Supabase CLI's keys are in public repositories: whoever reads them has the data.",
        fix="leave the setting out, so that one is generated, or set one of your own with `pulumi config set --secret`; remove compat: cli",
        resource=_published_values,
        stack=_published_settings,
        secrets=True,
        masked="Values of secrets. `compat: cli` is seen, and the program refuses a published value in a secret setting of prod by itself.",
    ),
    Rule(
        id=ids.CONFIGMAP_SECRETS,
        demand="No ConfigMap has a secret in it.",
        reason="Who may read a namespace's ConfigMaps may usually not read its Secrets; no one guards them as such.",
        fix="keep the value in a Secret, and give it to the pod by secretKeyRef or as a file",
        resource=_in_configmap,
    ),
    Rule(
        id=ids.DATABASE_TLS,
        demand="A database outside of the stack's own network is reached with sslmode=require or better.",
        reason="Passwords and rows would travel in clear, and libpq's own default falls back to that without a word.",
        fix="set supabase.database.external.sslmode (of read replicas: readReplicaSslmode) to require, or add ?sslmode=require to the URL",
        resource=_unencrypted,
        stack=_databases_unencrypted,
        masked="URLs with a password in them. The settings are seen.",
    ),
)
