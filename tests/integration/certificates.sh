# Throw-away certificates (sourced after tests/services.sh; needs openssl).

# authority FOLDER: makes ca.pem and ca.key there, if they are not there yet
authority() {
    (cd "$1" && : >ca.index && : >ca.index.attr && echo 01 >ca.serial &&
        printf '[ca]\ndefault_ca=d\n[d]\ndatabase=ca.index\nserial=ca.serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >ca.conf &&
        { [ -s ca.pem ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem \
            -addext basicConstraints=critical,CA:TRUE 2>/dev/null; }) || fail "openssl makes no authority"
}
# signed FOLDER NAMES [expired]: server.key, server.crt of the authority there, for these names (DNS:x,IP:y)
signed() {
    local dates=(-days 2)
    [ "${3:-}" != expired ] || dates=(-startdate 20200101000000Z -enddate 20200102000000Z)
    (cd "$1" && printf 'subjectAltName=%s\n' "$2" >server.ext &&
        openssl req -newkey rsa:2048 -nodes -subj "/CN=server $RANDOM" -keyout server.key -out server.csr 2>/dev/null &&
        openssl ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in server.csr -out server.crt -notext -extfile server.ext \
            "${dates[@]}" 2>ca.log) || fail "openssl signs nothing: $(tail -n 3 "$1/ca.log")"
}
