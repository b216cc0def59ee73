#!/bin/bash
# Initialises the database in upstream's order: init-scripts as postgres, which is a superuser until the migrations take that
# away, then migrations as supabase_admin. Runs once, in a database without a network; an error ends the start.
set -Eeuo pipefail
shopt -s nullglob
LC_ALL=C # the order of names

here=$(cd "$(dirname "$0")" && pwd)
export PGHOST="$POSTGRES_HOST" PGDATABASE="$POSTGRES_DB" PGPASSWORD="$POSTGRES_PASSWORD"
export PGPORT="${PGPORT:-${POSTGRES_PORT:-5432}}"

run() { psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --quiet --username="$1" "${@:2}"; }

# psql reads the password from the environment, so it is in no argument.
run "$POSTGRES_USER" <<'SQL'
\getenv password POSTGRES_PASSWORD
create role postgres superuser login password :'password';
alter database postgres owner to postgres; -- of that name, as upstream
SQL
for file in "$here"/init-scripts/*.sql; do
    echo "migrate: running $file"
    run postgres --file="$file"
done
run postgres <<'SQL'
\getenv password POSTGRES_PASSWORD
\getenv admin POSTGRES_USER
alter role :"admin" password :'password';
SQL
for file in "$here"/migrations/*.sql; do
    echo "migrate: running $file"
    run "$POSTGRES_USER" --file="$file"
done
run "$POSTGRES_USER" --command='select pg_stat_reset()' > /dev/null
