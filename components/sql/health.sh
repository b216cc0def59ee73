#!/bin/sh
# Healthy is a server that takes connections over TCP, which an image's temporary init server does not, on data that were initialised
# to their end. What is said here stands in `docker inspect` and in the deployment's error; `refused:` says that waiting can't help.
data=${PGDATA:-/var/lib/postgresql/data}
if ! said=$(pg_isready -h localhost -U "$POSTGRES_USER" -d "$POSTGRES_DB"); then
    echo "$said"
    exit 1
fi
[ -e "$data/supastack.complete" ] && exit 0
echo "refused: this database was not initialised to its end: its first start was interrupted, and the image does not begin again." \
    "Roles, passwords or schemas may be missing. If it holds no data of yours: \`make down\`, remove the volume that this container" \
    "has at $data, \`make up\`. If you know it to be complete (restored, or made before this check existed):" \
    "\`docker exec <this container> sh /etc/supastack/complete.sh\`."
exit 1
