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
# The lock also names what only development and local services need: as constraints it pins versions, no more.
RUN sed -e 's/ *\\$//' -e '/^ *--hash/d' requirements.lock > /tmp/constraints.txt \
 && python -m venv /opt/nhip \
 && /opt/nhip/bin/pip install --no-cache-dir --disable-pip-version-check --constraint /tmp/constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/nhip /opt/nhip
COPY deploy/healthy.py /opt/nhip/healthy.py
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/nhip --create-home nhip \
 && install -d -o nhip -g nhip -m 700 /var/lib/nhip-keys /var/lib/nhip-spool
ENV PATH=/opt/nhip/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /var/lib/nhip
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["nhip"]
CMD ["--help"]
