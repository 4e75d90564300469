#!/bin/bash
# Run Envoy, and end it without cutting what is under way: by itself it ends at once when it is told to.
# Connections that exist get GOAWAY or "Connection: close" with their next answer, and new ones find nobody.
#   bash serve.sh SECONDS ADMIN_PORT ENVOY [ARGUMENT...]
set -u
longest_s=$1 admin=$2
shift 2

ask() { # METHOD PATH; the image has no HTTP client
    exec 3<>"/dev/tcp/127.0.0.1/$admin" || return
    printf '%s %s HTTP/1.1\r\nHost: envoy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
    cat <&3
    exec 3>&-
}

some() { # rq: requests under way; cx: connections, at work or not
    ask GET "/stats?filter=^http\.(https|grpcs|grpc)\.downstream_$1_active$" | grep -q 'active: [1-9]'
}

drain() {
    trap '' TERM
    told_to_end=yes
    ask POST /healthcheck/fail >/dev/null
    ask POST /drain_listeners >/dev/null
    # A caller between two requests goes with its next answer: none under way for a moment is not the end.
    local end=$((SECONDS + longest_s)) quiet=$((SECONDS + 2))
    while ((SECONDS < end)) && { some rq || { ((SECONDS < quiet)) && some cx; }; }; do
        sleep 0.2
    done
    kill -TERM "$envoy"
}

told_to_end=
trap drain TERM
"$@" &
envoy=$!
wait "$envoy"
status=$?
if [ -n "$told_to_end" ]; then # which ended the waiting, not Envoy
    wait "$envoy"
    status=$?
fi
exit "$status"
