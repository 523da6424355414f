# State made anew from the transactions: another model's state and another number of partitions are refused with a word on
# how to mend it; with --rebuild-state the scores that follow are those of `score FILE`, bit for bit, and the changelog says
# which model decided from which offset on.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3 java
need_kafka
need_postgres
ROWS=4000
mkdir -p "$TMP/here/models"
cd "$TMP/here"
cp -r "$FT_SOURCE/models/velocity" models/other
sed -i 's/"history": 10/"history": 3/; s/"name": "velocity"/"name": "other"/; s/"threshold": .*/"threshold": 0.2,/' models/other/manifest.json
made "$((3 * ROWS))" 7 all.csv
for part in 1 2 3; do { head -1 all.csv; sed -n "$(((part - 1) * ROWS + 2)),$((part * ROWS + 1))p" all.csv; } >"$part.csv"; done
exits 0 "$FRAUDTOP" score 1.csv 2.csv 3.csv -m other --force-model -q -o offline.csv

# sends FILE, waits for its verdicts, compares them with the offline ones of the rows from FROM on
sent() { # FILE FROM
    local run
    "$FRAUDTOP" replay "$1" --rate max >"$TMP/replay.log" 2>&1 || fail "replay: $(cat "$TMP/replay.log")"
    run=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
    within 60 has_rows "$ROWS" || fail "$(rows) rows of $ROWS: $(tail -n 5 "$TMP"/*.log)"
    if [ -n "$2" ]; then
        awk -F, -v OFS=, -v from="$2" 'NR == 1 { print } NR > 1 && $1 >= from { $1 -= from; print }' offline.csv >want.csv
        same_scores "$run" "$ROWS" want.csv
    fi
    sql "TRUNCATE fraud_scores" >/dev/null
}
refused() { # TEXT: the scorer does not begin
    exits 2 timeout 60 "$FRAUDTOP" score -m other --force-model
    grep -q -- "$1" "$TMP/err" || fail "no word of '$1': $(cat "$TMP/err")"
    grep -q -- '--rebuild-state' "$TMP/err" || fail "no word on how to mend it: $(cat "$TMP/err")"
}
made_anew() { grep -c 'state made anew from [1-9]' "$TMP/anew.log"; }
is_made_anew() { [ "$(made_anew)" = "$1" ]; }

member sink "$FRAUDTOP" sink
member first "$FRAUDTOP" score -m "$FT_SOURCE/models/velocity"
sent 1.csv ""
killed first TERM

# another layout of the state
refused "holds another model's state"
member anew "$FRAUDTOP" score -m other --force-model --rebuild-state
within 120 is_made_anew 3 || fail "not made anew: $(cat "$TMP/anew.log")"
same "transactions it was made from" "$(sed -n 's/.*made anew from \([0-9]*\) .*/\1/p' "$TMP/anew.log" | awk "{ n += \$1 } END { print n }")" "$ROWS"
earliest=$(sed 1d 1.csv | cut -d, -f1 | sort | sed -n 1p)
grep -q "the earliest of $earliest" "$TMP/anew.log" || fail "not the earliest time, $earliest: $(cat "$TMP/anew.log")"
sent 2.csv "$ROWS"
killed anew TERM
same "scores and stops" "$ENDED" 143

# which model from which offset on
exits 0 "$FRAUDTOP" topics tail "fraudtop.state.$FRAUDTOP_SCORE_GROUP" --all --limit 0 --offset 0 --json
for model in velocity other; do
    same "partitions that $model decided in" "$(grep '"key":"model/' "$TMP/out" | grep -c "\"model\":\"$model 1\"")" 3
done

# more partitions: customers move
"$FT_SOURCE/scripts/kafka-server" --port "${BROKERS##*:}" run org.apache.kafka.tools.TopicCommand --bootstrap-server "$BROKERS" --alter \
    --topic "$FRAUDTOP_TOPICS_TRANSACTIONS" --partitions 5 >"$TMP/alter" 2>&1 || fail "no more partitions: $(cat "$TMP/alter")"
refused "has 3 partitions and $FRAUDTOP_TOPICS_TRANSACTIONS has 5"
: >"$TMP/anew.log"
member anew "$FRAUDTOP" score -m other --force-model --rebuild-state
within 120 is_made_anew 5 || fail "not made anew: $(cat "$TMP/anew.log")"
sent 3.csv "$((2 * ROWS))"
# not made anew again, when told nothing
killed anew TERM
made 500 8 last.csv
ROWS=500
: >"$TMP/plain.log"
member plain "$FRAUDTOP" score -m other --force-model
sent last.csv ""
grep -q 'records of state restored' "$TMP/plain.log" || fail "not restored: $(cat "$TMP/plain.log")"
