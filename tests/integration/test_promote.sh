# A model put into force from the shell: all running scorers load it, say so and use it; it is taken back; one that cannot
# be used changes nothing.
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need jq python3
need_kafka
need_postgres

mkdir -p "$TMP/here/models"
cp -r "$FT_SOURCE/models/seed-004" "$TMP/here/models/champion"
cp -r "$FT_SOURCE/models/seed-004" "$TMP/here/models/rival"
cp -r "$FT_SOURCE/models/seed-004" "$TMP/here/models/broken"
sed -i 's/"name": *"seed-004"/"name": "champion"/' "$TMP/here/models/champion/manifest.json"
sed -i 's/"name": *"seed-004"/"name": "rival"/; s/"threshold": *0.5/"threshold": 0.4/' "$TMP/here/models/rival/manifest.json"
for f in "$TMP"/here/models/broken/*.cbm; do head -c 1000 "$f" >"$f.cut" && mv "$f.cut" "$f"; done
cd "$TMP/here"
made 20000 5 rows.csv

member one "$FRAUDTOP" score -m champion
member two "$FRAUDTOP" score -m champion
member sink "$FRAUDTOP" sink
member replay "$FRAUDTOP" replay rows.csv --rate 150
within 60 has_rows 100 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"
of() { sql "SELECT count(*) FROM fraudtop_verdicts JOIN fraudtop_models USING (model) WHERE name LIKE '$1 %'"; }
some() { [ "$(of "$1")" -gt "$2" ]; }
live="role = 'score' AND state <> 'gone' AND seen_at > now() - interval '5 s'"
model_of() { sql "SELECT DISTINCT detail ->> 'model' FROM fraudtop_processes WHERE $live"; }
is_model() { [ "$(model_of)" = "$1" ]; }
champion=$(jq -r '.name + " " + (.version | tostring)' models/champion/manifest.json)
rival=$(jq -r '.name + " " + (.version | tostring)' models/rival/manifest.json)
within 30 is_model "$champion" || fail "heartbeats name $(model_of), not $champion"

# what cannot be used is refused before anything is said to anybody
exits 2 "$FRAUDTOP" model promote rival
exits 2 "$FRAUDTOP" model promote nowhere --note x
got=0
"$FRAUDTOP" model promote broken --note x >"$TMP/out" 2>"$TMP/err" || got=$?
[ "$got" != 0 ] || fail "a damaged model is promoted"
grep -q broken "$TMP/err" || fail "which model is damaged? $(cat "$TMP/err")"
same "records" "$(sql "SELECT count(*) FROM fraudtop_in_force WHERE kind = 'model'")" 0

exits 0 "$FRAUDTOP" model promote rival --note 'better on the sample' --as ana --json
same "scorers that use it" "$(jq -c '[.model, .scorers, .using]' "$TMP/out")" "[\"$rival\",2,2]"
within 20 some rival 100 || fail "verdicts of rival: $(of rival)"
grep -q "model $rival decides" "$TMP/one.log" || fail "the scorer does not say so: $(cat "$TMP/one.log")"
within 20 is_model "$rival" || fail "heartbeats name $(model_of)"
exits 0 "$FRAUDTOP" cases log --json
jq -e '.entries[] | select(.by == "ana" and (.text | test("model.*rival.*better on the sample")))' "$TMP/out" >/dev/null ||
    fail "the log does not have it: $(cat "$TMP/out")"

# a scorer that has no such model goes on with its own, loudly; the command says which one
mv models/rival "$TMP/rival"
cp -r models/champion models/third
sed -i 's/"name": *"champion"/"name": "third"/' models/third/manifest.json
mkdir "$TMP/elsewhere"
(cd "$TMP/elsewhere" && exec "$FRAUDTOP" score -m "$TMP/here/models/champion" >"$TMP/far.log" 2>&1) &
BG+=($!)
three() { [ "$(sql "SELECT count(*) FROM fraudtop_processes WHERE $live")" = 3 ]; }
within 30 three || fail "the third scorer does not live"
exits 1 "$FRAUDTOP" model promote third --note 'one lacks it'
grep -q 'uses champion' "$TMP/err" || fail "who goes on? $(cat "$TMP/err")"
grep -q 'third is in force but cannot be used here' "$TMP/far.log" || fail "far.log: $(cat "$TMP/far.log")"
kill -TERM "${BG[-1]}"

# back to the one before; a model that was moved away is refused, and the present one goes on
got=0
"$FRAUDTOP" model rollback >"$TMP/out" 2>"$TMP/err" || got=$?
[ "$got" != 0 ] || fail "a model that is gone is rolled back to"
mv "$TMP/rival" models/rival
exits 0 "$FRAUDTOP" model rollback --note 'was better'
grep -q "$rival is in force" "$TMP/out" || fail "rollback: $(cat "$TMP/out")"
within 20 is_model "$rival" || fail "heartbeats name $(model_of)"
