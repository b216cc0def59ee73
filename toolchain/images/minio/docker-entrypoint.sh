#!/bin/sh
# As upstream: everything but `minio ...` is an argument of minio. The server itself reads MINIO_ROOT_USER_FILE and the like.
set -eu
if [ "$#" -gt 0 ] && [ "$1" != minio ]; then
    set -- minio "$@"
fi
exec "$@"
