"""Every service of a Supabase stack against what its image wants.

That stands in the rows of tests/contract/upstream, whose README says how to read them.
"""

import copy
import fnmatch
import re
from functools import cache
from itertools import pairwise

import pytest
import yaml

from components import releases
from components.service import Address, AddressPart, Encoding, Gate, Secret, providers
from components.services import secret_names as names
from components.supabase_settings.override import SERVICES
from components.supabase_stack import services
from tests.clone_root import ROOT
from tests.unit.components.placements import placement

FOLDER = ROOT / "tests/contract/upstream"
KEYS = {
    *("source", "like", "image", "env", "ports", "health", "volumes", "files", "gates", "command", "entrypoint"),
    *("optional", "gainsPrivileges", "collectsLogs", "deviations", "unknown", "gotchas"),
}
PARTS = {"always", "asymmetric", "symmetric", "logs", "no-logs", "file", "s3", "optional"}
# What upstream calls a secret, and what we call it. A variable of one of these names that holds anything else is refused below.
SECRETS = {
    "POSTGRES_PASSWORD": names.DATABASE_PASSWORD,
    "JWT_SECRET": names.JWT_SECRET,
    "ANON_KEY": names.ANON_KEY,
    "SERVICE_ROLE_KEY": names.SERVICE_ROLE_KEY,
    "SUPABASE_PUBLISHABLE_KEY": names.PUBLISHABLE_KEY,
    "SUPABASE_SECRET_KEY": names.SECRET_KEY,
    "JWT_KEYS": names.JWT_KEYS,
    "JWT_JWKS": names.JWT_JWKS,
    "ANON_KEY_ASYMMETRIC": names.ANON_KEY_ASYMMETRIC,
    "SERVICE_ROLE_KEY_ASYMMETRIC": names.SERVICE_ROLE_KEY_ASYMMETRIC,
    "DASHBOARD_PASSWORD": names.DASHBOARD_PASSWORD,
    "SECRET_KEY_BASE": names.SECRET_KEY_BASE,
    "REALTIME_DB_ENC_KEY": names.REALTIME_DB_ENC_KEY,
    "VAULT_ENC_KEY": names.VAULT_ENC_KEY,
    "PG_META_CRYPTO_KEY": names.PG_META_CRYPTO_KEY,
    "S3_PROTOCOL_ACCESS_KEY_ID": names.S3_PROTOCOL_ACCESS_KEY_ID,
    "S3_PROTOCOL_ACCESS_KEY_SECRET": names.S3_PROTOCOL_ACCESS_KEY_SECRET,
    "LOGFLARE_PUBLIC_ACCESS_TOKEN": names.LOGFLARE_PUBLIC_ACCESS_TOKEN,
    "LOGFLARE_PRIVATE_ACCESS_TOKEN": names.LOGFLARE_PRIVATE_ACCESS_TOKEN,
    "S3_ACCESS_KEY": names.S3_ACCESS_KEY,
    "S3_SECRET_KEY": names.S3_SECRET_KEY,
}
UPSTREAM = {ours: theirs for theirs, ours in SECRETS.items()}
# One key for all in 2024; ours for it is the one that Vector may know.
ALIASES = {"{LOGFLARE_API_KEY}": "{LOGFLARE_PUBLIC_ACCESS_TOKEN}"}
STORE = {
    "endpoint": "http://store:9000",
    "bucket": "files",
    "region": "us-east-1",
    "access_key": "an-access-key",
    "secret_key": "a-secret-key",
}
# Two stacks hold all parts of the rows: everything on, files on a volume; and without logs and new keys, files in a store.
STACKS = ("full", "plain")


# -- the rows ---------------------------------------------------------------------------------------------------------


@cache
def read(release):
    return yaml.safe_load((FOLDER / f"{release}.yaml").read_text())


def row(release, service):
    held = copy.deepcopy(read(release)["services"][service])
    if "like" in held:
        return {**row(held["like"], service), **held}
    return held


