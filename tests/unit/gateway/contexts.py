"""What a gateway is made from, for tests."""

from components import releases
from components.services.context import Context, Urls
from components.setting_groups import complete
from components.supabase_settings.override import SERVICES

ALL = frozenset(SERVICES)


def context(release: str = "2026-09", *, running=ALL, urls: Urls | None = None, keys=None, **gateway) -> Context:
    """The context of a stack with these settings of the gateway and the keys."""
    return Context(
        release=releases.load(release, local=False),
        settings=complete("supabase", {"gateway": gateway, "keys": keys or {}}),
        running=frozenset(running),
        secrets=frozenset(),
        urls=urls or Urls(api="http://127.0.0.1:54321", studio="http://127.0.0.1:54323", site="http://127.0.0.1:3025"),
        project_ref="abcdefghijklmnopqrst",
    )
