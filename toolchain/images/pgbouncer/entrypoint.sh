#!/bin/sh
# Upstream's image writes pgbouncer.ini from many variables when there is none. Here the file is asked for.
set -eu
ini=/etc/pgbouncer/pgbouncer.ini
case " $* " in
    *" $ini "*)
        if ! [ -r "$ini" ]; then
            echo "pgbouncer: $ini is missing. Put the configuration there, and the users into the auth_file it names." >&2
            exit 1
        fi
        ;;
esac
exec "$@"
