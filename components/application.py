"""The Application component: a service of the user's own, fed by the stack."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from components import env_template, placing
from components.app_settings import ApplicationSettings
from components.service import Service
from components.services import app as service
from components.setting_groups import complete
from components.targets.placement import Placement, TargetKind, reached, secure


class ApplicationArgs(TypedDict):
    """What an application can be told."""

    placement: Placement
    """Where it runs."""
    app: str
    """Its name, which is its host name in the stack, too."""
    settings: ApplicationSettings
    """Its settings; defaults for what is left out."""
    known: NotRequired[dict[str, str]]
    """Values that its environment may refer to and anyone may read, by name, as it reaches them."""
    values: NotRequired[dict[str, pulumi.Input[str]]]
    """The others. Always handled as secrets."""
    secrets: NotRequired[dict[str, pulumi.Input[str]]]
    """Secret variables of its own, by name. Always handled as secrets."""


def _settings(args: ApplicationArgs) -> dict[str, Any]:
    name = args["app"]
    found: dict[str, Any] = complete("apps", {name: args["settings"]})[name]
    if "image" not in found:
        raise pulumi.InputPropertyError("settings.image", "an app needs an image")
    there = {*args.get("known", {}), *args.get("values", {})}
    for variable, text in sorted(found["env"].items()):
        for missing in (value for value in env_template.names(text) if value not in there):
            raise pulumi.InputPropertyError(
                f"settings.env.{variable}",
                f"supastack:apps.{name}.env.{variable} refers to {missing}, which this stack does not have. Turn on what gives it, or take "
                f"the variable out.",
            )
    return found


def services(args: ApplicationArgs) -> Sequence[Service]:
    """The one service of an app with these args. Pure.

    Raises:
        pulumi.InputPropertyError: a setting is wrong.
    """
    return (service.app(args["app"], _settings(args), args.get("known", {}), sorted(args.get("secrets", {}))),)


def public_url(placement: Placement, settings: Mapping[str, Any]) -> str | None:
    """Where clients outside reach an app by a name of its own; None where they do not. `settings`: the app's, completed. Pure."""
    if "host" not in settings or TargetKind(placement["target"]) is not TargetKind.KUBERNETES:
        return None
    return f"{'https' if secure(placement, tls_secret=settings.get('tlsSecret'), own_tls=False) else 'http'}://{settings['host']}"


def address(placement: Placement, app: Service, settings: Mapping[str, Any]) -> str | None:
    """Where clients reach an app, as a URL: by its public name, else on this machine or, on Kubernetes, in the cluster. Pure.

    Args:
        placement: Where it is.
        app: Its service.
        settings: Its settings, completed.

    Returns None where it listens on no port, or, on Docker, publishes none.
    """
    if (url := public_url(placement, settings)) is not None:
        return url
    port = next(iter(app.ports), None)
    if port is None or (port.publish is None and TargetKind(placement["target"]) is not TargetKind.KUBERNETES):
        return None
    return f"http://{reached(placement, app.name, port)}"


class Application(pulumi.ComponentResource):
    """A service of the user's own."""

    url: pulumi.Output[str]
    """Where clients reach it: by its public name, else from this machine or, on Kubernetes, in the cluster; empty where they do not."""
    ready: pulumi.Output[list[str]]
    """Ids of what was placed: known once all of it exists."""

    def __init__(self, name: str, args: ApplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("supastack:index:Application", name, {}, opts)
        settings = _settings(args)
        made = services(args)
        # Its name need not stand twice in that of each child.
        placed = placing.place(
            self, name.removesuffix(f"-{args['app']}"), args["placement"], made, _secrets(args, settings, made)
        )
        self.url = pulumi.Output.from_input(address(args["placement"], made[0], settings) or "")
        self.ready = placed.ready
        self.register_outputs({"url": self.url, "ready": self.ready})


def _secrets(args: ApplicationArgs, settings: Mapping[str, Any], made: Sequence[Service]) -> dict[str, pulumi.Output[str]]:
    """The secrets of its service: variables that a secret stands in, and its own."""
    own = {name: pulumi.Output.secret(value) for name, value in args.get("secrets", {}).items()}
    wanted = {name for one in made for name in one.secrets} - own.keys()
    sources: dict[str, pulumi.Input[str]] = {**args.get("known", {}), **args.get("values", {})}
    return {**own, **{name: _filled(settings["env"][name], sources) for name in sorted(wanted)}}


def _filled(text: str, sources: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    used = {name: sources[name] for name in env_template.names(text)}
    filled: pulumi.Output[str] = pulumi.Output.all(**used).apply(env_template.filler(text))
    return pulumi.Output.secret(filled)
