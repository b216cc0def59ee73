"""What the data on a kept volume was written by, and what to do where another server would get it.

An identity is one word, fit for a label on every target: `minio`, `postgres-17`, and where the server's user id is known,
`postgres-17.uid-999`. Two that both know a user id differ where it differs; one that does not know it says nothing of it.
"""

import re
from typing import Final

_USER: Final = ".uid-"


def identity(writer: str, user: int | None = None) -> str:
    """The identity of what `writer` writes as `user`; None: nobody knows as whom."""
    return writer if user is None else f"{writer}{_USER}{user}"


def refusal(volume: str, held: str, wanted: str, setting: str) -> str | None:
    """Why a server must not get the volume, with the steps to take; None where it may.

    Args:
        volume: Name of the volume.
        held: Identity of what wrote its data.
        wanted: Identity of what would get it.
        setting: The settings that choose the server.
    """
    writer, _, user = held.partition(_USER)
    new_writer, _, new_user = wanted.partition(_USER)
    if writer != new_writer:
        return _other_writer(volume, writer, new_writer, setting)
    if user and new_user and user != new_user:
        return (
            f"volume {volume} holds files of user {user}, and the server of {writer} now runs as user {new_user} ({setting}). Nothing "
            f"was touched. Set it back; or give the files to the new user: `make down`, `docker run --rm -u 0 -v {volume}:/data "
            f"--entrypoint chown IMAGE -R {new_user} /data` with the new database image, and then say so: "
            f"`pulumi config set --path supastack:supabase.dataOwner {new_user}`."
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
        f"along: with the old release up, dump it (`pg_dumpall --dbname` with DB_URL) and copy /etc/postgresql-custom out of the "
        f"database's container, for the root key of vault; then `make down`, `docker volume rm {volume}`, `make up` with the new release, "
        f"put the key back and load the dump.{script}"
    )
