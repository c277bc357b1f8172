CREATE TABLE IF NOT EXISTS dead_letters {on_cluster}
(
    topic       LowCardinality(String) COMMENT 'Topic the record came from',
    `partition` UInt16                 COMMENT 'Partition the record came from',
    offset      Int64                  COMMENT 'Offset of the record',
    reason      LowCardinality(String) COMMENT 'Stable key of why it was refused',
    error       String                 COMMENT 'What is wrong and where',
    key         Nullable(String)       COMMENT 'Key of the record, its bytes',
    value       String                 COMMENT 'Value of the record, its bytes',
    time        DateTime64(6, 'UTC')   COMMENT 'When the worker refused it',
    state       Enum8('refused' = 0, 'sent_again' = 1, 'dropped' = 2) DEFAULT 'refused' COMMENT 'What was done with it; the larger wins',
    step        UInt8 MATERIALIZED toUInt8(state) COMMENT 'Order of the rows of one record',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted'
)
ENGINE = {engine:ReplacingMergeTree}(step)
ORDER BY (topic, `partition`, offset)
COMMENT 'Refused records with their bytes and the reason';

CREATE TABLE IF NOT EXISTS sources {on_cluster}
(
    source      LowCardinality(String) COMMENT 'System that sends',
    unit        LowCardinality(String) COMMENT 'Unit it sends for',
    topic       LowCardinality(String) COMMENT 'Input topic',
    `partition` UInt16                 COMMENT 'Partition of the input topic',
    epoch       UInt64                 COMMENT 'Tenure of the worker that counted',
    flush       UInt64                 COMMENT 'Flush within the epoch; the larger wins',
    event_time  DateTime64(6, 'UTC')   COMMENT 'Newest event time, as the source says',
    seen_at     DateTime64(6, 'UTC')   COMMENT 'When it was last heard, by the wall clock of the worker',
    events      UInt64                 COMMENT 'Snapshots since the epoch began',
    ignored     UInt64                 COMMENT 'Of these, ignored because a newer one was known'
)
ENGINE = {engine:ReplacingMergeTree}(flush)
ORDER BY (source, unit, topic, `partition`, epoch)
COMMENT 'When each source last spoke for each unit; sum over partitions and epochs';
