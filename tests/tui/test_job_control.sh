# In a shell: Ctrl-Z gives the terminal back as it was, fg draws everything again, bg draws nothing and reads no key; what
# ends it, even kill -TERM while it is stopped, leaves a terminal for the shell.
. "$FT_SOURCE/tests/services.sh"
need python3

export PS1='ready\$ ' TERM=xterm-256color LC_ALL=C.UTF-8 SEEN=$TMP/settings
unset TMUX
cat >"$TMP/rc" <<'END'
PS1='rea''dy# '
settings() { # the kernel's own, not those that the shell sets while it reads a line
    stty -a | tr -d '\n' | sed 's/rows.*columns [0-9]*//' >"$SEEN.$1"
}
END
python3 "$FT_SOURCE/tests/tui/seat.py" 80x24 bash --noprofile --rcfile "$TMP/rc" -i <<END
wait 20 ready#
type settings before\r
wait 20 ready#
type $FRAUDTOP demo --scene normal\r
wait 30 following
type \x1a
wait 20 \x1b[?1049l
wait 20 ready#
type settings stopped\r
wait 20 ready#
type fg\r
wait 20 \x1b[?1049h
wait 20 following
type ?
wait 20 HELP: Live
type \x1a
wait 20 ready#
type bg\r
wait 20 ready#
quiet 3 \x1b[
type echo in the back''ground\r
wait 20 in the background
type fg\r
wait 20 HELP: Live
type q2
wait 20 review queue
type \x1a
wait 20 ready#
type kill %1; fg; echo status \$?\r
wait 20 status 143
wait 20 ready#
type settings ended\r
wait 20 ready#
type exit 0\r
end 20 0
END
for when in stopped ended; do
    cmp -s "$SEEN.before" "$SEEN.$when" || fail "$when: the settings are $(cat "$SEEN.$when"), not $(cat "$SEEN.before")"
done
