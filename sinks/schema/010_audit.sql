CREATE TABLE IF NOT EXISTS audit {on_cluster}
(
    at          DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') COMMENT 'When it was done, by the clock of the store',
    who         String                 COMMENT 'Account of the operating system, never a person''s name',
    host        String                 COMMENT 'Machine on which it was done',
    act         LowCardinality(String) COMMENT 'What was done, such as wall token created',
    subject     String                 COMMENT 'What it was done to, such as the name of a token',
    detail      String                 COMMENT 'In which way; never a secret'
)
ENGINE = {engine:MergeTree}
ORDER BY at
COMMENT 'Administrative acts, appended and never changed';
