#!/bin/sh
# The last file of the initialisation: it runs when all before it have succeeded, so its mark says that the database is complete.
# The mark lies in the data folder: it is never there without the data. It says which database that is, and whose the files are, which
# is the server's user: this may be run by root.
set -eu
export PGHOST="${POSTGRES_HOST:-${PGHOST:-/var/run/postgresql}}" PGPASSWORD="${POSTGRES_PASSWORD:-}"
# The server knows where its data are; this may run while they are still being built elsewhere.
data=$(psql --no-psqlrc --no-password --quiet -At -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c 'show data_directory')
owner=$(stat -c %u "$data")
printf '%s\nuser %s\n' "$POSTGRES_DB" "$owner" > "$data/supastack.making"
sync
mv "$data/supastack.making" "$data/supastack.complete"
sync
echo "supastack: the database $POSTGRES_DB is complete"
