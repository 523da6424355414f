#!/usr/bin/env bash
# The review queue from the shell: cases and handover on a private database that `run` has filled.
set -uo pipefail
if ! command -v jq >/dev/null; then
    echo "SKIPPED: jq is not installed" >&2
    [ "${FT_TEST_REQUIRE:-}" = 1 ] && exit 1
    exit 77
fi
dir=$(mktemp -d /tmp/fraudtop-test-XXXXXX)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
export XDG_STATE_HOME=$dir XDG_CONFIG_HOME=$dir/none
unset PGHOST PGHOSTADDR PGPORT PGDATABASE PGSERVICE PGUSER FRAUDTOP_DATABASE
failed=0

fail() {
    echo "FAILED: $*" >&2
    failed=1
}
# expect STATUS WORDS...: runs it, keeps output in $out and errors in $err
expect() {
    local want=$1
    shift
    "$FRAUDTOP" "$@" >"$dir/out" 2>"$dir/err"
    local got=$?
    out=$(cat "$dir/out") err=$(cat "$dir/err")
    [ $got -eq "$want" ] || fail "status $got, not $want: $* ($err)"
}
has() { [[ $1 == *"$2"* ]] || fail "no \"$2\" in: $1"; }
lacks() { [[ $1 != *"$2"* ]] || fail "\"$2\" in: $1"; }

# Half of the sample is enough for some flagged ones.
gzip -dc "$FT_SOURCE/data/test.csv.gz" | head -20000 >"$dir/sample.csv"
expect 0 run "$dir/sample.csv" --label target --json -q
if [[ $err == *"no PostgreSQL server programs"* ]]; then
    echo "SKIPPED: $err" >&2
    [ "${FT_TEST_REQUIRE:-}" = 1 ] && exit 1
    exit 77
fi
flagged=$(jq .flagged <<<"$out")

expect 0 cases list --json
[ "$(jq .total <<<"$out")" = "$flagged" ] || fail "$flagged flagged, listed $(jq .total <<<"$out")"
[ "$(jq -r .schema <<<"$out")" = cases.list/1 ] || fail "schema"
id=$(jq -r '.cases[0].transaction_id' <<<"$out")
other=$(jq -r '.cases[1].transaction_id' <<<"$out")
[ "$(jq '[.cases[] | .score * (.amount | tonumber)] | . == (sort | reverse)' <<<"$out")" = true ] ||
    fail "not ordered by what is at risk"
name=$("$FRAUDTOP" cases show "$id" --mask off --json 2>/dev/null | jq -r .name_1)
street=$("$FRAUDTOP" cases show "$id" --mask off --json 2>/dev/null | jq -r .data.street)
[ ${#name} -gt 2 ] || fail "no first name with --mask off"

expect 0 cases show "$id"
has "$out" "$id"
has "$out" "why: base"
has "$out" "other features together"
lacks "$out" "$street"
lacks "$out" "  $name"
expect 0 cases show "$id" --json
[ "$(jq '(.base + .others.contribution + ([.reasons[].contribution] | add) - .raw) | fabs < 1e-9' <<<"$out")" = true ] ||
    fail "the contributions are not the raw score: $out"
lacks "$out" "$street"
[ "$(jq -r .data.name_1 <<<"$out")" = "${name:0:1}." ] || fail "the name in data is not masked"

expect 0 cases list --filter 'amount>100000'
[ -z "$out" ] || fail "amount>100000 lists: $out"
expect 2 cases list --filter 'amount>much'
has "$err" "character 8"
expect 2 cases list --filter 'customer~a'
has "$err" masked
expect 2 cases nonsense
has "$err" "there are list"
expect 2 cases show 123
expect 2 cases show 00000000-0000-4000-8000-000000000000

expect 0 cases decide "$id" fraud --as ana --note 'called the holder' --json
[ "$(jq -r '.verdict + " " + (.number | tostring)' <<<"$out")" = "fraud 1" ] || fail "decide says: $out"
expect 1 cases decide "$id" legitimate --as ben --json
[ "$(jq -r .code <<<"$err")" = conflict ] || fail "no conflict: $err"
has "$err" "ana was first: fraud"
expect 2 cases decide "$other" escalate
has "$err" note
expect 0 cases decide "$other" escalate --as ana --note 'ring of three'
expect 2 cases decide "$other" perhaps
expect 0 cases note "$other" 'seen by ben' --as ben
expect 2 cases undo --as ana
expect 0 cases undo --as ana --note 'too early'
expect 0 cases decide "$other" snooze --until 2h --as ana
expect 0 cases decide "$other" escalate --as ana --note 'ring of three'
expect 2 cases list --read-only --as eve --sort nothing
expect 2 cases note "$other" x --read-only
has "$err" "read only"

expect 0 cases next --as ben --json
next=$(jq -r .transaction_id <<<"$out")
[ "$(jq -r .claimed_by <<<"$out")" = ben ] || fail "next is not claimed"
[ "$next" != "$id" ] && [ "$next" != "$other" ] || fail "next is decided already"
expect 1 cases claim "$next" --as ana
expect 0 cases release "$next" --as ben

expect 0 cases stats --json
[ "$(jq '[.open, .decided_today, .escalated] | map(tostring) | join(" ")' <<<"$out")" = "\"$((flagged - 2)) 2 1\"" ] ||
    fail "stats: $out"
expect 0 cases log --json
[ "$(jq '.entries | length' <<<"$out")" = 8 ] || fail "log has $(jq '.entries | length' <<<"$out") entries"
expect 0 handover --since 1h
has "$out" "ring of three"
has "$out" "fraud 1"
expect 0 handover --since 1h --json
[ "$(jq -r .schema <<<"$out")" = handover/1 ] || fail "handover: $out"

expect 0 cases export --all
[ "$(head -1 <<<"$out" | cut -d, -f1-2)" = transaction_id,score ] || fail "export's header"
[ "$(wc -l <<<"$out")" -gt "$flagged" ] || fail "export has not all"
lacks "$out" "$street"
expect 0 cases export --all --format jsonl
[ "$(jq -s length <<<"$out")" = "$flagged" ] || fail "jsonl has not all"

# a model that knows the customer's past: what was before, newest first, with the usual amounts
expect 0 run "$dir/sample.csv" --limit 2500 -m velocity -q
expect 0 cases export --all --format jsonl
for id in $(jq -rs 'map(select(.model == "velocity 1")) | .[].transaction_id' <<<"$out"); do
    expect 0 cases show "$id" --json
    [ "$(jq '.history | length' <<<"$out")" -lt 3 ] || break
done
want=$(jq -r '.history | reverse | .[] | [.time, .category] | join(" ")' <<<"$out")
usual=$(jq -r '.usual.mean | . * 100 | round / 100' <<<"$out")
[ -n "$want" ] || fail "no case with a history"
expect 0 cases show "$id"
has "$out" "usual $usual"
[ "$(sed -n '/^before, /,/^$/s/^  \(2020[^ ]* [^ ]*\) .* [01]\.[0-9]* \([a-z_]*\).*/\1 \2/p' <<<"$out")" = "$want" ] ||
    fail "what was before, $want: $out"

pgrep -f "$dir" >/dev/null && fail "a server is left running"
exit $failed
