# The manual pages are valid mdoc.
. "$(dirname "$0")/lint.sh"
command -v mandoc >/dev/null || lint_skip 'no mandoc'
while read -r page; do
    mandoc -T lint -W warning "$page" >/dev/null 2>&1 || say "$(mandoc -T lint -W warning "$page" 2>&1 | head -n 20)"
done < <(files 'man/*')
