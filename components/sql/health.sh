#!/bin/sh
# Healthy is a server that takes connections over TCP, which an image's temporary init server does not, on data that were initialised
# to their end, and by the same user id. What is said here stands in `docker inspect` and in the deployment's error; `refused:` says
# that waiting can't help.
data=${PGDATA:-/var/lib/postgresql/data}
mark=$data/supastack.complete
# Kubernetes sets that variable in every container.
if [ -n "${KUBERNETES_SERVICE_HOST:-}" ]; then
    what=claim holder=pod run="kubectl exec $(hostname) --"
else
    what=volume holder=container run="docker exec <this container>"
fi
# PostgreSQL starts on a folder of its own user alone, so the folder's owner is the server's user; entrypoints that begin as root hand
# it over to whoever that is in their image. The last one in the mark counts; a mark of before they were written has none.
owner=$(stat -c %u "$data" 2> /dev/null)
wrote=
[ ! -r "$mark" ] || while read -r word user; do
    [ "$word" != user ] || wrote=$user
done < "$mark"
if [ -n "$wrote" ] && [ "$wrote" != "$owner" ] && [ "${SUPASTACK_DATA_OWNER:-}" != "$owner" ]; then
    folders=$data
    # Not handed over by the entrypoint; the root key of vault is in there.
    [ ! -d /etc/postgresql-custom ] || folders="$folders /etc/postgresql-custom"
    echo "refused: user $wrote wrote the files of this database, and this image's server is user $owner: the ids differ from tag to tag." \
        "Take the old image back (\`make down\`, then \`make up\`); or give the files to the new user:" \
        "\`$run chown -R $owner $folders\`, and say so: \`$run sh /etc/supastack/complete.sh\`."
    exit 1
fi
if ! said=$(pg_isready -h localhost -U "$POSTGRES_USER" -d "$POSTGRES_DB"); then
    echo "$said"
    exit 1
fi
if [ -e "$mark" ]; then
    # Where it can't be written, it stays unknown.
    [ -z "$owner" ] || [ "$wrote" = "$owner" ] || { echo "user $owner" >> "$mark"; } 2> /dev/null
    exit 0
fi
echo "refused: this database was not initialised to its end: its first start was interrupted, and the image does not begin again." \
    "Roles, passwords or schemas may be missing. If it holds no data of yours: \`make down\`, remove the $what that this $holder" \
    "has at $data, \`make up\`. If you know it to be complete (restored, or made before this check existed):" \
    "\`$run sh /etc/supastack/complete.sh\`."
exit 1