def wanted(release, service, stack):
    """What upstream wants, as flat facts: place -> value, and the names that may be there."""
    held = row(release, service)
    parts = {
        "always",
        "logs" if "analytics" in built(release, stack) else "no-logs",
        "file" if stack == "full" else "s3",
        "asymmetric" if stack == "full" and releases.load(release, local=False).features.opaque_keys else "symmetric",
    }
    facts = {"image": held["image"], "optional": held["optional"]}
    for part in sorted(parts):
        facts |= {
            f"env.{name}": ALIASES.get(form, form) if isinstance(form, str) else form
            for name, form in held.get("env", {}).get(part, {}).items()
        }
    facts |= {f"ports.{number}": publish for number, publish in held.get("ports", {}).items()}
    facts |= {f"volumes.{path}": mode for path, mode in held.get("volumes", {}).items()}
    facts |= {f"files.{path}": "there" for path in held.get("files", [])}
    facts |= {f"gates.{other}": gate for other, gate in held.get("gates", {}).items()}
    if "health" in held:
        facts |= {f"health.{key}": value for key, value in {"start": 0, **held["health"]}.items()}
    facts |= {key: held[key] for key in ("command", "entrypoint", "gainsPrivileges", "collectsLogs") if key in held}
    return facts, held.get("env", {}).get("optional", {})


# -- our services -----------------------------------------------------------------------------------------------------


def written(text):
    """A text as the rows write it."""
    parts = []
    for part in text.parts:
        if isinstance(part, Secret):
            how = "" if part.encoding is Encoding.RAW else f":{part.encoding.value}"
            parts.append(f"{{{UPSTREAM.get(part.name, part.name)}{how}}}")
        elif isinstance(part, Address):
            which = {AddressPart.HOST: ".host", AddressPart.PORT: ".port", AddressPart.HOST_PORT: ""}[part.part]
            parts.append(f"{{{part.capability}{which}}}")
        else:
            parts.append(part)
    return re.sub(r"\{([a-z0-9-]+)\.host\}:\{\1\.port\}", r"{\1}", "".join(parts))


@cache
def built(release, stack):
    everything = {name: {"enabled": True} for name in SERVICES if name != "postgres"}
    settings = dict(everything) if stack == "full" else {"keys": {"asymmetric": False}}
    held = releases.load(release, local=False)
    settings = {name: group for name, group in settings.items() if name == "keys" or held.has(held.role(name))}
    args = {"placement": placement(release=release, local_images=False), "settings": settings}
    if stack == "plain":
        args["object_store"] = STORE
    return {service.name: service for service in services(args) if not service.off}


def ours(release, service, stack):
    """Our service, as flat facts."""
    stack_of = built(release, stack)
    made = stack_of[service]
    provider = {capability: other.name for capability, other in providers(stack_of.values()).items()}
    facts = {"image": made.image.reference, "optional": made.optional}
    facts |= {f"env.{name}": written(text) for name, text in made.env.items()}
    facts |= {f"ports.{port.number}": port.publish for port in made.ports}
    facts |= {f"volumes.{volume.path}": "rw" for volume in made.volumes}
    facts |= {f"volumes.{held.path}": "ro" if held.read_only else "rw" for held in (*made.mounts, *made.folders)}
    facts |= {f"files.{file.path}": "there" for file in made.files}
    facts |= {
        f"gates.{provider.get(edge.capability, edge.capability)}": edge.gate.value
        for edge in made.connects
        if edge.gate is not Gate.NONE
    }
    if made.health is not None:
        check = made.health
        facts |= {"health.command": list(check.command), "health.interval": check.interval, "health.timeout": check.timeout}
        facts |= {"health.retries": check.retries, "health.start": check.start_period}
    facts |= {key: list(words) for key, words in (("command", made.command), ("entrypoint", made.entrypoint)) if words}
    facts |= {"gainsPrivileges": True} if made.gains_privileges else {}
    facts |= {"collectsLogs": True} if made.collects_logs else {}
    return facts


# -- comparing --------------------------------------------------------------------------------------------------------


def fits(form, value):
    """Whether our value is one that the row allows."""
    if form is None:
        return True
    if isinstance(form, dict):
        return re.fullmatch(form["matches"], str(value)) is not None
    if isinstance(form, list) and not isinstance(value, list):
        return any(fits(one, value) for one in form)
    return form == value


def known(place, value, optional):
    """Whether a variable is one that the image knows without needing it."""
    name = place.removeprefix("env.")
    fitting = [form for pattern, form in optional.items() if fnmatch.fnmatchcase(name, pattern)]
    return place.startswith("env.") and any(fits(form, value) for form in fitting)


