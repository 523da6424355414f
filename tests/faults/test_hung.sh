# Broker and database that hang with their connections open: shorter than a session, longer than it, one after the other and both
# at once; everything arrives, memory stays as it was, and a stop still ends in time.
# ctest: timeout 900
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
own_kafka
own_postgres
ROWS=${FT_ROWS:-150000} HUNG=${FT_HUNG:-20} PG_HUNG=${FT_PG_HUNG:-35} # a session is 6 s, a write is given up after 30
made "$ROWS" 13 "$TMP/rows.csv"
for options in "" --exactly-once; do
    export FRAUDTOP_TOPICS_TRANSACTIONS=t$options FRAUDTOP_TOPICS_SCORING=s$options FRAUDTOP_SCORE_GROUP=g$options FRAUDTOP_SINK_GROUP=k$options
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    three_stages $options
    replay_of "$TMP/rows.csv" 1500
    within 60 has_rows 1000 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
    kafka pause
    sleep 8
    kafka resume
    sleep 2
    pg pause
    sleep "$PG_HUNG"
    timeout 60 "$FRAUDTOP" watch --json --count 1 >"$TMP/watch.json" 2>"$TMP/err" || fail "watch ends with $?: $(cat "$TMP/err")"
    same "sinks that are seen to live while the database hangs" "$(json "$TMP/watch.json" processes.sink)" 1
    pg resume
    sleep 1
    kafka pause
    sleep "$HUNG"
    kafka resume
    sleep 1
    kafka pause
    pg pause
    sleep "$HUNG"
    bounded replay 150
    pg resume
    sleep 2
    kafka resume
    arrived "$ROWS" 180
    bounded score 300
    bounded sink 150
    [ -z "$options" ] || same_topic_ids "s$options" "$RUN" "$ROWS"
    echo "hung${options:+ $options}: $ROWS rows, each once"

    # a stop while both hang; at full speed it could be through before that
    replay_of "$TMP/rows.csv" 10000
    within 60 has_rows $((ROWS + 2000)) || fail "the second replay does not get on"
    kafka pause
    pg pause
    sleep 3
    stopped replay INT
    grep -q 'messages were not delivered\|were not acknowledged' "$TMP/replay.log" || fail "it does not say what was not delivered: $(tail -n 4 "$TMP/replay.log")"
    for name in score sink; do stopped $name; done
    pg resume
    kafka resume
done
