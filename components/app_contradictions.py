"""What the settings of apps can't say together, and what of them has no effect on the stack's target."""

from collections.abc import Iterator, Mapping
from typing import Any

from components import app_sources, kubernetes_settings, public_names
from components.kubernetes_settings import Exposure
from components.ports import LAST_INSTANCE
from components.setting_contradictions import Context, Values, resolved_ports, rule
from components.setting_schema import Problem, key_text, nearest, shown
from components.setting_types import Target
from components.setting_values import size_text


def _apps(values: Values) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from sorted(values["apps"].items())


@rule("apps", "target")
def _an_app_has_a_place_and_an_image(values: Values, context: Context) -> Iterator[Problem]:
    for name, app in _apps(values):
        if values["target"] is Target.MANAGED:
            yield Problem(
                path=("apps", name),
                value=None,
                reason="target is managed: nothing runs there, so there is no place for an app",
                fix="set target to docker or kubernetes; the project that others run stays as it is (supabase.managed). Or write the app's "
                "environment to a file for where it runs: envFiles",
            )
        elif "image" not in app:
            key = key_text(context.project, ("apps", name, "image"))
            yield Problem(
                path=("apps", name, "image"),
                value=None,
                reason="nothing says what the app is",
                fix=f"give its image: pulumi config set --path {key} REFERENCE --stack {context.stack}",
            )


@rule("apps")
def _what_is_said_of_a_port_needs_one(values: Values, _context: Context) -> Iterator[Problem]:
    for name, app in _apps(values):
        for setting in ("publish", "hostPort", "healthPath", "host"):
            if setting in app and "port" not in app:
                value = getattr(app[setting], "value", app[setting])
                fix = "give port, or remove it"
                yield Problem(path=("apps", name, setting), value=shown(value), reason="the app listens on no port", fix=fix)
        if "publish" in app and "hostPort" in app:
            yield Problem(
                path=("apps", name, "hostPort"),
                value=str(app["hostPort"]),
                reason=f"publish says {app['publish'].value} for the same",
                fix="keep one of the two",
            )


@rule("apps", "instance", "ports", "app.port", "envFiles")
def _no_port_of_this_machine_twice(values: Values, context: Context) -> Iterator[Problem]:
    if not values["apps"] or (values["instance"] > LAST_INSTANCE and not values["ports"]["auto"]):
        return  # there are no ports to compare
    planned = {port: name for name, port in resolved_ports(values, project=context.project, stack=context.stack).items()}
    holders: dict[str, str] = {}
    for name, app in _apps(values):
        if "publish" in app:
            wanted, path, value = app["publish"].value, ("apps", name, "publish"), shown(app["publish"].value)
        elif "hostPort" in app:
            wanted, path, value = str(app["hostPort"]), ("apps", name, "hostPort"), str(app["hostPort"])
        else:
            continue
        other = holders.setdefault(wanted, name)
        if other != name:
            yield Problem(path=path, value=value, reason=f"app {other} has it already", fix="give each app a port of its own")
        elif "publish" not in app and app["hostPort"] in planned:
            reason = f"it is the port of {planned[app['hostPort']]} too"
            yield Problem(
                path=path, value=value, reason=reason, fix=f"choose another one, or move that under {context.project}:ports"
            )


@rule("apps", "appSecrets")
def _secret_variables_have_a_value(values: Values, context: Context) -> Iterator[Problem]:
    given = values.get("appSecrets", {})
    for name, app in _apps(values):
        env, hidden = app["env"], given.get(name, {})
        taken: dict[str, str] = {}
        for variable in sorted(set(env) & set(hidden)):
            key = key_text(context.project, ("appSecrets", name, variable))
            yield Problem(
                path=("apps", name, "env", variable),
                value=None,
                reason=f"{key} gives it too",
                fix=f"keep one of the two: pulumi config rm --path '{key}' --stack {context.stack}",
            )
        for secret, at in sorted(app["secrets"].items()):
            for key, variable in sorted(at["keys"].items()):
                yield from _one_key(("apps", name, "secrets", secret, "keys", key), variable, at, {**env, **hidden})
                if taken.setdefault(variable, f"{secret}.{key}") != f"{secret}.{key}":
                    yield Problem(
                        path=("apps", name, "secrets", secret, "keys", key),
                        value=shown(variable),
                        reason=f"{taken[variable]} is the same variable",
                        fix="keep one of the two",
                    )


def _one_key(path: tuple[str, ...], variable: str, at: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Problem]:
    if at["existing"] and variable in given:
        yield Problem(
            path=path,
            value=shown(variable),
            reason="the Secret exists already and has its value, and the settings give the variable another one",
            fix="remove the variable from env or appSecrets, or the Secret's `existing`",
        )
    elif not at["existing"] and variable not in given:
        guess = nearest(variable, sorted(given))
        yield Problem(
            path=path,
            value=shown(variable),
            reason="the app has no such variable, so the Secret's key would have no value",
            fix=f"{f'did you mean {guess}? ' if guess else ''}Give it under env or appSecrets; or say `existing: true` of a Secret that "
            "is there",
        )


