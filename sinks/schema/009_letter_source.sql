-- Stored, so that who may not read the bytes (users.sql: grafana) can count records by source.
-- Bytes that are no JSON often still hold the words "source": "…"; more than what a source may have is none.
ALTER TABLE dead_letters {on_cluster} ADD COLUMN IF NOT EXISTS source String MATERIALIZED
    if(length(JSONExtractString(value, 'source')) BETWEEN 1 AND 128,
       toValidUTF8(JSONExtractString(value, 'source')),
       if(extract(value, '"source"\\s*:\\s*"([^"\\\\]{1,128})"') = '', '?',
          toValidUTF8(extract(value, '"source"\\s*:\\s*"([^"\\\\]{1,128})"'))))
    COMMENT 'Source that the bytes name; ? where they do not tell it'
    AFTER value;
