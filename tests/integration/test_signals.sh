# A clean stop by each signal, with its exit status, in time; a second one ends at once.
. "$FT_SOURCE/tests/services.sh"
need_kafka
need_postgres
cd "$FT_SOURCE"

# stopped SIGNAL STATUS COMMAND...: runs until it has printed its run, sends the signal, wants the status within 6 s
stopped() {
    local signal=$1 want=$2 pid status=0 start
    shift 2
    rm -f "$TMP/err"
    "$@" >"$TMP/out" 2>"$TMP/err" </dev/null &
    pid=$!
    BG+=("$pid")
    check "$* begins" within 20 grep -qs run "$TMP/err"
    sleep 0.7
    start=$SECONDS
    kill "-$signal" "$pid"
    wait "$pid" || status=$?
    [ "$status" = "$want" ] || { cat "$TMP/err" >&2; fail "$signal: exit status $status, not $want: $*"; }
    check "$signal: $* ends within 6 s" test $((SECONDS - start)) -le 6
}

for command in "replay data/new_small.csv --rate 5" "run data/new_small.csv --rate 5"; do
    # shellcheck disable=SC2086
    {
        stopped INT 130 "$FRAUDTOP" $command
        stopped TERM 143 "$FRAUDTOP" $command
        stopped HUP 129 "$FRAUDTOP" $command
    }
done

# nohup: SIGHUP stays ignored, the run goes to its end
rm -f "$TMP/err"
nohup "$FRAUDTOP" replay data/new_small.csv --rate 40 >"$TMP/out" 2>"$TMP/err" </dev/null &
pid=$!
BG+=("$pid")
check "it begins" within 20 grep -qs run "$TMP/err"
kill -HUP "$pid"
status=0
wait "$pid" || status=$?
same "exit status under nohup" "$status" 0

# a stage that waits for ever can be stopped
"$FRAUDTOP" sink -b 127.0.0.1:1 >"$TMP/out" 2>"$TMP/err" </dev/null &
pid=$!
BG+=("$pid")
sleep 1.5
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
same "a waiting sink" "$status" 143

# and one that was told how long to wait ends with 4
exits 4 timeout 20 "$FRAUDTOP" replay data/new_small.csv -b 127.0.0.1:1 --connect-timeout 1s
exits 4 timeout 20 "$FRAUDTOP" sink -d "host=$TMP dbname=none" --connect-timeout 1s

# the error says which service, as text and as JSON
exits 4 timeout 20 "$FRAUDTOP" replay data/new_small.csv -b 127.0.0.1:1 --connect-timeout 1s --json
grep -q '^{"schema":"error/1","code":"kafka_unreachable","message":"kafka: ' "$TMP/err" || fail "no kafka_unreachable: $(cat "$TMP/err")"
exits 4 timeout 20 "$FRAUDTOP" sink -d "host=$TMP dbname=none" --connect-timeout 1s --json
grep -q '"code":"postgres_unreachable"' "$TMP/err" || fail "no postgres_unreachable: $(cat "$TMP/err")"
