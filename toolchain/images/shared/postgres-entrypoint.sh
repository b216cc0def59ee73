#!/bin/bash
# Entrypoint of the postgres and postgres-plain images, which set PG_MAJOR.
# Makes the database cluster on an empty volume, then starts the server as user postgres.
#
# The cluster is made in a folder inside the volume and moved to its place when all initialisation has succeeded, PG_VERSION
# last. So a cluster that looks complete is complete; what an interrupted start left behind is never mistaken for one.
set -Eeuo pipefail
shopt -s nullglob dotglob

BUILDING="$PGDATA/.supastack-initialising"
FINISHED="$PGDATA/.supastack-initialised"
# The server that makes the database listens here alone, so that no health check takes it for the real one.
PRIVATE=/var/run/postgresql/.supastack-initialising

say() { echo "docker-entrypoint: $*" >&2; }
refuse() {
    say "error: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

# POSTGRES_PASSWORD_FILE and the like: the value comes from a file, so that it is not in the container's settings.
from_file() {
    local name=$1 file="${1}_FILE"
    if [ -n "${!file-}" ]; then
        [ -z "${!name-}" ] || refuse "$name and $file are both set. Set one of them."
        [ -r "${!file}" ] || refuse "$file names ${!file}, which can't be read. Mount the file, readable for this container."
        export "$name=$(< "${!file}")"
    fi
    unset "$file"
}

as_root() {
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres:postgres /var/run/postgresql
    chmod 3775 /var/run/postgresql
    find "$PGDATA" ! -user postgres -exec chown postgres:postgres {} +
    export HOME=/var/lib/postgresql USER=postgres
    exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
}

check_volume() {
    if [ -d "$FINISHED" ]; then
        say "a start was interrupted after initialisation: going on from there"
        put_in_place
    fi
    if [ -d "$BUILDING" ]; then
        [ ! -e "$PGDATA/PG_VERSION" ] || refuse "$PGDATA holds a database and a half-made one ($BUILDING) at once." \
            "Nothing was changed. Look into the volume; remove $BUILDING if the database beside it is the right one."
        say "an initialisation was interrupted: nothing could have used that database, so it is begun afresh"
        rm -rf "$BUILDING"
    fi
    local entry rest=()
    if [ -s "$PGDATA/PG_VERSION" ]; then
        local found
        found=$(< "$PGDATA/PG_VERSION")
        [ "$found" = "$PG_MAJOR" ] || refuse "$PGDATA was made by PostgreSQL $found and this is PostgreSQL $PG_MAJOR." \
            "Start the image of PostgreSQL $found on it, or dump and restore into a new volume."
        [ -s "$PGDATA/global/pg_control" ] && [ -d "$PGDATA/base/1" ] || refuse "$PGDATA is only half-initialised." \
            "Something else began to make a database there and was interrupted. Nothing was changed." \
            "If it holds no data of yours, remove the volume and start again; else restore it from a backup."
        return 1
    fi
    for entry in "$PGDATA"/*; do
        # A volume that is a file system of its own has that folder.
        [ "${entry##*/}" = lost+found ] || rest+=("${entry##*/}")
    done
    [ ${#rest[@]} -eq 0 ] || refuse "$PGDATA is not empty and holds no complete database (no PG_VERSION): ${rest[*]}." \
        "Nothing was changed. If these files are not needed, remove the volume and start again; else restore it from a backup."
    return 0
}

put_in_place() {
    local entry
    for entry in "$FINISHED"/*; do
        [ "${entry##*/}" = PG_VERSION ] || mv -T "$entry" "$PGDATA/${entry##*/}"
    done
    sync -f "$PGDATA"
    [ ! -e "$FINISHED/PG_VERSION" ] || mv -T "$FINISHED/PG_VERSION" "$PGDATA/PG_VERSION"
    rmdir "$FINISHED"
    sync -f "$PGDATA"
}

initialise() {
    [ -n "${POSTGRES_PASSWORD-}" ] || refuse "there is no database yet, and POSTGRES_PASSWORD is not set." \
        "Set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE) to the password that the database shall get."
    say "making a new database in $PGDATA"
    mkdir -m 0700 "$BUILDING"
    # A pipe, since arguments can be read by others.
    eval "initdb --pgdata=\"\$BUILDING\" --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\")" \
        "${POSTGRES_INITDB_ARGS-}" > /dev/null
    printf '\nhost all all all scram-sha-256\n' >> "$BUILDING/pg_hba.conf"

    rm -rf "$PRIVATE"
    mkdir -m 0700 "$PRIVATE"
    local options
    options=$(printf '%q ' "${@:2}" -c "data_directory=$BUILDING" -c listen_addresses= -c "unix_socket_directories=$PRIVATE" \
        -c logging_collector=off)
    pg_ctl --pgdata="$BUILDING" --options="$options" --wait --timeout=120 start
    trap 'pg_ctl --pgdata="$BUILDING" --mode=immediate --wait stop || true' EXIT
    if [ "$POSTGRES_DB" != postgres ]; then
        createdb --no-password --username="$POSTGRES_USER" --host="$PRIVATE" "$POSTGRES_DB"
    fi
    local script
    for script in /docker-entrypoint-initdb.d/*; do run_script "$script"; done
    trap - EXIT
    pg_ctl --pgdata="$BUILDING" --mode=fast --wait --timeout=300 stop
    rm -rf "$BUILDING/postmaster.opts" "$PRIVATE"
    sync -f "$PGDATA"
    mv -T "$BUILDING" "$FINISHED"
    put_in_place
    say "the database is ready to start"
}

as_admin() {
    local database=$1
    shift
    psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username="$POSTGRES_USER" --host="$PRIVATE" --dbname="$database" "$@"
}

# Scripts find the server by PGHOST, or by POSTGRES_HOST as Supabase's do.
run_script() {
    local -x PGHOST="$PRIVATE" POSTGRES_HOST="$PRIVATE"
    case "$1" in
        *.sh)
            say "running $1"
            if [ -x "$1" ]; then "$1"; else . "$1"; fi
            ;;
        *.sql) say "running $1"; as_admin "$POSTGRES_DB" -f "$1" ;;
        *.sql.gz) say "running $1"; gunzip -c "$1" | as_admin "$POSTGRES_DB" ;;
        *) [ -d "$1" ] || say "leaving out $1: neither .sh nor .sql nor .sql.gz" ;;
    esac
}

# Options alone mean the server; any other command is run as it is.
if [ $# -gt 0 ] && [ "${1#-}" != "$1" ]; then set -- postgres "$@"; fi
if [ "${1-}" = postgres ]; then
    [ "$(id -u)" != 0 ] || as_root "$@"
    for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file "$name"; done
    export POSTGRES_USER="${POSTGRES_USER:-postgres}"
    export POSTGRES_DB="${POSTGRES_DB:-$POSTGRES_USER}"
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA" 2> /dev/null || true
    if check_volume; then initialise "$@"; else say "$PGDATA holds a database: it is used as it is"; fi
    [[ ${POSTGRES_INITDB_ARGS-} != *--allow-group-access* ]] || chmod 0750 "$PGDATA"
    unset POSTGRES_PASSWORD PGPASSWORD
fi
exec "$@"
