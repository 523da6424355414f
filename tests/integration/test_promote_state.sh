# A model with customers' state is put into force during traffic and the scorer killed right after: the changelog says from
# which offset on it decides, verdicts agree with that, and scores are those of `score FILE`, bit for bit.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500
ROWS=${FT_ROWS:-6000} RATE=${FT_RATE:-150}
mkdir -p "$TMP/here/models"
cd "$TMP/here"
cp -r "$FT_SOURCE/models/velocity" models/old
cp -r "$FT_SOURCE/models/velocity" models/new
for name in old new; do sed -i "s/\"name\": \"velocity\"/\"name\": \"$name\"/" "models/$name/manifest.json"; done
made "$ROWS" 9 rows.csv
exits 0 "$FRAUDTOP" score rows.csv -m new -q -o offline.csv

promoted() { # NAME SCORE-OPTIONS...
    local name=$1 run
    shift
    export FRAUDTOP_TOPICS_TRANSACTIONS=$T.$name.transactions FRAUDTOP_TOPICS_SCORING=$T.$name.scoring FRAUDTOP_SCORE_GROUP=$T.$name \
        FRAUDTOP_TOPICS_CONTROL=$T.$name.control FRAUDTOP_TOPICS_STATUS=$T.$name.status
    sql "TRUNCATE fraud_scores, fraudtop_verdicts" >/dev/null 2>&1 || true
    : >"$TMP/one.log" >"$TMP/replay.log"
    member one "$FRAUDTOP" score -m old "$@"
    member sink "$FRAUDTOP" sink
    member replay "$FRAUDTOP" replay rows.csv --rate "$RATE"
    within 60 has_rows 500 || fail "$name: nothing is stored: $(tail -n 3 "$TMP"/*.log)"
    run=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
    member promote "$FRAUDTOP" model promote new --note 'in the middle'
    within 30 grep -q 'model new 1 decides from now on' "$TMP/one.log" || fail "$name: not taken: $(cat "$TMP/one.log" "$TMP/promote.log")"
    sleep "0.$((RANDOM % 9))"
    killed one
    killed promote
    member one "$FRAUDTOP" score "$@" # without a model of its own: the one in force
    killed replay TERM # it was slow enough to be met in the middle
    exits 0 "$FRAUDTOP" replay rows.csv --rate max --resume "$run"
    within 90 has_rows "$ROWS" || fail "$name: $(rows) rows of $ROWS: $(tail -n 5 "$TMP"/*.log)"
    same_scores "$run" "$ROWS" offline.csv
    killed one TERM
    killed sink TERM

    exits 0 "$FRAUDTOP" topics tail "fraudtop.state.$FRAUDTOP_SCORE_GROUP" --all --limit 0 --offset 0 --json
    cp "$TMP/out" "$TMP/state.json"
    exits 0 "$FRAUDTOP" topics tail "$FRAUDTOP_TOPICS_TRANSACTIONS" --limit 0 --offset 0 --json
    sql "SELECT v.transaction_id, m.name FROM fraudtop_verdicts v JOIN fraudtop_models m USING (model)" >"$TMP/models"
    python3 - "$TMP/state.json" "$TMP/out" "$TMP/models" "$*" <<'PY' || fail "$name: verdicts do not agree with the changelog"
import json, sys
first = {}  # (partition, model): offset
for m in map(json.loads, open(sys.argv[1])):
    if m["key"].startswith("model/"):
        first[m["partition"], m["value"]["model"]] = int(m["key"][6:])
by = dict(line.strip().split("|") for line in open(sys.argv[3]))
parts, early, late = set(), 0, 0
for m in map(json.loads, open(sys.argv[2])):
    p = m["partition"]
    parts.add(p)
    new, has = m["offset"] >= first[p, "new 1"], by[m["value"]["transaction_id"]]
    early += not new and has != "old 1"
    late += new and has != "new 1"
print(f"old from {[first[p, 'old 1'] for p in sorted(parts)]}, new from {[first[p, 'new 1'] for p in sorted(parts)]} on,",
      f"{late} verdicts above were sent by old before it was killed")
assert all(first[p, "old 1"] == 0 < first[p, "new 1"] for p in parts), first
assert not early, f"{early} below are of new"
assert not late or "--exactly-once" not in sys.argv[4], f"{late} above are of old"
PY
}
promoted plain
promoted exactly --exactly-once
