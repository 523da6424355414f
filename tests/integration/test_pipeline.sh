# From files to the table on real servers: run, and each stage alone, counted by sets of ids.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
cd "$FT_SOURCE"

# run: what was read is sent, scored and stored
exits 0 "$FRAUDTOP" run data/new_small.csv --json
cp "$TMP/out" "$TMP/small.json"
for name in read sent scored stored; do same "new_small: $name" "$(json "$TMP/small.json" $name)" 90; done
same "new_small: rejected" "$(json "$TMP/small.json" rejected)" 0
same_ids "$(json "$TMP/small.json" run_id)" 90

# the labelled file, with the figures of the labels
sql "TRUNCATE fraud_scores" >/dev/null
exits 0 "$FRAUDTOP" run data/test.csv.gz --label target --json
for name in read sent scored stored; do same "test: $name" "$(json "$TMP/out" $name)" 77895; done
run=$(json "$TMP/out" run_id)
same_ids "$run" 77895
same "labels" "$(python3 -c 'import json,sys; l=json.load(open(sys.argv[1]))["label"]; print(l["tp"]+l["fn"], l["tp"]+l["fp"]+l["tn"]+l["fn"])' "$TMP/out")" "418 77895"
same "flagged" "$(json "$TMP/out" flagged)" "$(sql "SELECT count(*) FROM fraud_scores WHERE fraud_flag = 1")"

# the first 5,000 scores are CatBoost's
ids_of "$run" 5000 >"$TMP/first.ids"
sql "SELECT transaction_id, score FROM fraud_scores ORDER BY 1 LIMIT 5000" >"$TMP/first.scores"
python3 - "$TMP/first.scores" <<'PY' || fail "scores differ from CatBoost's"
import csv, gzip, sys
want = [float(r["score"]) for r in csv.DictReader(gzip.open("data/expected_seed_scores.csv.gz", "rt"))]
got = [float(l.split("|")[1]) for l in open(sys.argv[1])]
worst = max(abs(a - b) for a, b in zip(want, got))
sys.exit(0 if len(want) == len(got) == 5000 and worst <= 1e-12 else f"worst difference {worst}")
PY

# the same file again: another run, other ids; by hand the same identity: nothing new
exits 0 "$FRAUDTOP" run data/new_small.csv --json
same "a second run's rows" "$(json "$TMP/out" stored)" 90
same "the table" "$(rows)" $((77895 + 90))
# (which ends when all is in the table, so at once, with work left over: in topics of its own, not for those below)
exits 0 "$FRAUDTOP" run data/new_small.csv --json --run-id "$(json "$TMP/out" run_id)" \
    --transactions-topic "$T.again" --scoring-topic "$T.again.scoring"
same "the same identity" "$(rows)" $((77895 + 90))

# each stage as a process; score and sink started first; SIGTERM ends them with 143
sql "TRUNCATE fraud_scores" >/dev/null
member score "$FRAUDTOP" score
member sink "$FRAUDTOP" sink
exits 0 "$FRAUDTOP" replay data/new_small.csv --rate max --json
run=$(json "$TMP/out" run_id)
within 30 has_rows 90 || fail "the stages stored $(rows) rows of 90"
same_ids "$run" 90
begin=$SECONDS
killed score TERM
same "score after SIGTERM" "$ENDED" 143
killed sink TERM
same "sink after SIGTERM" "$ENDED" 143
[ $((SECONDS - begin)) -le 10 ] || fail "the stages took $((SECONDS - begin)) s to end"

# what the sink copied: processes and runs
same "the run in the database" "$(sql "SELECT count(*) FROM fraudtop_processes WHERE role IN ('score', 'sink', 'replay')")" 3

# bad rows: quarantine and status 3, everything else is sent
head -n 4 data/new_small.csv >"$TMP/bad.csv"
printf 'only,three,fields\n' >>"$TMP/bad.csv"
sed -n 5,6p data/new_small.csv >>"$TMP/bad.csv"
exits 3 "$FRAUDTOP" run "$TMP/bad.csv" --json --quarantine "$TMP/bad.rejected"
same "read with a bad row" "$(json "$TMP/out" read)" 6
same "rejected" "$(json "$TMP/out" rejected)" 1
same "stored" "$(json "$TMP/out" stored)" 5
grep -q '^5,' "$TMP/bad.rejected" || fail "the quarantine file does not name line 5: $(cat "$TMP/bad.rejected")"

# a column is missing: nothing is sent
cut -d, -f 1-3 data/new_small.csv >"$TMP/short.csv"
before=$(rows)
exits 1 "$FRAUDTOP" run "$TMP/short.csv"
grep -q amount "$TMP/err" || fail "the missing column is not named: $(cat "$TMP/err")"
same "nothing was sent" "$(rows)" "$before"

# nobody answers: status 4, soon
FRAUDTOP_BROKERS=127.0.0.1:1 exits 4 "$FRAUDTOP" run data/new_small.csv --connect-timeout 1s
FRAUDTOP_DATABASE="host=/nowhere" exits 4 "$FRAUDTOP" run data/new_small.csv --connect-timeout 1s
FRAUDTOP_DATABASE="$PGBASE dbname=no_such_database" exits 2 "$FRAUDTOP" run data/new_small.csv
echo passed
