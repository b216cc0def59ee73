#!/bin/sh
# Looks whether a database that others made has what the services need, and names what it lacks. It changes nothing.
set -eu
. /etc/supastack/lib.sh
log_in "$ADMIN_USER ADMIN_PASSWORD"
missing=$(ask --file /etc/supastack/check.sql)
for role in $LOGINS; do
    # As the services do: a role without the password is as good as none.
    if ! said=$(PGUSER=$role PGPASSWORD=$DATABASE_PASSWORD ask --command 'select 1' 2>&1); then
        missing="${missing:+$missing
}login of $role with databasePassword (${said##*FATAL: })"
    fi
done
if [ "${NEEDS_SUPABASE:-}" ] && ! said=$(PGDATABASE=_supabase ask --command 'select 1' 2>&1); then
    missing="${missing:+$missing
}database _supabase, for the pooler and analytics (${said##*FATAL: })"
fi
[ -z "$missing" ] || fail "the database $PGDATABASE at $PGHOST:$PGPORT lacks:
$missing
Nothing was changed. Mend it, or give an empty database and set supabase.database.external.bootstrap to true."
say "the database $PGDATABASE at $PGHOST:$PGPORT has what the services need"
