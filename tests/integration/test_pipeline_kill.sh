# kill -9 of replay, score, sink and all of them at moments from a seed; at the end the table holds each row once.
# With FT_ROUNDS and FT_SEED more and others; "exactly-once" also looks into the topic.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500 FRAUDTOP_CONNECT_TIMEOUT=60s
SEED=${FT_SEED:-20260101} ROUNDS=${FT_ROUNDS:-6} ROWS=${FT_ROWS:-30000} RATE=${FT_RATE:-3000}
RANDOM=$SEED

start() { # NAME
    case $1 in
    score) member score "$FRAUDTOP" score $EXTRA ;;
    sink) member sink "$FRAUDTOP" sink ;;
    replay) member replay "$FRAUDTOP" replay "$TMP/rows.csv" --rate "$RATE" "${RESUME[@]}" ;;
    esac
}
alive() { kill -0 "${PID[$1]}" 2>/dev/null; }

round_of_kills() { # NAME EXTRA: one run with kills
    local i victim victims=(replay score sink all)
    EXTRA=$2 RESUME=()
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    : >"$TMP/replay.log"
    start score
    start sink
    start replay
    within 20 grep -q 'run [0-9a-f]\{12\}-' "$TMP/replay.log" || fail "no run: $(cat "$TMP/replay.log")"
    RUN=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
    RESUME=(--resume "$RUN")
    for i in $(seq "$ROUNDS"); do
        sleep "$((RANDOM % 2)).$((RANDOM % 10))"
        victim=${victims[RANDOM % 4]}
        [ "$victim" = all ] && set -- replay score sink || set -- "$victim"
        for victim in "$@"; do kill -KILL "${PID[$victim]}" 2>/dev/null || true; done
        for victim in "$@"; do
            wait "${PID[$victim]}" 2>/dev/null || true
            start "$victim"
        done
    done
    while alive replay; do sleep 0.2; done
    ENDED=0
    wait "${PID[replay]}" || ENDED=$?
    same "the last replay" "$ENDED" 0
    within 60 has_rows "$ROWS" || fail "seed $SEED: $(rows) rows of $ROWS: $(tail -n 5 "$TMP"/*.log)"
    sleep 1
    same_ids "$RUN" "$ROWS"
    killed score TERM
    same "score after SIGTERM" "$ENDED" 143
    killed sink TERM
    same "sink after SIGTERM" "$ENDED" 143
    echo "seed $SEED, $ROUNDS kills${EXTRA:+, $EXTRA}: $ROWS rows, each once"
}

made "$ROWS" "$SEED" "$TMP/rows.csv"
round_of_kills plain ""
FRAUDTOP_TOPICS_TRANSACTIONS=$T.eo.transactions FRAUDTOP_TOPICS_SCORING=$T.eo.scoring
round_of_kills exactly --exactly-once
# the topic, read committed, has each id once
same_topic_ids "$T.eo.scoring" "$RUN" "$ROWS"
