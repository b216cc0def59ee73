"""The templates of the apps that are built in: a file for each system."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from components.env_app import App
from components.env_apps import cleanmatex, kpi, monopilot, nextjs, supabase

APPS: Final[Mapping[str, App]] = MappingProxyType(
    {
        app.name: app
        for app in (
            nextjs.NEXTJS,
            kpi.KPI,
            kpi.BACKEND,
            kpi.FRONTEND,
            cleanmatex.CLEANMATEX,
            monopilot.MONOPILOT,
            supabase.SUPABASE,
            supabase.CLI,
        )
    }
)
"""Every app that has a template, by name."""
