#!/bin/sh
# Brings a database in line with the stack's secrets and settings. It can run at any time, and touches no schema.
# After a change of the password nobody can log in with the new one; the role supastack_sync, which this makes, has one of its own.
set -eu
. /etc/supastack/lib.sh
if [ "${SYNC_PASSWORD:-}" ]; then
    log_in "supastack_sync SYNC_PASSWORD" "$ADMIN_USER ADMIN_PASSWORD"
else
    log_in "$ADMIN_USER ADMIN_PASSWORD"
fi
PGOPTIONS="$quiet" run --file /etc/supastack/sync.sql
say "passwords and settings of $PGDATABASE are those of the stack"
