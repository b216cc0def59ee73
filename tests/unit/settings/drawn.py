"""Whole configurations that are right, drawn by hypothesis from the declaration."""

from datetime import date
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from components.secret_settings import given as given_secrets
from components.setting_contradictions import Context, contradictions
from components.setting_schema import Field, fields, validate
from components.setting_types import PortSettings, StackSettings
from components.setting_values import size_text
from components.settings import PROJECT, ROOT
from tests.unit.settings.declared import (
    choices_of,
    is_choice,
    is_list_of_groups,
    is_size,
    lacks_samples,
    secrets_for,
    with_defaults_of,
)
from tests.unit.settings.samples import TEXTS

_TEXT_BYTES = (1 << 10, 1 << 20, 1 << 30)


def valid_values(field: Field) -> st.SearchStrategy[Any]:
    """Return a strategy for values of one setting that are right by themselves."""
    setting, kind = field.setting, get_origin(field.type)
    if is_list_of_groups(field):
        return st.just([])
    if field.group is not None:
        group = valid_group(field.group)
        if kind is dict:
            return st.dictionaries(_names(field), group, max_size=2)
        return st.one_of(group, st.just("auto")) if field.type is PortSettings else group
    if choices_of(field):
        return st.sampled_from(choices_of(field))
    if field.type is bool:
        return st.booleans()
    if field.type is int:
        return st.integers(setting.minimum, setting.maximum)
    if is_size(field):
        return sizes(setting.minimum or 0, setting.maximum or 0)
    texts = _right_texts(field) if field.item is None else valid_values(field.item)
    if kind is dict:
        return st.dictionaries(_names(field), texts, max_size=2)
    return st.lists(texts, min_size=setting.minimum or 0, max_size=3, unique=True) if kind is list else texts


def _names(field: Field) -> st.SearchStrategy[str]:
    assert field.setting.key_check is not None
    return st.sampled_from(TEXTS[field.setting.key_check].right)


def _right_texts(field: Field) -> st.SearchStrategy[str]:
    (kind,) = get_args(field.type)[-1:] or (field.type,)
    if is_choice(kind):
        return st.sampled_from([member.value for member in kind])
    assert field.setting.check in TEXTS, f"{field.path}: add samples for its check to `samples`"
    return st.sampled_from(TEXTS[field.setting.check].right)


@st.composite
def sizes(draw: st.DrawFn, low: int, high: int) -> str:
    """Draw a size as text."""
    unit = draw(st.sampled_from([unit for unit in _TEXT_BYTES if unit <= high]))
    text = size_text(draw(st.integers(-(-low // unit), high // unit)) * unit)
    return text.upper() if draw(st.booleans()) else text


def valid_group(owner: type) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for groups, with any of their settings left out, each right by itself."""
    known = {name: field for name, field in fields(owner).items() if not field.setting.secret and not lacks_samples(field)}
    optional = {name: valid_values(field) for name, field in known.items()}
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def valid_configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw settings that are right together."""
    config: dict[str, Any] = draw(valid_group(StackSettings))
    ports = config.get("ports", {})
    if ports != "auto":
        taken: set[int] = set()
        for name in [name for name in ports if name != "auto"]:
            # 40000 to 49999 is in nobody's plan.
            ports[name] = 40000 + ports[name] % 10000
            if ports[name] in taken:
                del ports[name]
            else:
                taken.add(ports[name])
        if not ports.get("auto", False) and config.get("instance", 1) > 12:
            config["instance"] = config["instance"] % 12 + 1
    if config.get("target") == "managed":
        del config["target"]  # each capability would have to be others': tests of their own have that
    config.get("supabase", {}).get("managed", {}).pop("ref", None)  # it wants keys of that very project
    if config.get("compat") == "cli":
        for name in ("target", "bindAddress", "docker"):
            config.pop(name, None)
    if "app" in config:
        config["app"].pop("port", None)
        if ports != "auto" and "app" in ports and draw(st.booleans()):
            config["app"]["port"] = ports["app"]
    database = config.get("supabase", {}).get("database", {})
    if any(name in database for name in ("sharedBuffers", "workMem", "maintenanceWorkMem", "memory")):
        database["memory"] = "4tb"
    if {"memory", "maxMemory"} & config.get("cache", {}).keys():
        config["cache"]["memory"] = "4tb"
    plain = config.get("plainDatabase", {})
    if "parameters" in plain or "memory" in plain:
        plain["memory"] = "4tb"
    if plain.get("readOnlyRole") == plain.get("user", "app"):
        plain.pop("readOnlyRole", None)
    store = config.get("objectStorage", {})
    engine = store.get("engine", "seaweedfs")
    if engine == "external":
        store |= {"endpoint": store.get("endpoint", "https://s3.example.com"), "accessKey": store.get("accessKey", "key")}
    else:
        store.pop("endpoint", None)
    if "fallback" in store and (engine == "external" or store["fallback"] in (engine, "external")):
        del store["fallback"]
    for app, file in config.get("envFiles", {}).items():
        file["path"] = f"{app}/{file['path'].rsplit('/', 1)[-1]}" if "path" in file else f"{app}/.env"
    return _without_contradictions(config)


def _names_of(secrets: dict[str, Any]) -> set[str]:
    """Return the names by which the rules know secrets."""
    return {".".join(path) for path, _ in given_secrets(secrets)}


def _without_contradictions(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without what can't stand beside the rest of its group."""
    for _ in range(100):
        values, wrong = validate(with_defaults_of(config))
        context = Context(project=PROJECT, stack="dev", root=ROOT, secrets=_names_of(secrets_for(config)), today=date(2026, 6, 1))
        # A target may want settings that are not there at all.
        found = [
            p
            for p in contradictions(values, context)
            if isinstance(config.get(str(p.path[0])), dict) or p.path[0] == "kubernetes"
        ]
        if wrong or not found:
            break
        place, path = config, [str(part) for part in found[0].path]
        while len(path) > 1 and isinstance(place.get(path[0]), dict):
            place = place[path.pop(0)]
        if path[0] in place:
            del place[path[0]]
        else:  # what it lacks is wanted by another setting of its group
            top = str(found[0].path[0])
            config[top].pop(str(found[0].path[1]), None) if top == "supabase" else config.pop(
                "target" if top == "kubernetes" else top
            )
    return config
