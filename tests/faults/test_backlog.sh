# A backlog: FT_ROWS messages wait, then score and sink begin.  Memory stays below its bounds in every stage and does not grow with
# what waits, also when the database goes away meanwhile; each row is stored once.
# ctest: timeout 1200
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
own_kafka
own_postgres
ROWS=${FT_ROWS:-1000000} AWAY=${FT_AWAY:-20}
"$FRAUDTOP" generate --rows "$ROWS" --seed 31 >"$TMP/rows.csv" 2>"$TMP/generate.log" || fail "generate: $(cat "$TMP/generate.log")"
replay_of "$TMP/rows.csv" max
SECONDS=0
most=0
while kill -0 "${PID[replay]}" 2>/dev/null; do
    now=$(peak replay 2>/dev/null) && most=${now:-$most}
    sleep 0.5
done
ENDED=0
wait "${PID[replay]}" || ENDED=$?
same "replay" "$ENDED" 0
echo "replay: $ROWS rows in $SECONDS s, $most MB at most"
[ "$most" -lt 150 ] || fail "replay took $most MB"

three_stages ${FT_SCORE:-}
some() { has_rows $((ROWS / 20)); }
within 300 some || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
pg stop
sleep "$AWAY"
bounded score 300
bounded sink 150
pg start
within 900 has_rows "$ROWS" || fail "$(rows) rows of $ROWS: $(tail -n 4 "$TMP"/*.log)"
same_ids "$RUN" "$ROWS"
bounded score 300
bounded sink 150
echo "backlog of $ROWS: stored once each after $SECONDS s"

# a flood of short messages: what the client library keeps beside each is bounded as well
FLOOD=${FT_FLOOD:-1500000}
kafka_tool org.apache.kafka.tools.ProducerPerformance --topic transactions --num-records "$FLOOD" --record-size 60 --throughput -1 \
    --producer-props "bootstrap.servers=$BROKERS" compression.type=lz4 >"$TMP/flood.log" || fail "flood: $(cat "$TMP/flood.log")"
dead() { [ "$("$FRAUDTOP" topics list --json 2>/dev/null | jq '[.topics[] | select(.topic | endswith("dlq")) | .messages] | add')" = "$FLOOD" ]; }
within 300 dead || fail "not all became dead letters: $("$FRAUDTOP" topics list)"
bounded score 300
same_ids "$RUN" "$ROWS"
