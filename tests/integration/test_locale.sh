# The same numbers in every locale: a comma locale must not change how 25.79 is read or written, nor Turkish letters the words.
. "$FT_SOURCE/tests/services.sh"
need localedef
[ -e /usr/share/i18n/locales/de_DE ] || skip "no sources of locales (package locales)"
cd "$FT_SOURCE"

mkdir "$TMP/locale"
for name in de_DE tr_TR ja_JP; do
    localedef -i "$name" -f UTF-8 "$TMP/locale/$name.UTF-8" >/dev/null 2>&1 || [ -d "$TMP/locale/$name.UTF-8" ] || skip "localedef cannot make $name"
done
export LOCPATH=$TMP/locale
check "the locale works: a comma" test "$(LC_ALL=de_DE.UTF-8 bash -c "printf '%.1f' 2,5")" = 2,5

LC_ALL=C.UTF-8 exits 0 "$FRAUDTOP" score data/new_small.csv
mv "$TMP/out" "$TMP/want"
same "rows scored" "$(wc -l <"$TMP/want")" 91
LC_ALL=C.UTF-8 exits 0 "$FRAUDTOP" score data/new_small.csv --json --reasons 3
mv "$TMP/out" "$TMP/want.json"
for locale in C de_DE.UTF-8 tr_TR.UTF-8 ja_JP.UTF-8 nowhere; do
    LC_ALL=$locale exits 0 "$FRAUDTOP" score data/new_small.csv --threads 2
    cmp -s "$TMP/out" "$TMP/want" || fail "$locale: other scores"
    LC_ALL=$locale exits 0 "$FRAUDTOP" score data/new_small.csv --json --reasons 3
    cmp -s "$TMP/out" "$TMP/want.json" || fail "$locale: other JSON"
    LC_ALL=$locale FRAUDTOP_THRESHOLD=0.25 exits 0 "$FRAUDTOP" run data/new_small.csv --json
    same "$locale: stored" "$(sed -n 's/.*"stored":\([0-9]*\).*/\1/p' "$TMP/out")" 90
done
