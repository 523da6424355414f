# Tracked files: no path of one machine, no foreign host, valid scripts, JSON, YAML and units.
. "$(dirname "$0")/lint.sh"

hits=$(files '*' | grep -vE '\.(gz|cbm|zst)$' |
    xargs -r grep -nHIE '(^|[^A-Za-z0-9_.])/([w]ork|[f]arm|[m]nt|home/[a-z]+|Users/[A-Za-z]+|tmp/[f]t)/' |
    grep -vE 'tests/lint/test_files\.sh:' || true)
[ -z "$hits" ] || say "paths of one machine:"$'\n'"$hits"

known='localhost|127\.0\.0\.1|example\.(com|org)|maven\.apache\.org|kafka\.apache\.org|www\.postgresql\.org|github\.com'
known+='|json-schema\.org|www\.rfc-editor\.org|no-color\.org|www\.w3\.org|opensource\.org|catboost\.ai|docs\.[a-z.]+\.io|semver\.org'
hits=$(files '*' | grep -vE '\.(gz|cbm|zst|csv)$|^tests/data/|^tests/fuzz/corpus/' | xargs -r grep -noHIE 'https?://[A-Za-z0-9.-]+' |
    grep -vE "https?://($known)\$" || true)
[ -z "$hits" ] || say "hosts that are not known to be public pages (tests/lint/test_files.sh lists those):"$'\n'"$hits"

while read -r f; do
    case $f in
    *.sh) shell=1 ;;
    *) shell=''; head -c 32 "$f" | grep -qaE '^#!.*(bash|sh)$' && shell=1 ;;
    esac
    [ -z "$shell" ] || bash -n "$f" || say "$f: not a valid shell script"
    if head -c 2 "$f" | grep -qa '^#!' && [ ! -x "$f" ]; then say "$f: begins with #! and is not executable"; fi
done < <(files 'scripts/*' '.ci/*' 'tests/*' 'bench/*' 'deploy/*' | grep -vE '\.(c|h|csv|cbm|gz|json|txt|md)$|^tests/fuzz/corpus/|^tests/data/')

if command -v python3 >/dev/null; then
    while read -r f; do
        python3 -c 'import json,sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$f" 2>/dev/null || say "$f: not valid JSON"
    done < <(files '*.json' | grep -vE '^tests/(fuzz/corpus|data/.*(reject|bad))')
    if python3 -c 'import yaml' 2>/dev/null; then
        while read -r f; do
            python3 -c 'import yaml,sys; list(yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")))' "$f" ||
                say "$f: not valid YAML"
        done < <(files '*.yml' '*.yaml' .clang-format .clang-tidy)
    fi
fi

# Tabs, trailing blanks and missing final newlines, as .editorconfig says.
hits=$(files '*.c' '*.h' '*.txt' '*.cmake' | grep -vE '^tests/(data|fuzz/corpus|.*expected)' | xargs -r grep -nHE $'[ \t]+$|^\t' | head -n 20 || true)
[ -z "$hits" ] || say "tabs or blanks at the end:"$'\n'"$hits"
