CREATE TABLE IF NOT EXISTS panes {on_cluster}
(
    scope       LowCardinality(String) COMMENT 'unit:CODE of a unit or of one above it, or field:NAME',
    indicator   LowCardinality(String) COMMENT 'Key of the indicator whose marks are summed',
    level       UInt8                  COMMENT '0 total, 1 local day, 2 hour, 3 minute',
    at          Int64                  COMMENT 'Start of the pane, seconds since 1970; 0 for a total',
    topic       LowCardinality(String) COMMENT 'Input topic',
    `partition` UInt16                 COMMENT 'Partition of the input topic',
    epoch       UInt64                 COMMENT 'Tenure of the worker that wrote it; readers use the newest complete one',
    good        Int64                  COMMENT 'Marks that count for the numerator, an absolute sum',
    count       Int64                  COMMENT 'Marks, an absolute sum',
    flush       UInt64                 COMMENT 'Flush within the epoch; the larger wins'
)
ENGINE = {engine:ReplacingMergeTree}(flush)
ORDER BY (scope, indicator, level, at, topic, `partition`, epoch)
COMMENT 'Marks summed by scope, indicator and time for each partition and epoch';
