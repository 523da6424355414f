# A replay that is killed in its first second, continued twice, continued while it still lives, after its file changed, with a full
# state folder: the table holds each row once, or a clear refusal says why not.
# ctest: timeout 600
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
export FRAUDTOP_KAFKA_SESSION_TIMEOUT_MS=6000 FRAUDTOP_KAFKA_HEARTBEAT_INTERVAL_MS=1500 FRAUDTOP_CONNECT_TIMEOUT=60s
RANDOM=${FT_SEED:-23}
ROWS=15000
made "$ROWS" 23 "$TMP/rows.csv"
begin_run() { # OPTIONS...: its name in $RUN
    sql "TRUNCATE fraud_scores" >/dev/null 2>&1 || true
    : >"$TMP/replay.log"
    member replay "$FRAUDTOP" replay "$TMP/rows.csv" "$@"
    within 60 grep -q 'run [0-9a-f]\{12\}-' "$TMP/replay.log" || fail "no run: $(cat "$TMP/replay.log")"
    RUN=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
}
resume() { "$FRAUDTOP" replay --resume "$RUN" --rate max "$@" >>"$TMP/replay.log" 2>&1 </dev/null; }
all_there() {
    within 90 has_rows "$ROWS" || fail "$1: $(rows) rows of $ROWS: $(tail -n 4 "$TMP"/*.log)"
    same_ids "$RUN" "$ROWS"
    echo "$1: each row once"
}
member score "$FRAUDTOP" score --exactly-once
member sink "$FRAUDTOP" sink

for i in 1 2 3 4; do # within the first second, the run's name printed or not
    begin_run --rate max
    sleep "0.$((RANDOM % 5))"
    killed replay
    resume || fail "resume: $(tail -n 3 "$TMP/replay.log")"
    all_there "killed at once, $i"
    resume || fail "a second resume: $(tail -n 3 "$TMP/replay.log")"
    sleep 1
    same_ids "$RUN" "$ROWS"
done

begin_run --rate 3000
sleep 2
exits 2 "$FRAUDTOP" replay --resume "$RUN" --rate max
grep -q "is being sent by another process" "$TMP/err" || fail "two at once are not refused: $(cat "$TMP/err")"
killed replay
resume || fail "resume after a kill: $(tail -n 3 "$TMP/replay.log")"
all_there "refused while it lived"
same_topic_ids "$T.scoring" "$RUN" "$ROWS"

begin_run --rate 3000
sleep 1
killed replay
cp "$TMP/rows.csv" "$TMP/kept.csv"
sed -i '2s/Shop/Chop/' "$TMP/rows.csv"
exits 1 "$FRAUDTOP" replay --resume "$RUN"
grep -q 'it changed' "$TMP/err" || fail "the changed file is not named: $(cat "$TMP/err")"
cp "$TMP/kept.csv" "$TMP/rows.csv"
resume || fail "resume of the file as it was: $(tail -n 3 "$TMP/replay.log")"
all_there "file changed and put back"

# a state folder without room: the replay ends and says why; the journal that is there goes on
[ "$(id -u)" = 0 ] || { echo "no root: the full state folder is not tried"; exit 0; }
mkdir "$TMP/small"
mount -t tmpfs -o size=256k,mode=0700 fraudtop "$TMP/small" 2>/dev/null || { echo "no mount: the full state folder is not tried"; exit 0; }
unmount() { umount -l "$TMP/small"; }
AT_END+=(unmount)
export XDG_STATE_HOME=$TMP/small FRAUDTOP_KEY_SECRET=00112233445566778899aabbccddeeff
begin_run --rate 2000
sleep 1.5
dd if=/dev/zero of="$TMP/small/filler" bs=4k 2>/dev/null || true
ENDED=0
wait "${PID[replay]}" || ENDED=$?
same "a replay without room for its journal" "$ENDED" 1
grep -q 'No space left' "$TMP/replay.log" && grep -q -- '--no-journal' "$TMP/replay.log" || fail "it does not say why: $(tail -n 3 "$TMP/replay.log")"
rm "$TMP/small/filler"
resume || fail "resume with room again: $(tail -n 3 "$TMP/replay.log")"
all_there "full state folder"
