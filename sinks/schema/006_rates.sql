CREATE TABLE IF NOT EXISTS rates {on_cluster}
(
    scope       LowCardinality(String) COMMENT 'unit:CODE of a unit or of one above it, or field:NAME',
    indicator   LowCardinality(String) COMMENT 'Key of the indicator',
    window      LowCardinality(String) COMMENT 'Window, e.g. 1h, today, now',
    time        DateTime64(6, 'UTC')   COMMENT 'Moment at which the window ended, by the clock of the data',
    numerator   Int64                  COMMENT 'Marks that count for the good (or what is overdue or due soon)',
    denominator Int64                  COMMENT 'All marks',
    rate        Nullable(Float64)      COMMENT 'numerator / denominator; NULL when nothing was counted',
    as_of       DateTime64(6, 'UTC') ALIAS time COMMENT 'Same as time',
    written_at  DateTime64(6, 'UTC')   COMMENT 'Wall clock when the figure was written'
)
ENGINE = {engine:MergeTree}
ORDER BY (scope, indicator, window, time)
TTL toDateTime(written_at) + INTERVAL 90 DAY
COMMENT 'History of the rates: a row whenever numerator or denominator changed';

CREATE TABLE IF NOT EXISTS rates_now {on_cluster}
(
    scope       LowCardinality(String) COMMENT 'unit:CODE of a unit or of one above it, or field:NAME',
    indicator   LowCardinality(String) COMMENT 'Key of the indicator',
    window      LowCardinality(String) COMMENT 'Window, e.g. 1h, today, now',
    numerator   Int64                  COMMENT 'Marks that count for the good (or what is overdue or due soon)',
    denominator Int64                  COMMENT 'All marks',
    rate        Nullable(Float64)      COMMENT 'numerator / denominator; NULL when nothing was counted',
    epoch       UInt64                 COMMENT 'Epoch of the partition on whose worker roll ran',
    tick        UInt64                 COMMENT 'Count of writes within the epoch',
    version     UInt128 MATERIALIZED bitShiftLeft(toUInt128(epoch), 64) + tick COMMENT 'Order of the rows of one figure: epoch, tick',
    as_of       DateTime64(6, 'UTC')   COMMENT 'Moment at which the figure last changed, by the clock of the data',
    written_at  DateTime64(6, 'UTC')   COMMENT 'Wall clock when the figure was written'
)
ENGINE = {engine:ReplacingMergeTree}(version)
ORDER BY (scope, indicator, window)
COMMENT 'Newest figure of every scope, indicator and window; read with FINAL';

CREATE TABLE IF NOT EXISTS heartbeat {on_cluster}
(
    part        LowCardinality(String) DEFAULT 'roll' COMMENT 'What lives; one row each',
    epoch       UInt64               COMMENT 'Epoch of the partition on whose worker roll runs',
    tick        UInt64               COMMENT 'Count of writes within the epoch',
    version     UInt128 MATERIALIZED bitShiftLeft(toUInt128(epoch), 64) + tick COMMENT 'Order of the beats: epoch, tick',
    as_of       DateTime64(6, 'UTC') COMMENT 'Moment for which all figures hold, by the clock of the data',
    written_at  DateTime64(6, 'UTC') COMMENT 'Wall clock of the beat'
)
ENGINE = {engine:ReplacingMergeTree}(version)
ORDER BY part
COMMENT 'Newest sign of life: all figures are as new as this; read with FINAL';
