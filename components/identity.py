"""What the data on a kept volume was written by, and what to do where another server would get it.

An identity is one word, fit for a label on every target: `minio`, `postgres-17`; behind it the database's name where it is not the
usual one, the server's user id where it is known, and where its image came from where that matters:
`postgres-17.db-shop.uid-999.from-local`. Two that both know a user id, or a source, differ where it differs; one that does not know it,
as those of volumes from before it was written down, says nothing of it. Of a registry's image of supabase/postgres nobody knows it before
the server runs: the mark in its data remembers it, and its health check refuses another one (components/sql/health.sh).
"""

import re
from typing import Final

from components.service import Image

_FORM: Final = re.compile(
    r"(?P<writer>.+?)(?:\.db-(?P<database>[^.]+))?(?:\.uid-(?P<user>[0-9]+))?(?:\.from-(?P<source>local|registry))?"
)


def source_of(image: Image) -> str | None:
    """Where a server's image comes from, as its data remembers it; None for a stub, which writes none."""
    return image.kind if image.reference and image.kind in ("local", "registry") else None


def identity(writer: str, *, database: str | None = None, user: int | None = None, source: str | None = None) -> str:
    """The identity of what `writer` writes.

    Args:
        writer: The server, and of its version what its data depends on.
        database: Name that the data was initialised with; None: the usual one.
        user: User id that it runs as; None: nobody knows.
        source: Where its image comes from (`source_of`); None: nobody knows, or its data is the same from everywhere.
    """
    parts = {"db": database, "uid": user, "from": source}
    return writer + "".join(f".{name}-{value}" for name, value in parts.items() if value is not None)


def refusal(volume: str, held: str, wanted: str, setting: str) -> str | None:
    """Why a server must not get the volume, with the steps to take; None where it may.

    Args:
        volume: Name of the volume.
        held: Identity of what wrote its data.
        wanted: Identity of what would get it.
        setting: The settings that choose the server.
    """
    old, new = _FORM.fullmatch(held), _FORM.fullmatch(wanted)
    if held == wanted or old is None or new is None:
        return None
    if old["writer"] != new["writer"]:
        return _other_writer(volume, old["writer"], new["writer"], setting)
    if old["source"] and new["source"] and old["source"] != new["source"]:
        return _other_source(volume, old["writer"], old["source"], new["source"])
    if old["database"] != new["database"]:
        before, now = (f"the database {m['database']}" if m["database"] else "the usual database" for m in (old, new))
        return (
            f"volume {volume} was initialised with {before}, and the settings ask for {now} ({setting}). Nothing was touched. Set it "
            f"back; or dump the data, give the volume up (`make down`, `docker volume rm {volume}`, `make up`) and load the dump."
        )
    if old["user"] and new["user"] and old["user"] != new["user"]:
        return (
            f"volume {volume} holds files of user {old['user']}, and the server of {new['writer']} now runs as user {new['user']} "
            f"({setting}). Nothing was touched. Set it back; or give the files to the new user: `make down`, `docker run --rm -u 0 "
            f"-v {volume}:/data --entrypoint chown IMAGE -R {new['user']} /data` with the new database image, and then say so: "
            f"`pulumi config set --path supastack:supabase.dataOwner {new['user']}`."
        )
    return None


def _other_writer(volume: str, old: str, new: str, setting: str) -> str:
    majors = re.fullmatch(r"postgres-(\d+) postgres-(\d+)", f"{old} {new}")
    if majors is None:
        return (
            f"volume {volume} holds data of {old}, which {new} can't read ({setting}). Nothing was touched. Set it back; or save the "
            f"data and give the volume up: `make down`, `docker volume rm {volume}`, `make up`."
        )
    # supabase-contract.md 7: the script's needs; issue 24 of supabase-issues.md: the root key.
    script = (
        " Upstream's own way, utils/upgrade-pg17.sh (root, bash, twice the data's size and 5 GB free), is written for its compose folders."
        if majors.groups() == ("15", "17")
        else ""
    )
    return (
        f"volume {volume} holds data of {old}, which {new} can't read ({setting}). Nothing was touched. Set it back; or take the data "
        f"along: with the old release up, dump it (`pg_dumpall --no-role-passwords --dbname` with DB_URL) and copy "
        f"/etc/postgresql-custom out of the database's container, for the root key of vault; then `make down`, "
        f"`docker volume rm {volume}`, `make up` with the new release, put the key back and load the dump.{script}"
    )


# By where the image comes from.
_SOURCES: Final = {"local": "an image that was built on the machine", "registry": "a registry's image"}


def _other_source(volume: str, writer: str, old: str, new: str) -> str:
    """The same server from elsewhere: what stands beside it differs, and with the system's library the order of texts in indexes."""
    url, key = ("PLAIN_DB_URL", "") if writer.startswith("plain-") else ("DB_URL", ", and copy /etc/postgresql-custom out of it")
    return (
        f"volume {volume} was initialised by {_SOURCES[old]} of {writer}, and would now get {_SOURCES[new]} (supastack:imageSource, or an "
        f"image in supastack:images.overrides): its roles, its extensions and the order of its texts are others. Nothing was touched. "
        f"Set it back; or take the data along: with the old image up, dump it (`pg_dumpall --no-role-passwords --dbname` with {url}){key}; "
        f"then `make down`, `docker volume rm {volume}`, `make up` with the new image, and load the dump."
    )
