#!/bin/bash
# Makes the users when the store is new. To run it again: docker compose exec clickhouse bash /docker-entrypoint-initdb.d/10-nhip.sh
set -euo pipefail

hash_of() {
    # A secret file mostly ends in a line break, which is not part of the password.
    printf '%s' "$(cat "/run/secrets/$1")" | sha256sum | cut -d ' ' -f 1
}

sed -e "s/@STORE_PASSWORD_SHA256@/$(hash_of store_password)/" \
    -e "s/@READER_PASSWORD_SHA256@/$(hash_of reader_store_password)/" \
    -e "s/@GRAFANA_PASSWORD_SHA256@/$(hash_of grafana_store_password)/" \
    /deploy/users.sql | clickhouse-client --multiquery
