CREATE TABLE IF NOT EXISTS payments {on_cluster}
(
    id                   String                      COMMENT 'Code of the payment; the Kafka key',
    source               LowCardinality(String)      COMMENT 'System that sent the snapshot',
    event_id             String                      COMMENT 'Id of the CloudEvent, unique within its source',
    event_time           DateTime64(6, 'UTC')        COMMENT 'When it happened, as the source says',
    version              UInt64                      COMMENT 'Microseconds since 1970 of the change in the source; the larger wins',
    content              UInt64                      COMMENT '48-bit hash of the record''s bytes; decides between two snapshots of one version',
    definitions          UInt16                      COMMENT 'Sequence of the definitions with which the marks were counted',
    rank                 UInt128 MATERIALIZED bitShiftLeft(toUInt128(version), 64)
                             + bitShiftLeft(toUInt128(definitions), 48) + content
                                                     COMMENT 'Order of the rows of one entity: version, definitions, content',
    unit                 LowCardinality(String)      COMMENT 'Competent agency',
    status               LowCardinality(String)      COMMENT 'due, paid, cancelled or refunded',
    amount_vnd           Int64                       COMMENT 'Amount in đồng',
    dossier              Nullable(String)            COMMENT 'Dossier that is paid for',
    kind                 LowCardinality(Nullable(String)) COMMENT 'fee, land_obligation, fine or other',
    channel              LowCardinality(Nullable(String)) COMMENT 'Way of paying; the national and provincial portal and the gateway are online',
    due_at               Nullable(DateTime64(6, 'UTC')) COMMENT 'When it is due',
    paid_at              Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was paid',
    online_payment_at    Nullable(Int64)             COMMENT 'Mark paid online: where it counts, seconds since 1970; NULL when it does not count',
    online_payment_good  UInt8                       COMMENT 'Mark paid online: 1 when it counts for the numerator',
    `partition`          UInt16                      COMMENT 'Kafka partition of the record',
    offset               Int64                       COMMENT 'Kafka offset of the record',
    epoch                UInt64                      COMMENT 'Epoch of the worker that counted it',
    written_at           DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
                                                     COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:ReplacingMergeTree}(rank)
ORDER BY id
SETTINGS index_granularity = 128
COMMENT 'Newest snapshot of every payment and the marks that were counted for it';
