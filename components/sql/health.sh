#!/bin/sh
# Healthy is a server that takes connections over TCP, which an image's temporary init server does not, on data that were initialised
# to their end. What is said here stands in `docker inspect` and in the deployment's error; `refused:` says that waiting can't help.
data=${PGDATA:-/var/lib/postgresql/data}
if ! said=$(pg_isready -h localhost -U "$POSTGRES_USER" -d "$POSTGRES_DB"); then
    echo "$said"
    exit 1
fi
[ -e "$data/supastack.complete" ] && exit 0
# Kubernetes sets that variable in every container.
if [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then
    what=claim holder=pod run="kubectl exec $(hostname) --"
else
    what=volume holder=container run="docker exec <this container>"
fi
echo "refused: this database was not initialised to its end: its first start was interrupted, and the image does not begin again." \
    "Roles, passwords or schemas may be missing. If it holds no data of yours: \`make down\`, remove the $what that this $holder" \
    "has at $data, \`make up\`. If you know it to be complete (restored, or made before this check existed):" \
    "\`$run sh /etc/supastack/complete.sh\`."
exit 1
