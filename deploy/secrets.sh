#!/bin/sh
# Makes what `docker compose up` needs to know and nobody else may: deploy/secrets/, which git ignores.
# What is there already is kept. Put your own certificate over tls_certificate and tls_key.
set -eu
umask 022
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder" # Containers run as other users and read the files, which are mounted one by one.
cd "$folder"

command -v openssl >/dev/null || { echo "error: openssl is missing; run: apt-get install openssl" >&2; exit 1; }
# An empty file is what a failure left. Values go through variables: `set -e` looks at no command among the arguments.
keep() { [ -s "$1" ] || printf %s "$2" >"$1"; }
for name in redis_password grafana_password webhook_secret triton_admin_key api_key metrics_key; do
    random=$(openssl rand -hex 32)
    keep $name "$random"
done
keep redis_url "redis://:$(cat redis_password)@redis:6379/0"
hash() {
    digest=$(printf %s "$(cat "$1")" | openssl dgst -sha256 -r)
    echo "${digest%% *}"
}
caller=$(hash api_key)
metrics=$(hash metrics_key)
# One entry a line: HASH:SCOPES:PER_MINUTE, as gateway/README.md says.
keep api_key_hashes "$caller:remove+jobs
$metrics:admin"

quietly() { "$@" 2>openssl.log || { cat openssl.log >&2; exit 1; }; }
# A certificate authority of our own, for trying out and for the callers of gRPC.
if [ ! -s client_ca ]; then
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Alphacut's callers" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout client_ca_key -out client_ca
fi
certify() { # name, common name, extensions
    quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1_key" -out "$1.request"
    printf '%s\n' "$3" >"$1.extensions"
    quietly openssl x509 -req -in "$1.request" -CA client_ca -CAkey client_ca_key -CAcreateserial -days 365 \
        -extfile "$1.extensions" -out "$1_certificate"
    rm "$1.request" "$1.extensions"
}
[ -s tls_certificate ] || certify tls localhost "subjectAltName=DNS:localhost,DNS:envoy,IP:127.0.0.1"
[ -s client_certificate ] || certify client caller "extendedKeyUsage=clientAuth"
rm -f openssl.log client_ca.srl
chmod 644 -- *
chmod 600 client_ca_key client_key
echo "in $folder: api_key is for callers, grafana_password for Grafana's user admin"
