#!/bin/sh
# For a database that was restored or made elsewhere: runs Supastack's own initialisation files once more on the server that is up, and
# marks it as complete. What the image's own initialisation makes must be there; of that only the outlines are looked at.
set -eu
export PGHOST=localhost POSTGRES_HOST=localhost PGPASSWORD="$POSTGRES_PASSWORD" PGDATABASE="$POSTGRES_DB"
run() { psql --no-psqlrc --no-password --quiet -At -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" "$@"; }
if [ -d /docker-entrypoint-initdb.d/migrations ]; then
    missing=$(run -c "
        select string_agg(name, ', ') from unnest(array['anon', 'authenticated', 'authenticator', 'dashboard_user', 'pgbouncer',
            'service_role', 'supabase_admin', 'supabase_auth_admin', 'supabase_storage_admin']) as name
        where not exists (select from pg_roles where rolname = name)")
    if [ -n "$missing" ] || [ "$(run -c "select rolsuper from pg_roles where rolname = 'postgres'")" != f ]; then
        echo "supastack: the image's own initialisation has not come to its end here (missing: ${missing:-its migrations})." >&2
        exit 1
    fi
fi
for file in /docker-entrypoint-initdb.d/init-scripts/9[89]-*.sql /docker-entrypoint-initdb.d/migrations/9[789]-*.sql \
    /docker-entrypoint-initdb.d/supastack.sql; do
    [ -e "$file" ] || continue
    echo "supastack: running $file"
    run -f "$file"
done
sh /docker-entrypoint-initdb.d/zz-supastack.sh
