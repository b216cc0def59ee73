"""The apps of a stack before anything is made: their components' args, and what they ask for that can't be had."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import pulumi

from components import app_values, application
from components.app_settings import ApplicationSettings
from components.application import ApplicationArgs
from components.env_template import names
from components.service import Service
from components.setting_groups import complete
from components.settings import Settings
from components.targets.kubernetes.concerns import secret_object
from components.targets.placement import Placement

COMPONENT: Final = "app"
"""What all apps are called as a part of the stack; the component of one of them is `app-<name>`."""
_PARTS: Final = ("env", "secret-files")
"""Ends of the names of the Secrets that a service has of its own on Kubernetes."""
_URLS: Final = {"app": "APP_URL", "backend": "BACKEND_URL"}
"""Values that say where an app is, by its port in the port plan."""


def args(
    settings: Settings,
    app: str,
    placement: Placement,
    services: Iterable[Service],
    values: Mapping[str, str | None],
    given: Mapping[str, pulumi.Input[Any]] | None = None,
) -> ApplicationArgs:
    """Args of one app's component.

    Args:
        settings: Of the stack.
        app: The app's name.
        placement: Where it goes.
        services: All of the stack.
        values: All values of the stack, as `Plan.values` has them.
        given: Those of them that are made, in a deployment.
    """
    own = settings.given("apps")[app]
    known = app_values.known(values, services)
    wanted = {name for text in own["env"].values() for name in names(text)} - known.keys()
    hidden = sorted(name for name in wanted if name in values)
    beginning = f"appSecrets.{app}."
    # Outside of a deployment they count by their names.
    secrets: dict[str, pulumi.Input[str]] = {
        path.removeprefix(beginning): value.get_secret_value()
        for path, value in settings.secrets.items()
        if path.startswith(beginning)
    }
    # A plan is pure: outputs are made in a deployment alone.
    made: dict[str, pulumi.Input[Any]] = dict.fromkeys(hidden, "") if given is None else app_values.made(given, hidden, services)
    return ApplicationArgs(
        placement=placement,
        app=app,
        settings=cast("ApplicationSettings", own),
        known=known,
        values=made,
        secrets={**dict.fromkeys(settings.app_secrets.get(app, ()), ""), **secrets},
    )


def urls(settings: Settings, placement: Placement) -> dict[str, str]:
    """Values that say where an app is, for those that have a public name."""
    found = {}
    for app in completed(settings).values():
        url = application.public_url(placement, app)
        if url is not None and "publish" in app:
            found[_URLS[app["publish"].value]] = url
    return found


def told(settings: Settings, placement: Placement, apps: Iterable[Service]) -> dict[str, dict[str, str]]:
    """What the output APPS tells of each app: its `url`, where clients reach it, and its `healthPath`, as far as it has these.

    Args:
        settings: Of the stack.
        placement: Where the apps are.
        apps: Their services.
    """
    given, found = completed(settings), {}
    for app in apps:
        health = app.http_health
        known = {
            "url": application.address(placement, app, given[app.name]),
            "healthPath": None if health is None else health.path,
        }
        found[app.name] = {name: value for name, value in known.items() if value is not None}
    return found


def completed(settings: Settings) -> dict[str, dict[str, Any]]:
    """The settings of all apps, by name."""
    return complete("apps", settings.given("apps"))


def problems(settings: Settings, apps: Iterable[Service], others: Mapping[str, Iterable[Service]]) -> Iterator[str]:
    """Names that are taken, one line each.

    Args:
        settings: Of the stack.
        apps: The services of all apps.
        others: All others, by component.
    """
    apps = tuple(apps)
    taken = {service.name for services in others.values() for service in services}
    secrets = {secret_object(component, name) for component, services in others.items() for s in services for name in s.secrets}
    for app in apps:
        if app.name in taken:
            yield f"{settings.project}:apps.{app.name}: a service of the stack is called {app.name} already. Choose another name."
        elsewhere = {f"{name}-{part}" for name in {*taken, *(a.name for a in apps)} - {app.name} for part in _PARTS}
        for secret in sorted({at.secret for at in app.secret_keys.values() if not at.existing} & (secrets | elsewhere)):
            yield f"{settings.project}:apps.{app.name}.secrets.{secret}: the stack makes a Secret of that name itself. Choose another name."
