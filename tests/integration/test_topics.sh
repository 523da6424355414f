# fraudtop topics: what lies in Kafka, for people and for scripts.
. "$FT_SOURCE/tests/services.sh"
need jq
need_kafka
topics() { "$FRAUDTOP" topics "$@"; }

"$FRAUDTOP" replay "$FT_SOURCE/data/new_small.csv" --rate max >/dev/null 2>&1

# list: every topic with its messages, and the group that reads it
topics list --json >"$TMP/list"
same "messages" "$(jq ".topics[] | select(.topic == \"$T.transactions\") | .messages" "$TMP/list")" 90
same "group" "$(jq -r ".topics[] | select(.topic == \"$T.transactions\") | .group" "$TMP/list")" "$T.score"
same "lag" "$(jq ".topics[] | select(.topic == \"$T.transactions\") | .lag" "$TMP/list")" 90
check "the table has the topic" grep -q "^$T.transactions  *3  *90 " <(topics list)
check "Kafka's own topics only with --all" test "$(topics list | grep -c '^__')" = 0

# show: partitions
topics show "$T.transactions" --json >"$TMP/show"
same "partitions" "$(jq '.partitions | length' "$TMP/show")" 3
same "messages of all" "$(jq '[.partitions[] | .high - .low] | add' "$TMP/show")" 90
same "nobody owns it" "$(jq -c '[.partitions[].owner] | unique' "$TMP/show")" '[null]'
check "the table" grep -q 'PARTITION .*OWNER' <(topics show "$T.transactions")

# tail: the newest, by offset, by time, of one partition
same "ten of them" "$(topics tail "$T.transactions" --json | wc -l)" 10
topics tail "$T.transactions" --json --limit 30 | jq .timestamp_ms >"$TMP/times"
check "in order of time" sort -nc "$TMP/times"
same "all" "$(topics tail "$T.transactions" --limit 0 --json | wc -l)" 90
same "since an hour" "$(topics tail "$T.transactions" --since 1h --json | wc -l)" 90
same "since tomorrow" "$(topics tail "$T.transactions" --since 2999-01-01T00:00 --json | wc -l)" 0
same "from an offset" "$(topics tail "$T.transactions" --partition 1 --offset -2 --json | jq -c .partition | uniq -c | tr -s ' ')" ' 2 1'
same "the first" "$(topics tail "$T.transactions" --partition 0 --offset 0 --limit 1 --json | jq .offset)" 0
topics tail "$T.transactions" --limit 1 >"$TMP/tail"
check "laid out" grep -q '^    "amount": ' "$TMP/tail"
check "masked" grep -q '"name_1": "\*\*\*"' "$TMP/tail"
check "not masked when asked" test "$(topics tail "$T.transactions" --limit 0 --mask off --json | jq -r .value.data.name_1 | grep -vc '\*')" = 90

# find: by transaction id, however it is written
id=$(topics tail "$T.transactions" --limit 1 --json | jq -r .value.transaction_id)
for form in "$id" "${id^^}" "${id//-/}"; do
    same "found as $form" "$(topics find "$form" --json | jq -r '.topic + " " + .value.transaction_id')" "$T.transactions $id"
done
exits 1 topics find 0199c0de-0000-8000-8000-000000000001
check "says which" grep -q 0199c0de-0000-8000-8000-000000000001 "$TMP/err"

# follow: goes on with what comes, ends cleanly
"$FRAUDTOP" topics tail "$T.transactions" --follow --json >"$TMP/follow" & pid=$!
BG+=("$pid")
within 20 test -s "$TMP/follow"
before=$(wc -l <"$TMP/follow")
"$FRAUDTOP" replay "$FT_SOURCE/data/new_small.csv" --rate max --limit 5 >/dev/null 2>&1
more() { [ "$(wc -l <"$TMP/follow")" -ge $((before + 5)) ]; }
check "what comes is shown" within 20 more
kill -INT "$pid"
status=0; wait "$pid" || status=$?
same "stopped by SIGINT" "$status" 130

# slips
exits 2 topics nonsense
exits 2 topics show
exits 2 topics find not-an-id
exits 2 topics tail "$T.transactions" --offset soon
exits 2 topics tail "$T.transactions" --since yesterday
exits 2 topics tail "$T.transactions" --partition 17
exits 1 topics show there-is-none-such
check "names it" grep -q there-is-none-such "$TMP/err"
exits 4 topics list -b 127.0.0.1:1 --connect-timeout 1s
