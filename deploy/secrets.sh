#!/bin/sh
# Makes what `docker compose up` needs to know and nobody else may: deploy/secrets/, which git ignores.
# What is there already is kept. Put your own certificate over tls_certificate and tls_key.
set -eu
umask 022
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder" # Containers run as other users and read the files, which are mounted one by one.
cd "$folder"

random() { openssl rand -hex 32; }
keep() { [ -e "$1" ] || printf %s "$2" >"$1"; }

keep redis_password "$(random)"
keep redis_url "redis://:$(cat redis_password)@redis:6379/0"
keep grafana_password "$(random)"
keep webhook_secret "$(random)"
keep triton_admin_key "$(random)"
keep api_key "$(random)"
keep metrics_key "$(random)"
hash() { printf %s "$(cat "$1")" | openssl dgst -sha256 -r | cut -d' ' -f1; }
# One entry a line: HASH:SCOPES:PER_MINUTE, as gateway/README.md says.
keep api_key_hashes "$(hash api_key):remove+jobs
$(hash metrics_key):admin"

# A certificate authority of our own, for trying out and for the callers of gRPC.
if [ ! -e client_ca ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Alphacut's callers" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout client_ca_key -out client_ca 2>openssl.log
fi
certify() { # name, common name, extensions
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1_key" -out "$1.request" 2>openssl.log
    printf '%s\n' "$3" >"$1.extensions"
    openssl x509 -req -in "$1.request" -CA client_ca -CAkey client_ca_key -CAcreateserial -days 365 \
        -extfile "$1.extensions" -out "$1_certificate" 2>openssl.log
    rm "$1.request" "$1.extensions"
}
[ -e tls_certificate ] || certify tls localhost "subjectAltName=DNS:localhost,DNS:envoy,IP:127.0.0.1"
[ -e client_certificate ] || certify client caller "extendedKeyUsage=clientAuth"
rm -f openssl.log client_ca.srl
chmod 644 -- *
chmod 600 client_ca_key client_key
echo "in $folder: api_key is for callers, grafana_password for Grafana's user admin"
