# Topics: made later, deleted and made anew, unread messages removed; poison and repeated messages are in tests/backend.
# ctest: timeout 400
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
replay_of "$TMP/rows.csv" max
arrived 3000

# deleted and made anew: warned of, read from the start
for t in transactions scoring; do topic --delete --topic $t; done
sleep 3
sql "TRUNCATE fraud_scores" >/dev/null
replay_of "$TMP/rows.csv" 500
arrived 3000 60
killed score TERM
killed sink TERM

# unread messages removed: the loss is said
replay_of "$TMP/rows.csv" max
wait "${PID[replay]}"
printf '{"version":1,"partitions":[{"topic":"transactions","partition":0,"offset":-1},{"topic":"transactions","partition":1,"offset":-1},{"topic":"transactions","partition":2,"offset":-1}]}' >"$TMP/all.json"
kafka_tool org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$BROKERS" --offset-json-file "$TMP/all.json" >/dev/null
three_stages
within 30 grep -q 'they are lost' "$TMP/score.log" || fail "the loss is not said: $(tail -n 5 "$TMP/score.log")"
