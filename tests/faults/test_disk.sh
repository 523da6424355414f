# A disk that fills up: Kafka's, PostgreSQL's data, PostgreSQL's log.  The stages wait and say so; with room again, and the server
# started again where it stopped by itself, everything arrives and what was stored before is still there.
# ctest: timeout 900
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
. "$FT_SOURCE/tests/faults/servers.sh"
need python3
[ "$(id -u)" = 0 ] || skip "only root can mount a small volume"
VOLUMES=()
volume() { # FOLDER MB: a small volume
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2m,mode=0755" fraudtop "$1" 2>/dev/null || skip "no right to mount a small volume"
    VOLUMES+=("$1")
}
unmount() { for ((i = ${#VOLUMES[@]} - 1; i >= 0; i--)); do umount -l "${VOLUMES[i]}"; done; }
AT_END+=(unmount)
fill() { dd if=/dev/zero bs=64k >>"$1/filler" 2>/dev/null || true; } # again: what became free meanwhile

volume "$TMP/kafka" 700
own_kafka log.segment.bytes=16777216
PGDIR=$(mktemp -d /tmp/fraudtop-pg.XXXXXX)
volume "$PGDIR" 400
mkdir "$PGDIR/wal"
volume "$PGDIR/wal" 120
chown postgres "$PGDIR/wal"
PGINIT="--waldir=$PGDIR/wal/log"
PGSET="-c max_wal_size=48MB -c min_wal_size=32MB -c wal_recycle=off"
own_postgres "$PGDIR"
ROWS=${FT_ROWS:-300000}
made "$ROWS" 29 "$TMP/rows.csv"
three_stages ${FT_SCORE:-}
replay_of "$TMP/rows.csv" 1500
within 60 has_rows 1000 || fail "nothing is stored: $(tail -n 3 "$TMP"/*.log)"

say_how_it_went() { echo "$1: $(rows) rows when there was room again; $(grep -c "$2" "$TMP/$3.log") lines of $3 about it"; }

# the data volume of PostgreSQL: an error of each statement that needs a new page
fill "$PGDIR"
within 60 grep -q 'waiting for PostgreSQL.*space' "$TMP/sink.log" || fail "a full data volume is not told: $(tail -n 3 "$TMP/sink.log")"
before=$(rows)
sleep 3
rm "$PGDIR/filler"
has_rows "$before" || fail "rows went away"
say_how_it_went "data volume" 'waiting for PostgreSQL' sink
more() { has_rows $((before + 500)); }
within 60 more || fail "the sink does not go on: $(tail -n 3 "$TMP/sink.log")"

# its log: the server stops by itself
stopped_itself() { ! psql -qXAtc "SELECT 1" "$DB" >/dev/null 2>&1; }
keep_full() { while sleep 0.02; do fill "$1"; done; } # a checkpoint makes room that the server would take first
keep_full "$PGDIR/wal" &
filling=$!
BG+=("$filling")
within 120 stopped_itself || fail "the server still writes without room for its log"
sleep 3
kill "$filling"
wait "$filling" 2>/dev/null || true
rm "$PGDIR/wal/filler"
pg kill9 2>/dev/null || true
pg start
before=$(rows)
[ "$before" -lt "$ROWS" ] || fail "nothing was left to be stored: FT_ROWS is too low"
say_how_it_went "log volume" 'waiting for PostgreSQL' sink
within 60 more || fail "the sink does not go on: $(tail -n 3 "$TMP/sink.log")"

# Kafka's: the broker halts when none of its folders can be written
halted() {
    fill "$TMP/kafka"
    ! kill -0 "$(cat "$TMP/kafka/kafka.pid")" 2>/dev/null
}
kill -0 "${PID[replay]}" 2>/dev/null || fail "nothing was left to be sent: FT_ROWS is too low"
within 120 halted || fail "the broker still writes without room"
sleep 5
bounded replay 150
rm -f "$TMP/kafka/filler"
say_how_it_went "Kafka" 'waiting for Kafka' replay
kafka start
arrived "$ROWS" 180
bounded score 300
bounded sink 150
