# Every member of every --json output is in docs/formats.md, and every member there is printed: real commands on real data.
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
cd "$FT_SOURCE"
mkdir "$TMP/json"
# out NAME STATUS COMMAND...: what it prints with --json is added to $TMP/json/NAME
out() {
    local name=$1
    shift
    exits "$@" --json
    cat "$TMP/out" >>"$TMP/json/$name"
}
first_id() { python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["cases"][int(sys.argv[2])]["transaction_id"])' "$TMP/json/cases.list" "$1"; }

# an empty database and eight processes that make its schema at once
pids=()
for i in 1 2 3 4 5 6 7 8; do
    "$FRAUDTOP" cases list --json >"$TMP/at_once.$i" 2>&1 &
    pids+=($!)
done
for p in "${pids[@]}"; do wait "$p" || fail "of eight that begin at once one ends with $?: $(cat "$TMP"/at_once.*)"; done
same "objects" "$(grep -l '"cases":\[\]' "$TMP"/at_once.* | wc -l)" 8

zcat data/test.csv.gz | head -1500 >"$TMP/rows.csv" || true
echo bad,row >>"$TMP/rows.csv"
M=(-m velocity)
"$FRAUDTOP" score "${M[@]}" --threshold 0.01 --json >"$TMP/json/score.group" 2>"$TMP/score.log" &
scorer=$!
"$FRAUDTOP" sink --json >"$TMP/json/sink" 2>"$TMP/sink.log" &
sink=$!
"$FRAUDTOP" watch --json --interval 500ms >"$TMP/watch" 2>"$TMP/watch.log" &
watch=$!
BG+=("$scorer" "$sink" "$watch")
out replay 3 "$FRAUDTOP" replay "$TMP/rows.csv" --label target "${M[@]}" --rate max
out replay 3 "$FRAUDTOP" replay --resume "$(json "$TMP/json/replay" run_id)" "${M[@]}"
[ "$(grep -c '"rejected":1,.*"quarantine":".*rejected.csv"}' "$TMP/json/replay")" = 2 ] ||
    fail "the quarantine of a resumed run is not named: $(cat "$TMP/json/replay")"
within 60 has_rows 1499 || fail "not all is stored"
out topics.list 0 "$FRAUDTOP" topics list
out topics.show 0 "$FRAUDTOP" topics show "$T.transactions"
out model.promote 0 "$FRAUDTOP" model promote velocity --note "as before"
out threshold.apply 0 "$FRAUDTOP" threshold apply 0.02 --note quiet
within 30 grep -q '"label":{' "$TMP/watch" || fail "watch has no labels: $(tail -n 1 "$TMP/watch")"
for p in "$watch" "$scorer" "$sink"; do kill -TERM "$p"; done
for p in "$watch" "$scorer" "$sink"; do wait "$p" || true; done
grep '"watch/1"' "$TMP/watch" >"$TMP/json/watch" || true
grep '"flagged/1"' "$TMP/watch" >"$TMP/json/flagged" || true

out run 3 "$FRAUDTOP" run "$TMP/rows.csv" --label target "${M[@]}" -q --group "$T.again"
"$FRAUDTOP" bench --steps 50 --seconds 1s --warmup 0s --json >"$TMP/json/bench" 2>/dev/null || true # held or not
out topics.tail 0 "$FRAUDTOP" topics tail "$T.scoring" --limit 2

out cases.list 0 "$FRAUDTOP" cases list --limit 3
one=$(first_id 0) two=$(first_id 1)
out cases.claim 0 "$FRAUDTOP" cases claim "$one"
out cases.decide 0 "$FRAUDTOP" cases decide "$one" fraud --note called
out cases.undo 0 "$FRAUDTOP" cases undo --note mistaken
out cases.note 0 "$FRAUDTOP" cases note "$one" --note 'call again'
exits 0 "$FRAUDTOP" cases decide "$two" escalate --note 'for the day'
exits 0 "$FRAUDTOP" cases decide "$(first_id 2)" snooze --until 2h --note later
for id in "$one" "$two"; do out cases.show 0 "$FRAUDTOP" cases show "$id"; done
out cases.stats 0 "$FRAUDTOP" cases stats
out cases.log 0 "$FRAUDTOP" cases log
sql "INSERT INTO fraudtop_alerts (at, kind, host, message) VALUES (now(), 'lag', 'h', 'm')" >/dev/null
out handover 0 "$FRAUDTOP" handover --since 8h
exits 0 "$FRAUDTOP" cases export --format jsonl --limit 2
cp "$TMP/out" "$TMP/json/cases.case"
out threshold 0 "$FRAUDTOP" threshold 0.3

out score 0 "$FRAUDTOP" score "$TMP/rows.csv" --limit 50 --reasons 2 "${M[@]}"
out explain 0 "$FRAUDTOP" explain "$TMP/rows.csv" --row 900 "${M[@]}"
out evaluate 0 "$FRAUDTOP" evaluate "$TMP/rows.csv" --limit 1400 --label target --beta 2 --fpr 0.01 --recall 0.5 -m seed-004 "${M[@]}"
mkdir -p "$TMP/models/broken"
echo '{' >"$TMP/models/broken/manifest.json"
out model.list 0 "$FRAUDTOP" model list
(cd "$TMP" && exits 0 "$FRAUDTOP" model list --json) || exit 1
cat "$TMP/out" >>"$TMP/json/model.list"
out model.show 0 "$FRAUDTOP" model show "${M[@]}"
out model.check 0 "$FRAUDTOP" model check "${M[@]}"
out doctor 0 "$FRAUDTOP" doctor -X linger.ms=5
exits 0 "$FRAUDTOP" snapshot --format json --scene normal
cp "$TMP/out" "$TMP/json/snapshot"
exits 2 "$FRAUDTOP" score --json --no-such-option
cp "$TMP/err" "$TMP/json/error"
exits 0 "$FRAUDTOP" replay data/new_small.csv --rate 30 --json --progress=json # three seconds
grep '"progress/1"' "$TMP/err" >"$TMP/json/progress" || fail "no progress: $(head -n 3 "$TMP/err")"

python3 tests/integration/json_members.py "$FT_SOURCE" "$TMP/json"
