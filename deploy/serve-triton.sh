#!/bin/sh
# Starts Triton with the plans of /models, once it is known that this GPU and this TensorRT can load them.
set -eu
alphacut check /models
# Those that have a plan, and the steps that they consist of; engines for other machines may lie beside them.
plans='from pathlib import Path; from alphacut_core import installed
print(*(f"--load-model={each.pipeline.ensemble}" for each in installed.find_all(Path("/models"), "tensorrt")))'
models=$(python3 -c "$plans")
[ -n "$models" ] || {
    echo "error: there is no TensorRT plan in model_repository/; build one: docker compose run --rm build" >&2
    exit 1
}
# What else changes a running server wants a header that nobody is told. The gateway asks for the index of models and
# their configurations, which therefore stay; Envoy lets nobody load or unload any.
key=$(cat /run/secrets/triton_admin_key)
# Triton goes on without a Python process that has died, and Docker with a container that is unhealthy: the guard ends it.
# shellcheck disable=SC2086  # one word a model
exec python3 -m alphacut_server guard --repository "/models" --target tensorrt --port 8001 --grace 30 tritonserver \
    --model-repository=/models \
    --model-config-name=tensorrt \
    --model-control-mode=explicit $models \
    --disable-auto-complete-config \
    --exit-on-error=true \
    --strict-readiness=true \
    --allow-http=false \
    --allow-sagemaker=false \
    --allow-vertex-ai=false \
    --allow-client-shm=false \
    --grpc-port=8001 \
    --metrics-port=8002 \
    --grpc-restricted-protocol="shared-memory,trace,logging:admin-key=$key" \
    --grpc-max-connection-age=600 \
    --grpc-max-connection-age-grace=60 \
    --exit-timeout-secs=25 \
    --backend-config=python,shm-default-byte-size=16777216 \
    --backend-config=python,shm-growth-byte-size=4194304 \
    --backend-config=python,stub-timeout-seconds=120 \
    "$@"
