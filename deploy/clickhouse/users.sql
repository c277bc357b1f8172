-- Users of ClickHouse. init.sh puts the hashes of the passwords in place of @…@; safe to run again.

CREATE DATABASE IF NOT EXISTS nhip;

CREATE USER IF NOT EXISTS nhip IDENTIFIED WITH sha256_hash BY '@STORE_PASSWORD_SHA256@' DEFAULT DATABASE nhip;

ALTER USER nhip IDENTIFIED WITH sha256_hash BY '@STORE_PASSWORD_SHA256@';

GRANT SELECT, INSERT, ALTER, CREATE TABLE, CREATE DATABASE, DROP TABLE, TRUNCATE, OPTIMIZE ON nhip.* TO nhip;

GRANT SELECT ON system.tables TO nhip;

GRANT SELECT ON system.columns TO nhip;

GRANT SELECT ON system.parts TO nhip;

-- Any viewer of Grafana can send any SQL: what may be read, how much and for how long is decided here.
CREATE SETTINGS PROFILE IF NOT EXISTS grafana_reader SETTINGS
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
    DEFAULT DATABASE nhip SETTINGS PROFILE 'grafana_reader';

ALTER USER grafana IDENTIFIED WITH sha256_hash BY '@GRAFANA_PASSWORD_SHA256@';

CREATE QUOTA IF NOT EXISTS grafana_quota
    FOR INTERVAL 1 MINUTE MAX queries = 6000, MAX execution_time = 240 TO grafana;

-- Figures and sums.
GRANT SELECT ON nhip.rates TO grafana;

GRANT SELECT ON nhip.rates_now TO grafana;

GRANT SELECT ON nhip.panes TO grafana;

GRANT SELECT ON nhip.heartbeat TO grafana;

GRANT SELECT ON nhip.epochs TO grafana;

GRANT SELECT ON nhip.progress TO grafana;

GRANT SELECT ON nhip.sources TO grafana;

-- Alerts: what fires, who acknowledged it, what is muted. Not who is told: notifications stay closed.
GRANT SELECT ON nhip.alerts TO grafana;

GRANT SELECT ON nhip.alert_actions TO grafana;

-- Of dossiers the code, the unit and the due date; of refused records never their bytes, which may hold anything, but
-- the source that they name.
GRANT SELECT(id, unit, overdue_at) ON nhip.dossiers TO grafana;

GRANT SELECT(topic, `partition`, offset, reason, source, state, time, written_at) ON nhip.dead_letters TO grafana;
