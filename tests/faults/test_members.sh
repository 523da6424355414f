# Several scorers and sinks join and go; one is killed and another takes over within 12 s; one hangs and comes back.
# ctest: timeout 600
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
own_kafka
own_postgres
ROWS=60000
made "$ROWS" 5 "$TMP/rows.csv"
for options in "" --exactly-once; do
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    export FRAUDTOP_TOPICS_TRANSACTIONS=t$options FRAUDTOP_TOPICS_SCORING=s$options FRAUDTOP_SCORE_GROUP=g$options FRAUDTOP_SINK_GROUP=k$options
    unset FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS
    for i in 1 2 3 4; do member "score$i" "$FRAUDTOP" score $options; done # one more than partitions
    for i in 1 2 3; do member "sink$i" "$FRAUDTOP" sink; done
    replay_of "$TMP/rows.csv" 1000
    sleep 6
    kill -KILL "${PID[score1]}" "${PID[score2]}" "${PID[sink1]}"
    # rows of every partition go on within 12 s
    sleep 12
    sql "CREATE TABLE before AS SELECT topic, partition, next_offset FROM fraudtop_sink_offsets" >/dev/null
    sleep 4
    moved=$(sql "SELECT count(*) FROM fraudtop_sink_offsets o JOIN before b USING (topic, partition)
        WHERE topic = 's$options' AND o.next_offset > b.next_offset; DROP TABLE before" | head -n 1)
    same "partitions that go on 12 s after the kill" "$moved" 3
    kill -STOP "${PID[score3]}"
    sleep 13
    kill -CONT "${PID[score3]}"
    member "score5" "$FRAUDTOP" score $options
    sleep 3
    killed score4 TERM
    arrived 60000
    for name in score3 score5 sink2 sink3; do killed $name TERM; done
    if [ -n "$options" ]; then
        same_topic_ids "s$options" "$RUN" "$ROWS"
    fi
    echo "members${options:+ $options}: passed"
done
