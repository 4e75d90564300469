# What runs without a GPU: `gateway` (its workers too), `embedded` (Triton from the wheel, with its engine) and
# `loadtest`. Everything is pinned: the base by its exact tag, packages by their hashes.
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

# An environment holds no pip: nothing is installed where it runs.
FROM python:${PYTHON} AS gateway-environment
COPY requirements/gateway.lock /tmp/
RUN python -m venv --without-pip /opt/alphacut \
    && pip --python /opt/alphacut install --no-cache-dir --require-hashes --requirement /tmp/gateway.lock
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip --python /opt/alphacut install --no-cache-dir --no-deps /wheels/*.whl

FROM python:${PYTHON} AS loadtest-environment
COPY requirements/loadtest.lock /tmp/
RUN python -m venv --without-pip /opt/alphacut \
    && pip --python /opt/alphacut install --no-cache-dir --require-hashes --requirement /tmp/loadtest.lock
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip --python /opt/alphacut install --no-cache-dir --no-deps /wheels/*.whl

# The bundled network's engines for CPUs, all tiers, judged here, and the environment of the Triton that serves it.
FROM python:${PYTHON} AS embedded-engine
COPY requirements/runtime.lock /tmp/
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/runtime.lock
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-deps /wheels/*.whl
ENV ALPHACUT_HOME=/opt/alphacut-server
RUN python -m alphacut_server environment
COPY model_repository /models
# What finished stages made serves builds to come, of which there are none here.
RUN alphacut build --tier all --repository /models \
    && rm -r /opt/alphacut-server/stages

FROM python:${PYTHON} AS base
RUN useradd --system --uid 10001 --user-group --no-create-home alphacut
ENV PATH=/opt/alphacut/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
COPY --chmod=755 deploy/with-secrets.sh /usr/local/bin/with-secrets
COPY deploy/worker_health.py /usr/local/share/
WORKDIR /tmp
USER 10001:10001

FROM base AS gateway
COPY --from=gateway-environment /opt/alphacut /opt/alphacut
EXPOSE 8080
ENTRYPOINT ["with-secrets"]
CMD ["alphacut", "gateway", "--host", "0.0.0.0", "--port", "8080"]

FROM base AS embedded
ENV ALPHACUT_HOME=/opt/alphacut-server
COPY --from=gateway-environment /opt/alphacut /opt/alphacut
COPY --from=embedded-engine /opt/alphacut-server /opt/alphacut-server
COPY --from=embedded-engine /models /models
ENTRYPOINT ["alphacut", "serve", "--repository", "/models", "--port", "18001", "--metrics-port", "18002"]

FROM base AS loadtest
COPY --from=loadtest-environment /opt/alphacut /opt/alphacut
COPY loadtest /loadtest
WORKDIR /loadtest
ENTRYPOINT ["alphacut"]