@rule("apps", "target")
def _existing_secrets_are_the_clusters(values: Values, context: Context) -> Iterator[Problem]:
    if values["target"] is not Target.DOCKER:
        return
    for name, app in _apps(values):
        for secret in sorted(secret for secret, at in app["secrets"].items() if at["existing"]):
            key = key_text(context.project, ("appSecrets", name, "NAME"))
            yield Problem(
                path=("apps", name, "secrets", secret, "existing"),
                value="true",
                reason="a Docker daemon keeps no Secrets",
                fix=f"give the values to the stack instead: pulumi config set --secret --path '{key}' --stack {context.stack}",
            )


@rule("apps")
def _a_secret_belongs_to_one_app(values: Values, _context: Context) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for name, app in _apps(values):
        for secret in sorted(secret for secret, at in app["secrets"].items() if not at["existing"]):
            other = holders.setdefault(secret, name)
            if other != name:
                yield Problem(
                    path=("apps", name, "secrets", secret),
                    value=None,
                    reason=f"app {other} makes a Secret of that name, with its own values",
                    fix="give each a name of its own",
                )


@rule("apps")
def _browsers_get_no_secret(values: Values, _context: Context) -> Iterator[Problem]:
    fix = f"use {public_names.INSTEAD} there, or a variable of another name for the server"
    for name, app in _apps(values):
        for variable, value in sorted(app["env"].items()):
            if held := public_names.leaked(variable, value, app_sources.find):
                yield Problem(path=("apps", name, "env", variable), value=None, reason=public_names.why(held), fix=fix)
        for variable in sorted(filter(public_names.is_public, values.get("appSecrets", {}).get(name, {}))):
            yield Problem(path=("appSecrets", name, variable), value=None, reason=public_names.why(["its value"]), fix=fix)


@rule("apps")
def _apps_call_apps_that_there_are(values: Values, _context: Context) -> Iterator[Problem]:
    for name, app in _apps(values):
        for position, other in enumerate(app["connects"]):
            if "port" in values["apps"].get(other, {}):
                continue
            known = sorted(n for n, a in values["apps"].items() if "port" in a)
            guess = nearest(other, known)
            yield Problem(
                path=("apps", name, "connects", position),
                value=shown(other),
                reason="it listens on no port" if other in values["apps"] else "there is no such app",
                fix=f"{f'did you mean {guess}? ' if guess else ''}There are: {', '.join(known) or 'none'}",
            )


@rule("apps")
def _numbers_fit(values: Values, _context: Context) -> Iterator[Problem]:
    for name, app in _apps(values):
        most, given = app["autoscaling"].get("maxReplicas"), app["resources"]
        if most is not None and most < app["replicas"]:
            yield Problem(
                path=("apps", name, "autoscaling", "maxReplicas"),
                value=str(most),
                reason=f"it is less than replicas, which is {app['replicas']}: so many there are at least",
                fix="raise it, or lower replicas",
            )
        if given.get("memoryRequest", 0) > given.get("memoryLimit", float("inf")):
            yield _above(
                name,
                "memoryRequest",
                size_text(given["memoryRequest"]),
                f"memoryLimit, which is {size_text(given['memoryLimit'])}",
            )
        if _cores(given.get("cpuRequest", "0")) > _cores(given.get("cpuLimit", "1000")):
            yield _above(name, "cpuRequest", given["cpuRequest"], f"cpuLimit, which is {given['cpuLimit']}")


def _above(app: str, setting: str, value: str, limit: str) -> Problem:
    path = ("apps", app, "resources", setting)
    return Problem(path=path, value=value, reason=f"it is more than {limit}", fix="lower it, or raise the limit")


def _cores(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


@rule("apps", "target", "kubernetes.exposure")
def _a_public_name_is_brought_somewhere(values: Values, _context: Context) -> Iterator[Problem]:
    if values["target"] is not Target.KUBERNETES:
        return
    exposure = values["kubernetes"]["exposure"]
    kind = exposure["kind"]
    names = {exposure["host"]: "the API"} if "host" in exposure and kind is not Exposure.NONE else {}
    for name, app in _apps(values):
        if "host" not in app:
            continue
        path, value = ("apps", name, "host"), shown(app["host"])
        if kind not in (kubernetes_settings.Exposure.GATEWAY, kubernetes_settings.Exposure.INGRESS):
            yield Problem(
                path=path,
                value=value,
                reason=f"kubernetes.exposure.kind is {kind.value}, which brings no names to apps",
                fix="set that to gateway or ingress, or remove it",
            )
        elif (other := names.setdefault(app["host"], f"app {name}")) != f"app {name}":
            yield Problem(path=path, value=value, reason=f"it is the name of {other}", fix="give each a name of its own")


def app_warnings(values: Values, context: Context) -> Iterator[str]:
    """What is said of apps and has no effect on the stack's target, one line each. The settings have no problem."""
    if values["target"] is not Target.DOCKER:
        return
    for name, app in _apps(values):

        def key(*path: str, app: str = name) -> str:
            return key_text(context.project, ("apps", app, *path))

        if app["replicas"] > 1 or "maxReplicas" in app["autoscaling"]:
            yield f"{key('replicas')}: on Docker one of it runs, whatever the number"
        if not app["internet"]:
            yield f"{key('internet')} is false, which holds on Kubernetes alone: on Docker it may call whatever it wants"
        for setting in ("host", "tlsSecret"):
            if setting in app:
                yield f"{key(setting)} has no effect: target is docker"
        if "healthPath" in app and "publish" not in app and "hostPort" not in app:
            yield (
                f"{key('healthPath')} is not asked: on Docker that is done from this machine, where the app is not published "
                "(publish, hostPort)"
            )
