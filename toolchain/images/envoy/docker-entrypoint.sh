#!/bin/sh
# As upstream: options alone mean envoy; `loglevel` sets its log level; started as root, envoy runs as user envoy unless
# ENVOY_UID is 0. ENVOY_UID and ENVOY_GID set other ids.
set -eu
case "${1-}" in
    -*) set -- envoy "$@" ;;
esac
if [ "$1" = envoy ]; then
    [ -z "${loglevel-}" ] || set -- "$@" --log-level "$loglevel"
    uid=${ENVOY_UID:-$(id -u envoy)}
    if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ]; then
        # Docker's own standard output and error belong to root.
        chown "$uid" /dev/stdout /dev/stderr 2> /dev/null || true
        exec setpriv --reuid="$uid" --regid="${ENVOY_GID:-$(id -g envoy)}" --clear-groups -- "$@"
    fi
fi
exec "$@"
