#!/bin/sh
# Starts Redis. The password goes in with the configuration: everybody on the machine can read arguments.
set -eu
exec redis-server - "$@" <<EOF
$(cat "${CONFIGURATION:-/etc/redis.conf}")
requirepass $(cat "${SECRETS:-/run/secrets}/redis_password")
EOF
