CREATE TABLE IF NOT EXISTS epochs {on_cluster}
(
    topic       LowCardinality(String)             COMMENT 'Input topic',
    `partition` UInt16                             COMMENT 'Partition of the input topic',
    epoch       UInt64                             COMMENT 'Tenure of one worker over the partition; grows with each claim',
    state       Enum8('claim' = 0, 'complete' = 1) COMMENT 'claim when it began, complete when its panes are whole',
    owner       String                             COMMENT 'Worker that claimed it; empty for a completion',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:MergeTree}
ORDER BY (topic, `partition`, epoch, state)
COMMENT 'Claims and completions of epochs';

CREATE TABLE IF NOT EXISTS progress {on_cluster}
(
    topic       LowCardinality(String) COMMENT 'Input topic',
    `partition` UInt16                 COMMENT 'Partition of the input topic',
    epoch       UInt64                 COMMENT 'Tenure of the worker that flushed',
    flush       UInt64                 COMMENT 'Flush within the epoch, from 1',
    offset      Int64                  COMMENT 'Last record of the flush',
    clock_us    Int64                  COMMENT 'Newest event time accepted so far, microseconds since 1970',
    scopes      Array(String)          COMMENT 'Scopes whose panes the flush changed',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted; used only to clean up'
)
ENGINE = {engine:MergeTree}
ORDER BY (topic, `partition`, epoch, flush)
COMMENT 'How far each partition has been flushed';

CREATE TABLE IF NOT EXISTS topics {on_cluster}
(
    topic      String COMMENT 'Input topic',
    partitions UInt16 COMMENT 'Its number of partitions when its rows were counted',
    version    UInt64 COMMENT 'Grows with each change; the larger wins'
)
ENGINE = {engine:ReplacingMergeTree}(version)
ORDER BY topic
COMMENT 'Partition counts under which entities were assigned to partitions';

CREATE TABLE IF NOT EXISTS definitions {on_cluster}
(
    sequence    UInt16 COMMENT 'Number of the definitions, from 1; rows carry it',
    fingerprint String COMMENT 'Digest of what the indicators count',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was first seen; never used to order'
)
ENGINE = {engine:MergeTree}
ORDER BY sequence
COMMENT 'Definitions under which marks were counted';
