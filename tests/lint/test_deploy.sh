# Units, compose file and manifests, as far as they can be checked without an engine.
. "$(dirname "$0")/lint.sh"

for unit in deploy/systemd/*.service; do
    command=$(sed -n 's/^ExecStart=[^ ]*fraudtop //p' "$unit")
    # shellcheck disable=SC2086
    "${FRAUDTOP:?}" $command --help >/dev/null || say "$unit: the program does not understand: $command"
    grep -q '^SuccessExitStatus=143$' "$unit" || say "$unit: a clean stop by SIGTERM (143) is no failure"
done
if command -v systemd-analyze >/dev/null && [ -d /run/systemd ]; then
    tmp=$(mktemp -d)
    for unit in deploy/systemd/*.service; do # with a program that is there
        name=$(basename "$unit")
        sed "s|^ExecStart=[^ ]*|ExecStart=$FRAUDTOP|" "$unit" >"$tmp/${name/@/@1}"
        out=$(systemd-analyze verify "$tmp/${name/@/@1}" 2>&1 | grep -F "${name%@*}" | grep -v "Command .man " || true)
        [ -z "$out" ] || say "$unit: $out"
    done
    rm -rf "$tmp"
fi
python3 -c 'import yaml' 2>/dev/null || lint_skip 'no python3 with yaml'
python3 tests/lint/deploy.py "$FRAUDTOP" || bad=1
