# nhip itself: workers, wall and the commands. Kafka and ClickHouse run beside it (docker-compose.yml).
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY contract contract
COPY producers producers
COPY streams streams
COPY sinks sinks
COPY dashboards dashboards
COPY nhip nhip
COPY config config
COPY data data
# First pip and what builds nhip, then nhip with what it needs. Each file is one whose digest is in the lock: as
# constraints it names more than is installed (development, local services), which needs the lock's pip.
RUN awk '/^[^ ]/ { wanted = /^(pip|hatchling|editables)==/ } wanted' requirements.lock > /tmp/build.lock \
 && python -m venv /build \
 && /build/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r /tmp/build.lock \
 && /build/bin/pip install --no-cache-dir --require-hashes -r /tmp/build.lock -c requirements.lock \
 && /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /tmp/own . \
 && echo "nhip @ file://$(ls /tmp/own/*.whl) --hash=sha256:$(sha256sum /tmp/own/*.whl | cut -d ' ' -f 1)" > /tmp/own.lock \
 && python -m venv --without-pip /opt/nhip \
 && /build/bin/pip --python /opt/nhip/bin/python install --no-cache-dir --require-hashes -r /tmp/own.lock -c requirements.lock

FROM python:3.12-slim
COPY --from=build /opt/nhip /opt/nhip
COPY deploy/healthy.py /opt/nhip/healthy.py
# Nothing in the image installs anything: no pip, no compiler.
RUN python -m pip uninstall --yes --quiet pip \
 && useradd --system --uid 10001 --user-group --home-dir /var/lib/nhip --create-home nhip \
 && install -d -o nhip -g nhip -m 700 /var/lib/nhip-keys /var/lib/nhip-spool
ENV PATH=/opt/nhip/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /var/lib/nhip
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["nhip"]
CMD ["--help"]
