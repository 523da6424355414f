# fraudtop bench: steps with a verdict each, and nothing of it stays in the database.
# ctest: serial
. "$FT_SOURCE/tests/services.sh"
. "$FT_SOURCE/tests/integration/pipeline.sh"
need python3
need_kafka
need_postgres

exits 0 "$FRAUDTOP" bench --steps 50,max --seconds 2s --warmup 1s --max-p99 60s --json
python3 - "$TMP/out" <<'PY' || fail "not what was asked for: $(cat "$TMP/out")"
import json, sys
steps = json.load(open(sys.argv[1]))["steps"]
slow, full = steps
assert slow["rate"] == 50 and full["rate"] == "max"
assert 40 < slow["tx_per_s"] < 60, slow
assert full["tx_per_s"] > 10 * slow["tx_per_s"], full
assert all(s["held"] and s["errors"] == 0 and s["latency_ms"]["p50"] > 0 for s in steps)
PY
same "schemas that stay" "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'fraudtop%'")" 0
same "tables of others" "$(sql "SELECT to_regclass('fraud_scores') IS NULL")" t

# a step that cannot be held is said to be so, with status 1 (on a busy machine the rate is not held either, which comes first)
exits 1 "$FRAUDTOP" bench --steps 200 --seconds 2s --warmup 0s --max-p99 1ms --json
grep -qE '"held":false,"why":"(p99|only)' "$TMP/out" || fail "it should not be held: $(cat "$TMP/out")"
exits 2 "$FRAUDTOP" bench --steps 10,fast
