"""EnvFile's provider as the engine asks it, for tests."""

import os
import stat
from pathlib import Path

from components import env_files
from components.env_apps.nextjs import NEXTJS
from components.env_file import EnvFileProvider

VALUES = {"INSTANCE_ID": "1", "ADMIN_NAME": "Ann", "ADMIN_PASSWORD": "hush", "DATABASE_URL": "postgresql://u:psst@h/d"}
FOREIGN = "MINE=1\n"
provider = EnvFileProvider()


def bag(**over):
    return {
        "app": "nextjs",
        "path": ".env",
        "format": "dotenv",
        "overwrite": False,
        "project": "supastack",
        "stack": "dev",
        "layout": env_files.shape(NEXTJS),
        "values": dict(VALUES),
        "revisions": {"ADMIN_PASSWORD": 0, "DATABASE_URL": 0},
        "drift": [],
        **over,
    }


def refusals(news, olds=None):
    failures = provider.check(olds or {}, news).failures
    assert all(failure.property == "" for failure in failures)  # the engine would print the property's value
    return [failure.reason for failure in failures]


def made(**over):
    props = bag(**over)
    assert refusals(props) == []
    return provider.create(props).outs


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def leftovers():
    return sorted(p.name for p in Path().iterdir() if p.name not in (".env", ".supastack"))


def edit(old, new):
    Path(".env").write_text(Path(".env").read_text().replace(old, new))