def differences(facts, optional, found):
    """Places at which ours is not what is wanted: place -> (wanted, ours)."""
    nothing = "none"
    differing = {place: (form, found.get(place, nothing)) for place, form in facts.items() if place not in found}
    for place, value in found.items():
        if place in facts:
            # Published or not, and the gates, are facts, too where they are empty.
            if not (facts[place] == value if place.startswith("ports.") else fits(facts[place], value)):
                differing[place] = (facts[place], value)
        elif not known(place, value, optional):
            differing[place] = (nothing, value)
    return differing


def explained(held):
    """The deviations of a row: place or pattern -> ours. A mapping stands for the places under one."""
    found = {}
    for deviation in held.get("deviations", []):
        at, own = deviation["at"], deviation["ours"]
        for place in [at] if isinstance(at, str) else at:
            if isinstance(own, dict) and "matches" not in own:
                found |= {f"{place}.{key}": value for key, value in own.items()}
            else:
                found[place] = own
    return found


def case(release, service):
    return pytest.param(release, service, id=f"{release}-{service}")


ROWS = [
    case(release, service)
    for release in releases.names()
    if (FOLDER / f"{release}.yaml").exists()
    for service in read(release)["services"]
]
each_row = pytest.mark.parametrize(("release", "service"), ROWS)
each_release = pytest.mark.parametrize("release", releases.names())


@each_row
@pytest.mark.parametrize("stack", STACKS)
def test_the_service_is_what_its_image_wants_but_for_the_deviations_that_are_listed(release, service, stack):
    if service not in built(release, stack):
        assert stack == "plain", "with everything turned on, it runs"
        pytest.skip("off in this stack")
    facts, optional = wanted(release, service, stack)
    allowed = explained(row(release, service))
    left = {}
    for place, (form, value) in differences(facts, optional, ours(release, service, stack)).items():
        reasons = [own for pattern, own in allowed.items() if fnmatch.fnmatchcase(place, pattern)]
        if not any(fits(own, value) for own in reasons):
            left[place] = f"wanted {form!r}, is {value!r}"
    assert left == {}


@each_row
def test_no_deviation_is_listed_that_is_none(release, service):
    seen = set()
    for stack in STACKS:
        if service in built(release, stack):
            facts, optional = wanted(release, service, stack)
            seen |= set(differences(facts, optional, ours(release, service, stack)))
    # Those that a row takes over from another release may be too many for this one.
    for pattern in explained(read(release)["services"][service]):
        assert fnmatch.filter(sorted(seen), pattern), f"{pattern}: ours is what upstream wants"


@each_release
def test_every_release_has_rows_and_every_service_one(release):
    assert (FOLDER / f"{release}.yaml").exists()
    for stack in STACKS:
        assert set(built(release, stack)) <= set(read(release)["services"])


@each_release
def test_there_is_no_row_without_a_service(release):
    assert set(read(release)["services"]) == set(built(release, "full"))


def test_there_are_no_rows_without_a_release():
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(releases.names())


@each_row
def test_a_row_says_where_it_is_from_and_why_we_deviate(release, service):
    held = row(release, service)
    assert set(held) <= KEYS
    assert set(held.get("env", {})) <= PARTS
    assert held["source"]
    for deviation in held.get("deviations", []):
        assert set(deviation) == {"at", "ours", "why"}
        assert len(deviation["why"]) > 20, deviation


@each_release
@pytest.mark.parametrize("stack", STACKS)
def test_no_secret_is_written_out(release, stack):
    """By name: what upstream calls a password, key, token or secret is a reference to one of ours, or empty."""
    for service in built(release, stack).values():
        for name, text in service.env.items():
            if re.search(r"PASSWORD|PASS$|SECRET|_KEY(S|_ID|_BASE)?$|TOKEN|JWKS|^ANON_KEY|^SERVICE_KEY", name):
                assert text.secrets or not written(text), f"{service.name}: {name}"


@each_release
def test_no_secret_stands_in_an_argument(release):
    for service in built(release, "full").values():
        words = (*service.command, *service.entrypoint, *(service.health.command if service.health else ()))
        assert not any(isinstance(word, Secret) for word in words)
        for before, word in pairwise(("", *words)):
            assert not re.search(r"eyJ[\w-]+\.", word), f"{service.name}: {before} {word}"
