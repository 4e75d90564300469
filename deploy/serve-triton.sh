#!/bin/sh
# Starts Triton with the plans of /models, once it is known that this GPU and this TensorRT can load them.
set -eu
alphacut check /models
# Loading and unloading models is off. What else changes a running server wants a header that nobody is told;
# the gateway asks for the index of models and for their configurations, which therefore stay.
key=$(cat /run/secrets/triton_admin_key)
exec tritonserver \
    --model-repository=/models \
    --model-config-name=tensorrt \
    --model-control-mode=none \
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
    --backend-config=python,shm-growth-byte-size=16777216 \
    --backend-config=python,stub-timeout-seconds=120 \
    "$@"
