# Every schema that the program prints is in docs/formats.md.
. "$(dirname "$0")/lint.sh"
names=$(files 'src/*.c' | xargs -r sed -nE 's/.*(schema\\":\\"|"schema", ")([a-z_.]+\/[0-9]+).*/\2/p' | sort -u)
[ -n "$names" ] || say 'no schemas found'
for name in $names; do
    grep -qF -- "$name" docs/formats.md || say "docs/formats.md does not tell of $name"
done
