# Connections lost at the worst moments of a write, by a proxy between sink and server: after the server has committed and before the
# sink hears of it, and before the server has the whole statement.  What is in doubt is written again, and is there once.
# ctest: timeout 400
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres
ROWS=${FT_ROWS:-30000} CUTS=${FT_CUTS:-40}
made "$ROWS" 19 "$TMP/rows.csv"
cat >"$TMP/proxy.py" <<'PY'
"""proxy.py SERVER-SOCKET OWN-SOCKET CUTS SEED: of the batches (an Execute of a prepared statement, then Sync) some are cut: "after": the
server's answer, which says that it is committed, is not passed on; "before": only a part of the batch gets to the server."""
import random, socket, struct, sys, threading, time
server, own, cuts, r = sys.argv[1], sys.argv[2], int(sys.argv[3]), random.Random(int(sys.argv[4]))
made = {"after": 0, "before": 0}
lock = threading.Lock()

def exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise OSError("end")
        data += more
    return data

def message(s):
    head = exactly(s, 5)
    return head + exactly(s, struct.unpack("!I", head[1:])[0] - 4)

def answers(up, down, state):
    try:
        while True:
            m = message(up)
            if state["cut"] == "after" and m[:1] == b"Z":  # ready for the next: it is committed
                with lock:
                    made["after"] += 1
                break
            if state["cut"] != "after":
                down.sendall(m)
    except OSError:
        pass
    for s in (up, down):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass

def serve(down):
    up = socket.socket(socket.AF_UNIX)
    state = {"cut": None}
    try:
        up.connect(server)
        n = struct.unpack("!I", exactly(down, 4))[0]
        up.sendall(struct.pack("!I", n) + exactly(down, n - 4))
        threading.Thread(target=answers, args=(up, down, state), daemon=True).start()
        batch = b""
        while True:
            m = message(down)
            batch += m
            if m[:1] in (b"B", b"E", b"D", b"P", b"C"):
                continue
            is_batch = m[:1] == b"S" and (b"careful\0" in batch[:200] or b"fast\0" in batch[:200])
            if is_batch and sum(made.values()) < cuts and r.random() < 0.3:
                if r.random() < 0.5:
                    state["cut"] = "after"
                else:
                    with lock:
                        made["before"] += 1
                    up.sendall(batch[:r.randrange(1, len(batch))])
                    break
            up.sendall(batch)
            batch = b""
    except OSError:
        pass
    for s in (up, down):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass

listener = socket.socket(socket.AF_UNIX)
listener.bind(own)
listener.listen(20)
print("ready", flush=True)
def tell():
    while True:
        time.sleep(0.2)
        with open(own + ".cuts", "w") as f:
            print(made["after"], made["before"], file=f)
threading.Thread(target=tell, daemon=True).start()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PY
socket=$(echo "$PGBASE" | sed 's/.*host=\([^ ]*\).*/\1/')/.s.PGSQL.5432
[ -S "$socket" ] || skip "PostgreSQL of the tests has no socket $socket"
python3 "$TMP/proxy.py" "$socket" "$TMP/.s.PGSQL.5432" "$CUTS" "${FT_SEED:-19}" >"$TMP/proxy.out" 2>&1 &
BG+=($!)
within 10 grep -q ready "$TMP/proxy.out" || fail "no proxy: $(cat "$TMP/proxy.out")"
export FRAUDTOP_DATABASE="${DB/host=${socket%/*}/host=$TMP}"
member score "$FRAUDTOP" score
member sink "$FRAUDTOP" sink
: >"$TMP/replay.log"
member replay "$FRAUDTOP" replay "$TMP/rows.csv" --rate 1500
within 30 grep -q 'run [0-9a-f]\{12\}-' "$TMP/replay.log" || fail "no run: $(cat "$TMP/replay.log")"
RUN=$(grep -om1 'run [0-9a-f]\{12\}-[0-9a-f]\{9\}' "$TMP/replay.log" | cut -d' ' -f2)
wait "${PID[replay]}" || fail "replay: $(cat "$TMP/replay.log")"
within 120 has_rows "$ROWS" || fail "$(rows) rows of $ROWS: $(tail -n 4 "$TMP"/*.log)"
same_ids "$RUN" "$ROWS"
# what belongs to a row came with it, once
same "verdicts" "$(sql "SELECT count(*) FROM fraudtop_verdicts")" "$ROWS"
killed sink TERM
same "sink" "$ENDED" 143
same "counted" "$(sql "SELECT coalesce(sum(n), 0) FROM (SELECT unnest(n) AS n FROM fraudtop_score_deltas UNION ALL SELECT n FROM fraudtop_score_totals) AS c")" "$ROWS"
same "positions" "$(sql "SELECT sum(next_offset) FROM fraudtop_sink_offsets")" "$ROWS"
read -r after before <"$TMP/.s.PGSQL.5432.cuts"
echo "$after connections cut after the commit, $before before it"
[ "$after" -gt 3 ] && [ "$before" -gt 3 ] || fail "too few cuts"
