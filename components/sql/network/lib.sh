# For the jobs that work on a database over the network. They are told where it is by libpq's variables; no password is an argument,
# and no statement with one is logged, neither by psql nor by the server.
LC_ALL=C
export LC_ALL
# The server would log a statement that fails, and pgaudit those that succeed; only a superuser can turn that off, and who is none sets no
# password. What is not loaded is not minded.
quiet='-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1 -c pgaudit.log=none'

say() { echo "supastack: $*"; }
fail() {
    echo "supastack: $*" >&2
    exit 1
}
run() { psql --no-psqlrc --no-password --quiet --set ON_ERROR_STOP=1 --set VERBOSITY=terse "$@"; }
ask() { run --tuples-only --no-align "$@"; }

# Who can log in: tries each "user variable" of the arguments until one can, for as long as WAIT_SECONDS says, and stays that user.
log_in() {
    waited=0
    while :; do
        for try in "$@"; do
            PGUSER=${try% *}
            eval "PGPASSWORD=\${${try#* }-}"
            export PGUSER PGPASSWORD
            if [ -n "$PGPASSWORD" ] && said=$(ask --command 'select 1' 2>&1); then return 0; fi
        done
        waited=$((waited + 2))
        [ "$waited" -lt "$WAIT_SECONDS" ] || fail "the database at $PGHOST:$PGPORT takes no connection after $WAIT_SECONDS s: ${said:-no password is known}"
        sleep 2
    done
}
