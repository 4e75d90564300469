# Triton with what the adapters import: alphacut_core, and OpenVINO for the CPU's engine.
ARG TRITON_TAG=26.08-py3
FROM nvcr.io/nvidia/tritonserver:${TRITON_TAG}

COPY pyproject.toml README.md LICENSE /src/
COPY core /src/core
COPY client /src/client
COPY build_engines /src/build_engines
COPY server /src/server
COPY gateway /src/gateway
COPY loadtest /src/loadtest
# OpenVINO in the version that judged the engine; see server/alphacut_server/requirements.in.
RUN pip install --no-cache-dir /src openvino==2026.4.1 && rm -rf /src

USER triton-server
EXPOSE 8001 8002
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python3", "-c", "from alphacut_client import Client; Client('127.0.0.1:8001').health()"]
ENTRYPOINT ["tritonserver", "--model-repository=/models", "--model-config-name=cpu", \
    "--disable-auto-complete-config", "--allow-http=false", "--exit-timeout-secs=20", \
    "--backend-config=python,shm-default-byte-size=16777216"]
