# For test scripts:  . "$FT_SOURCE/tests/services.sh"
#
# Gives a scratch folder ($TMP), settings of this test alone (state, topics, groups), and the services that the test asks for:
#
#   need_kafka       $BROKERS, also for the program (FRAUDTOP_BROKERS); topics and groups have names of this test alone
#   need_postgres    $DB, a fresh database, also for the program (FRAUDTOP_DATABASE); sql "SELECT 1" asks it
#   need tmux jq     programs that must be there
#
# A missing service or program skips the test (77) and says why; with FT_TEST_REQUIRE=1 it fails.  Processes that the test
# put into the background with "bg COMMAND..." end with it.  FT_KEEP=DIR keeps the scratch folder there, to look into.
# A comment "# ctest: serial", "# ctest: timeout 600" or "# ctest: faults" in a script is for tests/CMakeLists.txt.
set -euo pipefail

: "${FRAUDTOP:?the program, set by ctest}" "${FT_SOURCE:?the source folder, set by ctest}"
PATH=$PATH:/usr/sbin:/sbin
for d in /usr/lib/postgresql/*/bin; do # Debian's psql is a script that takes ten times as long as the program itself
    [ ! -x "$d/psql" ] || PATH=$d:$PATH
done
TMP=$(mktemp -d "${TMPDIR:-/tmp}/fraudtop-test.XXXXXX")
chmod 755 "$TMP"
T=t$$_${RANDOM}
BG=() AT_END=() DBNAME=
export HOME=$TMP XDG_STATE_HOME=$TMP/state XDG_CONFIG_HOME=$TMP/config XDG_CACHE_HOME=${XDG_CACHE_HOME:-${HOME:-/}/.cache}
for name in $(env | sed -n 's/^\(FRAUDTOP_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
unset SUDO_UID NO_COLOR PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGSERVICEFILE PGPASSFILE || true

skip() { echo "SKIPPED: $*" >&2; [ "${FT_TEST_REQUIRE:-}" != 1 ] || exit 1; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# check "what" COMMAND...: the command must succeed
check() { local what=$1; shift; "$@" || fail "$what"; }
# same "what" GOT WANT
same() { [ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"; }
# exits STATUS COMMAND...: the command must end with this status; its outputs are in $TMP/out and $TMP/err
exits() {
    local want=$1 got=0
    shift
    "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || got=$?
    [ "$got" = "$want" ] || { tail -n 20 "$TMP/out" "$TMP/err" >&2; fail "exit status $got, not $want: $*"; }
}
# within SECONDS COMMAND...: the command succeeds after a while
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}
bg() { "$@" & BG+=($!); }

need() {
    local p
    for p in "$@"; do command -v "$p" >/dev/null 2>&1 || skip "no program $p"; done
}
service() { # its address, as the fixture wrote it down
    local file=${FT_TEST_SERVICES:-/nowhere}/$1
    [ -s "$file" ] || skip "no $1 for tests: $(cat "$file.missing" 2>/dev/null || echo "run it through ctest")"
    cat "$file"
}
need_kafka() {
    BROKERS=${FT_TEST_BROKERS:-$(service kafka)}
    export FRAUDTOP_BROKERS=$BROKERS FRAUDTOP_TOPICS_TRANSACTIONS=$T.transactions FRAUDTOP_TOPICS_SCORING=$T.scoring \
        FRAUDTOP_TOPICS_CONTROL=$T.control FRAUDTOP_TOPICS_STATUS=$T.status FRAUDTOP_SCORE_GROUP=$T.score \
        FRAUDTOP_SINK_GROUP=$T.sink
}
need_postgres() {
    need psql
    PGBASE=$(service postgres)
    DBNAME=$T
    psql -qXc "CREATE DATABASE $DBNAME" "$PGBASE dbname=postgres"
    DB="$PGBASE dbname=$DBNAME"
    export FRAUDTOP_DATABASE=$DB
}
sql() { psql -qXAtc "$1" "$DB"; }

finish() {
    local status=$? p
    trap - EXIT
    trap '' TERM INT # a second one would leave servers behind
    for p in ${BG[@]+"${BG[@]}"}; do kill -KILL "$p" 2>/dev/null || true; done
    wait 2>/dev/null || true
    for p in ${AT_END[@]+"${AT_END[@]}"}; do "$p" || true; done
    if type at_end >/dev/null 2>&1; then at_end || true; fi
    [ -z "$DBNAME" ] || psql -qXc "DROP DATABASE IF EXISTS $DBNAME WITH (FORCE)" "$PGBASE dbname=postgres" >/dev/null 2>&1 || true
    [ -z "${FT_KEEP:-}" ] || cp -r "$TMP" "$FT_KEEP"
    rm -rf "$TMP"
    exit "$status"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
