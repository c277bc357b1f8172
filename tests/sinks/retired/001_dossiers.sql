CREATE TABLE IF NOT EXISTS dossiers {on_cluster}
(
    id                   String                      COMMENT 'Code of the dossier; the Kafka key',
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
    channel              LowCardinality(String)      COMMENT 'How it was filed: online, counter, post, other',
    status               LowCardinality(String)      COMMENT 'One of the ten national statuses, or void',
    received_at          Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was accepted',
    receiving_unit       LowCardinality(Nullable(String)) COMMENT 'Agency that received it',
    procedure            LowCardinality(Nullable(String)) COMMENT 'Code of the administrative procedure',
    field                LowCardinality(Nullable(String)) COMMENT 'Field of the procedure, e.g. land',
    service_level        LowCardinality(Nullable(String)) COMMENT 'full or partial',
    submitted_at         Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was filed',
    due_at               Nullable(DateTime64(6, 'UTC')) COMMENT 'When the result is due',
    finished_at          Nullable(DateTime64(6, 'UTC')) COMMENT 'When handling ended',
    returned_at          Nullable(DateTime64(6, 'UTC')) COMMENT 'When the result was handed over',
    supplements          Nullable(UInt32)            COMMENT 'How often papers were asked for',
    paused_s             Nullable(Int64)             COMMENT 'Time not counted, in seconds',
    fee_vnd              Nullable(Int64)             COMMENT 'Fee in đồng',
    result_digital       Nullable(Bool)              COMMENT 'Whether the result is electronic',
    components           Nullable(UInt32)            COMMENT 'Papers of the dossier',
    components_digitised Nullable(UInt32)            COMMENT 'Papers that were digitised',
    components_reused    Nullable(UInt32)            COMMENT 'Papers taken from digital storage',
    online_at            Nullable(Int64)             COMMENT 'Mark filed online: where it counts, seconds since 1970; NULL when it does not count',
    online_good          UInt8                       COMMENT 'Mark filed online: 1 when it counts for the numerator',
    on_time_at           Nullable(Int64)             COMMENT 'Mark finished on time: where it counts, seconds since 1970; NULL when it does not count',
    on_time_good         UInt8                       COMMENT 'Mark finished on time: 1 when it counts for the numerator',
    overdue_at           Nullable(Int64)             COMMENT 'Mark open with a due date: where it counts, seconds since 1970; NULL when it does not count',
    overdue_good         UInt8                       COMMENT 'Mark open with a due date: 1 when it counts for the numerator',
    code_form_known      Bool MATERIALIZED match(id, '^([A-Z][0-9]{2}|000\\.[0-9]{2}\\.[0-9]{2}\\.[A-Z][0-9]{2})(\\.[A-Z0-9]{1,8})*-([0-9]{2}|20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])-[0-9]{4,}$')
                                                     COMMENT 'Whether the code has a national form; others count but are flagged',
    `partition`          UInt16                      COMMENT 'Kafka partition of the record',
    offset               Int64                       COMMENT 'Kafka offset of the record',
    epoch                UInt64                      COMMENT 'Epoch of the worker that counted it',
    written_at           DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
                                                     COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:ReplacingMergeTree}(rank)
ORDER BY id
SETTINGS index_granularity = 128
COMMENT 'Newest snapshot of every dossier and the marks that were counted for it';
