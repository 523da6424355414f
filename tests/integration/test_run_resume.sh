# An all-in-one run, killed at any moment, goes on with --resume to the same set of ids and to totals of the whole run:
# embedded, and on real servers; SIGTERM under load ends it within 5 s.
# ctest: timeout 300
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
SEED=${FT_SEED:-5}
RANDOM=$SEED
ROWS=20000
made "$ROWS" "$SEED" "$TMP/rows.csv"
# two bad rows, at 7000 and near the end
sed -i -e '7002s/.*/bad,row/' -e '19002s/.*/bad/' "$TMP/rows.csv"

killed_run() { # KILLS OPTIONS...: run, kill -9, resume ..., at last to the end; its object in $TMP/out
    local kills=$1 i
    shift
    : >"$TMP/run.log"
    member run "$FRAUDTOP" run "$TMP/rows.csv" --rate 5000 "$@"
    within 60 grep -q 'run [0-9a-f]\{12\}-' "$TMP/run.log" || fail "no run: $(cat "$TMP/run.log")"
    RUN=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/run.log" | cut -d' ' -f2)
    for i in $(seq "$kills"); do
        sleep "$((1 + RANDOM % 2)).$((RANDOM % 10))"
        killed run
        if [ "$i" -lt "$kills" ]; then member run "$FRAUDTOP" run --resume "$RUN" --rate 5000 "$@"; fi
    done
    exits 3 "$FRAUDTOP" run --resume "$RUN" --json "$@"
    same "run" "$(json "$TMP/out" run_id)" "$RUN"
    same "read" "$(json "$TMP/out" read)" "$ROWS"
    same "rejected" "$(json "$TMP/out" rejected)" 2
    for name in sent scored stored; do same "$name" "$(json "$TMP/out" $name)" $((ROWS - 2)); done
    # bad rows are in the quarantine once each
    same "quarantined" "$(wc -l <"$XDG_STATE_HOME/fraudtop/runs/$RUN.rejected.csv")" 3
}
right_ids() {
    ids_of "$RUN" "$ROWS" | sed -e 7001d -e 19001d >"$TMP/want.ids"
    sql "SELECT transaction_id FROM fraud_scores ORDER BY 1" >"$TMP/got.ids"
    cmp -s "$TMP/want.ids" "$TMP/got.ids" || fail "the table's ids differ from the valid rows'"
}

killed_run 2 # embedded
need_kafka
need_postgres
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500 FRAUDTOP_CONNECT_TIMEOUT=60s
killed_run 3
right_ids

# a clean stop under load
: >"$TMP/run.log"
member run "$FRAUDTOP" run "$TMP/rows.csv" --rate 1000
within 30 has_rows $((ROWS + 500)) || fail "the run does not begin: $(cat "$TMP/run.log")"
begin=$(date +%s%N)
killed run TERM
same "run after SIGTERM" "$ENDED" 143
[ $((($(date +%s%N) - begin) / 1000000)) -le 5500 ] || fail "it took $((($(date +%s%N) - begin) / 1000000)) ms to end"
grep -q 'go on with: fraudtop run --resume' "$TMP/run.log" || fail "it does not say how to go on"

# a file that changed is an error, not a guess
RUN=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/run.log" | cut -d' ' -f2)
echo "one,more" >>"$TMP/rows.csv"
exits 1 "$FRAUDTOP" run --resume "$RUN"
grep -q changed "$TMP/err" || fail "the changed file is not named: $(cat "$TMP/err")"
exits 2 "$FRAUDTOP" run --resume 000000000000-000000001

# a pipe ends, too; of a packed file that is damaged what could be read is stored before the error is told
head -301 "$TMP/rows.csv" | "$FRAUDTOP" run - --json -q >"$TMP/out" || fail "a run of a pipe ends with $?"
same "stored of a pipe" "$(json "$TMP/out" stored)" 300
exits 2 "$FRAUDTOP" run "$TMP/rows.csv" --ids time
head -301 "$TMP/rows.csv" | gzip >"$TMP/tail.csv.gz"
echo garbage >>"$TMP/tail.csv.gz"
exits 1 "$FRAUDTOP" run "$TMP/tail.csv.gz" --json
same "stored of a damaged file" "$(json "$TMP/out" stored)" 300
grep -q damaged "$TMP/err" || fail "the damage is not told: $(cat "$TMP/err")"
