#!/bin/sh
# Prepares an empty database on a server that is reached over the network for Supabase, once. What is run is the image's own
# initialisation, in its own order (init-scripts as postgres, migrations as supabase_admin, each by name) with Supastack's files among it.
# The image's own driver wants a server without `postgres`, in which it is the first to log in; here that role may be there before.
#
# All of it is one transaction: what is interrupted leaves an empty database, and is begun again. Only the database _supabase can't be
# made in one; it comes last, and again at any time.
set -eu
. /etc/supastack/lib.sh
image=/docker-entrypoint-initdb.d
own=/etc/supastack/initdb

# The files of both folders, by name, as one list: what the image would have run.
files() {
    for file in "$image/$1"/*.sql "$own/$1"/*.sql; do
        [ -f "$file" ] && echo "${file##*/} $file"
    done | sort | cut -d ' ' -f 2-
}

# In the same session each file gets what a new one would have: the role, and the settings that are on the role by then.
as() {
    cat <<SQL
reset session authorization;
reset role;
reset all;
set session authorization $1;
select set_config(split_part(s, '=', 1), substr(s, strpos(s, '=') + 1), false)
from pg_roles, unnest(rolconfig) as s where rolname = '$1' and s !~ '_preload_libraries=' \\g /dev/null
SQL
}

# One transaction is around all files, so they end none. Where postgres is the server's own superuser it can't be demoted, and an operator
# could not work without it; all else of the demotion is done.
content() {
    sed -e 's/^[Bb][Ee][Gg][Ii][Nn];[[:space:]]*$//' -e 's/^[Cc][Oo][Mm][Mm][Ii][Tt];[[:space:]]*$//' \
        -e "s/^\([[:space:]]*[Aa][Ll][Tt][Ee][Rr] [Rr][Oo][Ll][Ee] postgres\) [Nn][Oo][Ss][Uu][Pp][Ee][Rr][Uu][Ss][Ee][Rr]/\1$2/" "$1"
    echo
}

script() {
    cat /etc/supastack/begin.sql
    for file in $(files init-scripts); do
        as postgres
        printf '%s\n' "\\echo 'supastack: running $file'"
        content "$file" "$demoted"
    done
    for file in $(files migrations); do
        case $file in "$own"/*/97-_supabase.sql | "$own"/*/99-logs.sql | "$own"/*/99-pooler.sql) continue ;; esac
        as supabase_admin
        printf '%s\n' "\\echo 'supastack: running $file'"
        content "$file" "$demoted"
    done
    cat /etc/supastack/end.sql
}

[ -d "$image/init-scripts" ] && [ -d "$image/migrations" ] ||
    fail "the image has no $image/init-scripts and no $image/migrations, which a database is made of"
log_in "$ADMIN_USER ADMIN_PASSWORD"
[ "$(ask --command 'select rolsuper from pg_roles where rolname = current_user')" = t ] ||
    fail "the role $PGUSER is no superuser, and only one can prepare a database for Supabase. Name one in supabase.database.external.user;" \
        "or have the database prepared, and set supabase.database.external.bootstrap to false, which checks it"
export PGOPTIONS="$quiet"
demoted=' nosuperuser'
if [ "$(ask --command "select coalesce((select oid = 10 from pg_roles where rolname = 'postgres'), false)")" = t ]; then
    demoted=''
    say "postgres is the server's own superuser and stays one"
fi
script | run --file - || fail "nothing was changed: see above for what is in the way"
# psql is content with a script that ends early.
[ "$(ask --command "select to_regclass('supastack.bootstrap') is not null")" = t ] || fail "the preparation did not come to its end; nothing was changed"

if [ "${OPERATOR_MAKES:-}" ]; then
    waited=0
    until [ "$(ask --command "select exists (select from pg_database where datname = '_supabase')")" = t ]; do
        waited=$((waited + 2))
        [ "$waited" -lt "$WAIT_SECONDS" ] || fail "the operator has not made the database _supabase after $WAIT_SECONDS s"
        sleep 2
    done
else
    run --file "$own/migrations/97-_supabase.sql"
fi
run --file "$own/migrations/99-logs.sql"
run --file "$own/migrations/99-pooler.sql"
say "the database $PGDATABASE is ready"
