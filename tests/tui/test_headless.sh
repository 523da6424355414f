# What the console shows, without a terminal: watch and snapshot in their forms and exit statuses; and the console, watch
# and snapshot when no service answers.
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/tui/screen.sh"
need jq
away=(-b 127.0.0.1:1 -d 'host=/nowhere dbname=fraud')
model=$FT_SOURCE/models/seed-004

# usage
exits 2 "$FRAUDTOP" watch word
exits 2 "$FRAUDTOP" snapshot --size 80by24
exits 2 "$FRAUDTOP" snapshot --screen nowhere
exits 2 "$FRAUDTOP" "${away[@]}" # no terminal
grep -q 'fraudtop watch --plain' "$TMP/err" || fail "no way out is named: $(cat "$TMP/err")"

# without any service: the console is there at once, says what is down, and everything else works
begin=$(date +%s%3N)
console lone 80x24 "${away[@]}" -m "$model"
shows lone 15 'fraudtop|\[[15] (Live|Health)\]'
echo "first picture after $(($(date +%s%3N) - begin)) ms"
shows lone 30 'KAFKA DOWN.*PG DOWN'
types lone 5
shows lone 10 '\[5 Health\]'
shows lone 10 '127\.0\.0\.1:1'
types lone 2
shows lone 10 'PG DOWN|not reach|cannot be read|No such file'
types lone '?'
shows lone 10 'HELP'
types lone Q
ends lone 30 0

exits 0 timeout 60 "$FRAUDTOP" watch "${away[@]}" --json --count 2 --interval 1s
same "lines" "$(wc -l <"$TMP/out")" 2
same "schema" "$(jq -r '.schema, .kafka, .postgres' "$TMP/out" | tail -n 3 | xargs)" "watch/1 down down"
exits 0 timeout 60 "$FRAUDTOP" watch "${away[@]}" --plain --count 1 --interval 1s
grep -q '^postgres is down: ' "$TMP/out" || fail "plain does not say what is down: $(cat "$TMP/out")"
if grep -q "$(printf '\033')" "$TMP/out"; then fail "escape sequences in plain output"; fi
exits 0 timeout 60 "$FRAUDTOP" snapshot "${away[@]}" -m "$model" --size 80x24
grep -q 'PG DOWN' "$TMP/out" || fail "the snapshot does not say so: $(cat "$TMP/out")"
grep -q '2 Queue ?' "$TMP/out" && grep -q 'score ?  sink ?' "$TMP/out" || fail "what nobody knows has a number: $(cat "$TMP/out")"

# a missing model: the console opens and says so
console bare 80x24 "${away[@]}" -m "$TMP/none"
shows bare 20 'NO MODEL'
types bare Q
ends bare 30 0

# with services
need_kafka
need_postgres
{ gzip -dc "$FT_SOURCE/data/test.csv.gz" || true; } | head -n 3001 >"$TMP/sample.csv"
exits 0 "$FRAUDTOP" run "$TMP/sample.csv" --label target -m "$model" -q --json
flagged=$(jq .flagged "$TMP/out")
for form in text ansi json; do
    exits 0 timeout 60 "$FRAUDTOP" snapshot -m "$model" --screen live --size 100x30 --format "$form"
    cp "$TMP/out" "$TMP/live.$form"
done
grep -q "newest first: $flagged of 3,000" "$TMP/live.text" || fail "not $flagged of 3,000: $(cat "$TMP/live.text")"
if grep -q "$(printf '\033')" "$TMP/live.text"; then fail "escape sequences in text"; fi
grep -q "$(printf '\033')\[" "$TMP/live.ansi" || fail "no colours in ansi"
jq -e '.schema and (.lines | length == 30)' "$TMP/live.json" >/dev/null || fail "json: $(head -c 300 "$TMP/live.json")"
same "flagged as objects" "$(timeout 60 "$FRAUDTOP" watch --json --count 1 | jq -r 'select(.schema == "flagged/1") | .transaction_id' | wc -l)" \
    "$((flagged < 10 ? flagged : 10))"
exits 0 timeout 60 "$FRAUDTOP" watch --json --count 1 --mask on
jq -e 'select(.schema == "watch/1") | .postgres == "up" and .kafka == "up" and .label.tp >= 0 and .queue.open >= 0' "$TMP/out" >/dev/null ||
    fail "figures: $(cat "$TMP/out")"

# signals end it as they end everything
for signal in INT:130 TERM:143 HUP:129; do
    : >"$TMP/out" # or what the last one wrote is taken for its words, and the signal comes before it can be heard
    "$FRAUDTOP" watch --plain >"$TMP/out" 2>&1 &
    pid=$!
    within 30 test -s "$TMP/out"
    kill "-${signal%:*}" $pid
    ended=0
    wait $pid || ended=$?
    same "watch after ${signal%:*}" "$ended" "${signal#*:}"
done
set +e
timeout 60 "$FRAUDTOP" watch --json | head -n 1 >/dev/null
[ "${PIPESTATUS[0]}" != 124 ] || fail "watch goes on when nobody reads"
