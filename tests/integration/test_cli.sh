# The command line: usage errors, help, where settings come from.
. "$FT_SOURCE/tests/services.sh"

says() { grep -qF -- "$1" "$TMP/err" || fail "standard error does not say '$1': $(cat "$TMP/err")"; }
prints() { grep -qF -- "$1" "$TMP/out" || fail "standard output lacks '$1'"; }

# usage is 2, and the nearest word is named
exits 2 "$FRAUDTOP" compltion bash
says 'did you mean "completion"'
exits 2 "$FRAUDTOP" completion --jsn bash
says 'did you mean --json?'
exits 2 "$FRAUDTOP" completion -Z bash
says 'no option -Z'
exits 2 "$FRAUDTOP" completion --brokers
says '--brokers wants a value'
exits 2 "$FRAUDTOP" completion
says 'bash, zsh or fish'
exits 2 "$FRAUDTOP" --json completion ksh
jq_line='{"schema":"error/1","code":"usage","message":'
case $(cat "$TMP/err") in "$jq_line"*) ;; *) fail "no JSON error: $(cat "$TMP/err")" ;; esac
exits 2 "$FRAUDTOP" completion --color=red bash
says 'auto|always|never'

# without a terminal, no console and no escape sequence
exits 2 "$FRAUDTOP"
! grep -q "$(printf '\033')" "$TMP/out" "$TMP/err" || fail "an escape sequence without a terminal"

# help begins with three examples, for every command of the table
exits 0 "$FRAUDTOP" --help
same "help begins" "$(head -n 1 "$TMP/out")" examples:
sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$TMP/out" >"$TMP/commands"
check "some commands" test -s "$TMP/commands"
while read -r command; do
    exits 0 "$FRAUDTOP" "$command" --help
    same "$command --help begins" "$(head -n 1 "$TMP/out")" examples:
    same "$command: three examples" "$(sed -n '2,4p' "$TMP/out" | grep -c fraudtop)" 3
    prints "usage: fraudtop $command"
    [ "$(awk 'length > 100' "$TMP/out" | wc -l)" = 0 ] || fail "$command --help: long lines"
done <"$TMP/commands"
exits 0 "$FRAUDTOP" --version
check "the version" grep -qE '^fraudtop [0-9]+\.[0-9]+' "$TMP/out"

# options stand anywhere, last wins, -- ends them
exits 0 "$FRAUDTOP" -q completion bash --no-color --connect-timeout=5 -v
exits 0 "$FRAUDTOP" completion -b a:1 -bb:2 -- bash
exits 2 "$FRAUDTOP" completion -- --help
exits 0 "$FRAUDTOP" -X list
prints 'bootstrap.servers'

# secrets are refused where ps shows them, and not repeated
for secret in "-X sasl.password=hush" "-Xssl.key.password=hush" "--property=sasl.jaas.config=hush" \
    "-d password=hush" "--database=postgresql://u:hush@h/d"; do
    # shellcheck disable=SC2086
    exits 2 "$FRAUDTOP" completion bash $secret
    says refused
    ! grep -q hush "$TMP/err" || fail "the secret is repeated: $secret"
done

# files: warnings name line and nearest key, errors are 2, profiles must exist
mkdir -p "$XDG_CONFIG_HOME/fraudtop"
printf '[replay]\nrte = 5\n[profile.p]\ncolor = never\n' >"$XDG_CONFIG_HOME/fraudtop/config"
exits 0 "$FRAUDTOP" completion bash
says "$XDG_CONFIG_HOME/fraudtop/config:2: there is no setting \"rte\"; the nearest is \"rate\""
exits 0 "$FRAUDTOP" completion bash -q --profile p
same "quiet" "$(cat "$TMP/err")" ""
exits 2 "$FRAUDTOP" completion bash --profile nobody
says 'no section [profile.nobody]'
printf '[replay]\nrate = fast\n' >"$XDG_CONFIG_HOME/fraudtop/config"
exits 2 "$FRAUDTOP" completion bash
says 'config:2: replay.rate'
exits 2 "$FRAUDTOP" completion bash -c "$TMP/none"
rm "$XDG_CONFIG_HOME/fraudtop/config"
exits 2 env FRAUDTOP_RATE=fast "$FRAUDTOP" completion bash
says 'FRAUDTOP_RATE: "fast"'

# a full disk is an error, a closed standard output no crash
status=0
"$FRAUDTOP" completion bash >/dev/full 2>"$TMP/err" || status=$?
same "exit status at a full disk" "$status" 1
exits 0 bash -c '"$FRAUDTOP" completion bash >&- ; [ $? -le 1 ]'

# the scripts of all shells are valid
exits 0 "$FRAUDTOP" completion bash
check "bash takes its script" bash -n "$TMP/out"
bash -c '. "$1"; COMP_WORDS=(fraudtop comp); COMP_CWORD=1; _fraudtop; [ "${COMPREPLY[*]}" = completion ]' sh "$TMP/out" ||
    fail "bash does not complete a command"
bash -c '. "$1"; COMP_WORDS=(fraudtop completion --color al); COMP_CWORD=3; _fraudtop; [ "${COMPREPLY[*]}" = always ]' sh "$TMP/out" ||
    fail "bash does not complete a value"
for shell in zsh fish; do
    exits 0 "$FRAUDTOP" completion "$shell"
    ! command -v "$shell" >/dev/null || check "$shell takes its script" "$shell" -n "$TMP/out"
    check "$shell knows --color" grep -q color "$TMP/out"
done
