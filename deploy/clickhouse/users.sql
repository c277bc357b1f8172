-- Users of ClickHouse and their rights, made by `python -m sinks.rights`. init.sh puts the hashes of the passwords in
-- place of @…@; safe to run again. More users for Grafana, limited to units: `nhip store-user sql --unit …`.

CREATE DATABASE IF NOT EXISTS nhip;

-- nhip
CREATE USER IF NOT EXISTS nhip IDENTIFIED WITH sha256_hash BY '@STORE_PASSWORD_SHA256@'
    DEFAULT DATABASE nhip;

ALTER USER nhip IDENTIFIED WITH sha256_hash BY '@STORE_PASSWORD_SHA256@';

GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, DROP TABLE, TRUNCATE, OPTIMIZE ON nhip.* TO nhip;

GRANT SELECT ON system.tables TO nhip;

GRANT SELECT ON system.columns TO nhip;

GRANT SELECT ON system.parts TO nhip;

-- nhip_reader
CREATE SETTINGS PROFILE IF NOT EXISTS nhip_reader SETTINGS
    max_memory_usage = 3000000000;

CREATE USER IF NOT EXISTS nhip_reader IDENTIFIED WITH sha256_hash BY '@READER_PASSWORD_SHA256@'
    DEFAULT DATABASE nhip SETTINGS PROFILE 'nhip_reader';

ALTER USER nhip_reader IDENTIFIED WITH sha256_hash BY '@READER_PASSWORD_SHA256@';

GRANT SELECT ON nhip.* TO nhip_reader;

GRANT INSERT ON nhip.alert_actions TO nhip_reader;

GRANT SELECT ON system.tables TO nhip_reader;

GRANT SELECT ON system.columns TO nhip_reader;

GRANT SELECT ON system.parts TO nhip_reader;

-- grafana
CREATE SETTINGS PROFILE IF NOT EXISTS nhip_grafana SETTINGS
    readonly = 1,
    max_execution_time = 15 MIN 1 MAX 30 CHANGEABLE_IN_READONLY,
    timeout_overflow_mode = 'throw',
    max_rows_to_read = 100000000,
    read_overflow_mode = 'throw',
    max_result_rows = 10000,
    result_overflow_mode = 'throw',
    max_memory_usage = 1000000000,
    max_threads = 2,
    max_concurrent_queries_for_user = 40;

CREATE USER IF NOT EXISTS grafana IDENTIFIED WITH sha256_hash BY '@GRAFANA_PASSWORD_SHA256@'
    DEFAULT DATABASE nhip SETTINGS PROFILE 'nhip_grafana';

ALTER USER grafana IDENTIFIED WITH sha256_hash BY '@GRAFANA_PASSWORD_SHA256@';

GRANT SELECT ON nhip.rates TO grafana;

GRANT SELECT ON nhip.rates_now TO grafana;

GRANT SELECT ON nhip.panes TO grafana;

GRANT SELECT ON nhip.heartbeat TO grafana;

GRANT SELECT ON nhip.epochs TO grafana;

GRANT SELECT ON nhip.sources TO grafana;

GRANT SELECT ON nhip.alerts TO grafana;

GRANT SELECT ON nhip.alert_actions TO grafana;

GRANT SELECT(topic, `partition`, epoch, flush, offset, clock_us, written_at) ON nhip.progress TO grafana;

GRANT SELECT(id, unit, overdue_at) ON nhip.dossiers TO grafana;

GRANT SELECT(topic, `partition`, offset, reason, source, state, time, written_at) ON nhip.dead_letters TO grafana;

CREATE QUOTA IF NOT EXISTS grafana_quota
    FOR INTERVAL 1 MINUTE MAX queries = 6000, MAX execution_time = 240 TO grafana;
