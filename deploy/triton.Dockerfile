# NVIDIA's Triton with what the adapters import (`serve`), and with what builds engines besides (`build`): plans load
# only in the TensorRT that made them, so both are one image.
ARG TRITON=26.08-py3
ARG PYTHON=3.12.12-slim-bookworm

FROM python:${PYTHON} AS wheel
COPY requirements/build.lock /tmp/
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/build.lock
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY core core
COPY client client
COPY build_engines build_engines
COPY server server
COPY gateway gateway
COPY loadtest loadtest
COPY training training
COPY samples samples
COPY model_repository model_repository
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM nvcr.io/nvidia/tritonserver:${TRITON} AS serve
# Into the system's Python, which is the stubs'; Ubuntu asks for the flag. 1000 is the image's user triton-server.
ENV PIP_BREAK_SYSTEM_PACKAGES=1 PYTHONDONTWRITEBYTECODE=1
RUN --mount=type=bind,source=requirements/triton.lock,target=/tmp/triton.lock \
    --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --require-hashes --requirement /tmp/triton.lock \
    && pip install --no-cache-dir --no-deps /wheels/*.whl
COPY --chmod=755 deploy/serve-triton.sh /usr/local/bin/serve-triton
USER 1000:1000
EXPOSE 8001 8002
ENTRYPOINT ["serve-triton"]

FROM serve AS build
USER 0:0
# TensorRT's bindings in the version of this image's libraries, which they load.
RUN --mount=type=bind,source=requirements/tensorrt.lock,target=/tmp/tensorrt.lock \
    pip install --no-cache-dir --require-hashes --requirement /tmp/tensorrt.lock \
    && install --directory --mode=1777 /cache
ENV XDG_CACHE_HOME=/cache HOME=/tmp
USER 1000:1000
ENTRYPOINT ["alphacut", "build", "--target", "tensorrt", "--repository", "/models"]
