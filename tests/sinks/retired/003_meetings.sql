CREATE TABLE IF NOT EXISTS meetings {on_cluster}
(
    id                   String                      COMMENT 'Code of the meeting; the Kafka key',
    source               LowCardinality(String)      COMMENT 'System that sent the snapshot',
    event_id             String                      COMMENT 'Id of the CloudEvent, unique within its source',
    event_time           DateTime64(6, 'UTC')        COMMENT 'When it happened, as the source says',
    version              UInt64                      COMMENT 'Microseconds since 1970 of the change in the source; the larger wins',
    content              UInt64                      COMMENT '48-bit hash of the record''s bytes; decides between two snapshots of one version',
    definitions          UInt16                      COMMENT 'Sequence of the definitions with which the marks were counted',
    rank                 UInt128 MATERIALIZED bitShiftLeft(toUInt128(version), 64)
                             + bitShiftLeft(toUInt128(definitions), 48) + content
                                                     COMMENT 'Order of the rows of one entity: version, definitions, content',
    unit                 LowCardinality(String)      COMMENT 'Unit that holds it',
    status               LowCardinality(String)      COMMENT 'draft, invited, live, finished or cancelled',
    starts_at            DateTime64(6, 'UTC')        COMMENT 'When it starts',
    ended_at             Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ended',
    paperless            Nullable(Bool)              COMMENT 'Whether it was held without paper',
    participants         Nullable(UInt32)            COMMENT 'People invited',
    attended             Nullable(UInt32)            COMMENT 'People present',
    documents            Nullable(UInt32)            COMMENT 'Documents',
    documents_printed    Nullable(UInt32)            COMMENT 'Documents that were printed',
    paperless_meeting_at Nullable(Int64)             COMMENT 'Mark held without paper: where it counts, seconds since 1970; NULL when it does not count',
    paperless_meeting_good UInt8                       COMMENT 'Mark held without paper: 1 when it counts for the numerator',
    `partition`          UInt16                      COMMENT 'Kafka partition of the record',
    offset               Int64                       COMMENT 'Kafka offset of the record',
    epoch                UInt64                      COMMENT 'Epoch of the worker that counted it',
    written_at           DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
                                                     COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:ReplacingMergeTree}(rank)
ORDER BY id
SETTINGS index_granularity = 128
COMMENT 'Newest snapshot of every meeting and the marks that were counted for it';
