# Topics: made later, deleted and made anew (also grown past the old positions at once, under running stages and stopped ones),
# unread messages removed; poison and repeated messages are in tests/backend.
# ctest: timeout 900
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
own_kafka auto.create.topics.enable=false log.retention.check.interval.ms=1000
own_postgres
made 3000 3 "$TMP/rows.csv"
topic() { kafka_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$BROKERS" "$@"; }

# made later: the stages wait for it
export FRAUDTOP_TOPICS_CREATE=off
three_stages
sleep 4
unset FRAUDTOP_TOPICS_CREATE
begin=$(date +%s%N)
replay_of "$TMP/rows.csv" 500
within 20 has_rows 1 || fail "nothing is stored after the topics were made"
echo "first row stored $((($(date +%s%N) - begin) / 1000000)) ms after a replay began that made the topics"
arrived 3000
for name in score sink; do killed $name TERM; done

made 9000 4 "$TMP/more.csv"
made 20000 5 "$TMP/most.csv"
anew() { # FILE: the topics are deleted, and made anew by a replay at full speed
    for t in transactions scoring; do topic --delete --topic $t; done
    sql "TRUNCATE fraud_scores" >/dev/null
    replay_of "$1" max
}
for options in "" --exactly-once; do
    three_stages $options
    # under running stages; the new topic is longer than the old one was when they look again
    anew "$TMP/more.csv"
    arrived 9000 120
    [ -z "$options" ] || same_topic_ids scoring "$RUN" 9000
    # under stages that were stopped, or killed
    killed score TERM
    killed sink KILL
    anew "$TMP/most.csv"
    wait "${PID[replay]}"
    three_stages $options
    within 120 has_rows 20000 || fail "made anew while nobody looked: $(rows) rows: $(tail -n 4 "$TMP"/*.log)"
    same_ids "$RUN" 20000
    # slowly, so that positions lie behind the end
    anew "$TMP/rows.csv"
    arrived 3000 120
    for name in score sink; do killed $name TERM; done
    echo "made anew${options:+ $options}: passed"
done

# under stages that have only just begun: again and again, since it matters how far each of them has come
for round in 1 2 3 4 5 6; do
    n=$((round % 2 ? 9000 : 12000))
    made $n "$round" "$TMP/now.csv"
    three_stages
    anew "$TMP/now.csv"
    arrived $n 90
    for name in score sink; do killed $name TERM; done
done
echo "made anew under stages that had just begun: passed"

# under a running replay: whatever it could not send to the old topic is in the table
three_stages
replay_of "$TMP/most.csv" 500
within 60 has_rows 2000 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
topic --delete --topic transactions
within 30 grep -q 'topic transactions is missing' "$TMP/replay.log" || fail "it does not say that its topic is missing: $(tail -n 3 "$TMP/replay.log")"
sleep 2 # the journal is written
first=$(json "$TMP/state/fraudtop/runs/$RUN.json" row)
topic --create --topic transactions --partitions 3
ENDED=0
wait "${PID[replay]}" || ENDED=$?
same "a replay whose topic was made anew" "$ENDED" 0
ids_of "$RUN" 20000 | tail -n +$((first + 1)) >"$TMP/want.ids"
later_missing() { sql "SELECT transaction_id FROM fraud_scores ORDER BY 1" | comm -23 "$TMP/want.ids" - | wc -l; }
all_later() { [ "$(later_missing)" = 0 ]; }
within 60 all_later || fail "$(later_missing) rows from $first on are missing"
echo "made anew under a running replay: the $((20000 - first)) rows from then on are there"
for name in score sink; do killed $name TERM; done

# unread messages removed: the loss is said
replay_of "$TMP/rows.csv" max
wait "${PID[replay]}"
printf '{"version":1,"partitions":[{"topic":"transactions","partition":0,"offset":-1},{"topic":"transactions","partition":1,"offset":-1},{"topic":"transactions","partition":2,"offset":-1}]}' >"$TMP/all.json"
kafka_tool org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$BROKERS" --offset-json-file "$TMP/all.json" >/dev/null
three_stages
within 60 grep -q ' unread messages (offsets .* they are lost' "$TMP/score.log" || fail "the loss is not said: $(tail -n 5 "$TMP/score.log")"
