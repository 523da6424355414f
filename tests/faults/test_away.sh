# Kafka away for a minute, PostgreSQL away for a minute, at full speed: memory stays bounded and nothing is lost.
# ctest: timeout 1500
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
own_kafka
own_postgres
ROWS=${FT_ROWS:-1500000} AWAY=${FT_AWAY:-60}
made "$ROWS" 11 "$TMP/rows.csv"
for options in "" --exactly-once; do
    export FRAUDTOP_TOPICS_TRANSACTIONS=t$options FRAUDTOP_TOPICS_SCORING=s$options FRAUDTOP_SCORE_GROUP=g$options FRAUDTOP_SINK_GROUP=k$options
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    three_stages $options
    replay_of "$TMP/rows.csv" max
    within 60 has_rows 1 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)" # all have come to Kafka
    kafka kill9
    sleep "$AWAY"
    bounded replay 150
    [ "$(grep -c 'waiting for Kafka' "$TMP/replay.log")" -le $((AWAY / 10 + 3)) ] || fail "the replay says too often that it waits"
    kafka start
    sleep 5
    pg stop
    sleep "$AWAY"
    bounded sink 150
    pg start
    arrived "$ROWS" 300
    bounded score 300
    bounded sink 150
    grep -q 'waiting for PostgreSQL' "$TMP/sink.log" || fail "the sink does not say that it waits"
    [ -z "$options" ] || same_topic_ids "s$options" "$RUN" "$ROWS"
    for name in score sink; do killed $name TERM; done
    echo "away${options:+ $options}: $ROWS rows, each once"

    # a backlog of all rows again: other groups begin at the start of the topics
    export FRAUDTOP_SCORE_GROUP=late$options FRAUDTOP_SINK_GROUP=late-sink$options
    sql "TRUNCATE fraud_scores" >/dev/null
    three_stages $options
    within 300 has_rows "$ROWS" || fail "the backlog: $(rows) rows of $ROWS"
    bounded score 300
    bounded sink 150
    for name in score sink; do killed $name TERM; done
done
