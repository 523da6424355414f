# A broker and a database of this test alone, to be hurt (sourced after tests/services.sh and integration/pipeline.sh).
#
#   own_kafka [SETTING...]   $BROKERS; then "kafka restart|kill9|start|stop|pause|resume"
#   own_postgres             $DB; then "pg stop|start|kill9|pause|resume"
#   three_stages             member score, sink; settings that take over soon
#   peak NAME                MB that a member needed at most

own_kafka() {
    need java
    local set=()
    for s in broker.session.timeout.ms=2000 "$@"; do set+=(--set "$s"); done
    for _ in 1 2 3; do
        KAFKA_PORT=$((21000 + RANDOM % 9000))
        if "$FT_SOURCE/scripts/kafka-server" start --port "$KAFKA_PORT" --dir "$TMP/kafka" --heap 400m --timeout 120 -q "${set[@]}" >"$TMP/kafka.out" 2>&1; then
            BROKERS=127.0.0.1:$KAFKA_PORT
            export FRAUDTOP_BROKERS=$BROKERS FRAUDTOP_CONNECT_TIMEOUT=60s
            return
        fi
        kafka kill9 || true
    done
    skip "no Kafka: $(tail -n 1 "$TMP/kafka.out")"
}
kafka() { "$FT_SOURCE/scripts/kafka-server" "$1" --port "$KAFKA_PORT" --dir "$TMP/kafka" --heap 400m -q --timeout 120 >/dev/null 2>>"$TMP/kafka.out"; }
kafka_tool() { "$FT_SOURCE/scripts/kafka-server" --port "$KAFKA_PORT" run "$@" 2>/dev/null; }

as_server() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }
own_postgres() { # [FOLDER]
    need psql
    PGBIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV | head -n 1)
    [ -x "$PGBIN/initdb" ] || skip "no server programs (package postgresql)"
    PGDIR=${1:-$(mktemp -d /tmp/fraudtop-pg.XXXXXX)}
    [ "$(id -u)" != 0 ] || chown postgres "$PGDIR"
    local user
    user=$(id -un)
    [ "$user" != root ] || user=postgres
    as_server "$PGBIN/initdb" -D "$PGDIR/data" -U "$user" -A trust --locale=C.UTF-8 -E UTF8 -N ${PGINIT:-} >"$TMP/pg.out" 2>&1 || skip "initdb: $(tail -n 1 "$TMP/pg.out")"
    PGBASE="host=$PGDIR user=$user"
    pg start
    psql -qXc "CREATE DATABASE fraud" "$PGBASE dbname=postgres"
    DB="$PGBASE dbname=fraud"
    export FRAUDTOP_DATABASE=$DB
}
pg_pid() { head -n 1 "$PGDIR/data/postmaster.pid"; }
pg() {
    case $1 in
    start) # after a kill its children need a moment to notice
        within 60 as_server "$PGBIN/pg_ctl" -D "$PGDIR/data" -l "$PGDIR/log" -w -t 60 -o "-k $PGDIR -c listen_addresses='' \
            -c max_connections=60 -c dynamic_shared_memory_type=mmap ${PGSET:-}" start || fail "PostgreSQL: $(tail -n 3 "$PGDIR/log")" ;;
    stop) as_server "$PGBIN/pg_ctl" -D "$PGDIR/data" -m fast -w stop >>"$TMP/pg.out" 2>&1 ;;
    kill9) kill -KILL "$(pg_pid)"; sleep 0.5 ;;
    pause) # the first before its children, so that it starts no more of them
        kill -STOP "$(pg_pid)"
        # shellcheck disable=SC2046
        kill -STOP $(pgrep -P "$(pg_pid)") ;;
    resume)
        # shellcheck disable=SC2046
        kill -CONT $(pgrep -P "$(pg_pid)") "$(pg_pid)" ;;
    esac
}
at_end() {
    [ -z "${PGDIR:-}" ] || { pg resume; as_server "$PGBIN/pg_ctl" -D "$PGDIR/data" -m immediate stop; rm -rf "$PGDIR"/*; rmdir "$PGDIR"; } >/dev/null 2>&1 || true
    [ -z "${KAFKA_PORT:-}" ] || { kafka resume || true; kafka kill9 || true; }
}

three_stages() { # SCORE-OPTIONS...
    export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500
    member score "$FRAUDTOP" score "$@"
    member sink "$FRAUDTOP" sink
}
replay_of() { # FILE RATE OPTIONS...: begins it; its name in $RUN
    local file=$1 rate=$2
    shift 2
    : >"$TMP/replay.log"
    member replay "$FRAUDTOP" replay "$file" --rate "$rate" "$@"
    within 30 grep -q 'run [0-9a-f]\{12\}-' "$TMP/replay.log" || fail "no run: $(cat "$TMP/replay.log")"
    RUN=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
}
arrived() { # ROWS [SECONDS]: the replay ends well and the table holds exactly its rows
    ENDED=0
    wait "${PID[replay]}" || ENDED=$?
    same "replay" "$ENDED" 0
    within "${2:-90}" has_rows "$1" || fail "$(rows) rows of $1: $(tail -n 4 "$TMP"/*.log)"
    sleep 1
    same_ids "$RUN" "$1"
}
# stopped NAME [SIGNAL]: ends within 5 s with the signal's status
stopped() {
    local signal=${2:-TERM} begin ms want=143
    [ "$signal" = TERM ] || want=130
    begin=$(date +%s%N)
    killed "$1" "$signal"
    ms=$((($(date +%s%N) - begin) / 1000000))
    same "$1 after SIG$signal" "$ENDED" $want
    echo "$1 ended $ms ms after SIG$signal"
    [ "$ms" -le 5000 ] || fail "$1 took $ms ms to end"
}
peak() { awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/${PID[$1]}/status"; }
bounded() { # NAME MB
    local mb
    kill -0 "${PID[$1]}" 2>/dev/null || { [ "$1" = replay ] && return; fail "$1 is gone: $(tail -n 2 "$TMP/$1.log")"; } # a replay may be done
    mb=$(peak "$1")
    echo "$1: $mb MB at most"
    [ "$mb" -lt "$2" ] || fail "$1 took $mb MB, more than $2"
}
