#!/bin/sh
# Entrypoint of the valkey and redis images. SERVER_NAME (set by the image) is valkey or redis.
set -eu
server="$SERVER_NAME-server"

# Options or a configuration file alone mean the server.
case "${1-}" in
    -* | *.conf) set -- "$server" "$@" ;;
esac

if [ "$1" = "$server" ]; then
    if [ "$(id -u)" = 0 ]; then
        # A volume may belong to root at first. Only what is not the server's own is touched.
        find . ! -user "$SERVER_NAME" -exec chown "$SERVER_NAME:$SERVER_NAME" {} +
        exec setpriv --reuid="$SERVER_NAME" --regid="$SERVER_NAME" --clear-groups -- "$0" "$@"
    fi
    if ! [ -w . ]; then
        echo "$server: $(pwd) can't be written by user $(id -u). Start the container as root, which hands the folder over, or change its owner." >&2
        exit 1
    fi
    # Upstream's images are compiled without protected mode, since a container publishes ports only when told to.
    named=no
    for argument in "$@"; do
        case "$argument" in
            --protected-mode) named=yes ;;
            *.conf) if grep -qiE '^[[:space:]]*protected-mode' "$argument"; then named=yes; fi ;;
        esac
    done
    [ "$named" = yes ] || set -- "$@" --protected-mode no
    # The data is nobody else's business, unless the caller chose another mask.
    [ "$(umask)" != 0022 ] || umask 0077
fi

exec "$@"
