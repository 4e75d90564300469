#!/bin/sh
# Runs a command with a variable for each secret called alphacut_gateway_NAME: $ALPHACUT_GATEWAY_NAME. A container's
# configured variables are shown to whoever may list containers; these are not. Lines become spaces.
set -eu
for file in "${SECRETS:-/run/secrets}"/alphacut_gateway_*; do
    [ -f "$file" ] || continue
    name=$(basename "$file" | tr '[:lower:]' '[:upper:]')
    export "$name=$(tr '\n' ' ' <"$file" | sed 's/ *$//')"
done
exec "$@"
