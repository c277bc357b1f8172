CREATE TABLE IF NOT EXISTS alerts {on_cluster}
(
    id          String                 COMMENT 'Id of the alert; follows from rule, scope and since',
    rule        LowCardinality(String) COMMENT 'Id of the rule',
    indicator   LowCardinality(String) COMMENT 'Key of the indicator or gauge',
    window      LowCardinality(String) COMMENT 'Window of the figure',
    scope       LowCardinality(String) COMMENT 'unit:CODE, field:NAME, source:NAME or system:NAME',
    severity    LowCardinality(String) COMMENT 'info, warning or critical',
    state       Enum8('pending' = 0, 'firing' = 1, 'recovered' = 2, 'cleared' = 3)
                                       COMMENT 'Where it stands; cleared: it was over before it fired',
    since       DateTime64(6, 'UTC')   COMMENT 'First moment at which the figure was bad, by the clock of the figures',
    fired       Nullable(DateTime64(6, 'UTC')) COMMENT 'When the hold time was over',
    ended       Nullable(DateTime64(6, 'UTC')) COMMENT 'When the figure was good again',
    escalated   Nullable(DateTime64(6, 'UTC')) COMMENT 'When the next group was told',
    noticed     Nullable(DateTime64(6, 'UTC')) COMMENT 'When messages were last decided',
    notices     UInt32                 COMMENT 'Rounds of messages decided so far; 0 when nobody was told',
    numerator   Int64                  COMMENT 'Numerator at the last change of state',
    denominator Int64                  COMMENT 'Denominator at the last change of state',
    threshold   Float64                COMMENT 'What the rate was compared with',
    epoch       UInt64                 COMMENT 'Epoch of the partition on whose worker rules were evaluated',
    tick        UInt64                 COMMENT 'Count of writes within the epoch',
    version     UInt128 MATERIALIZED bitShiftLeft(toUInt128(epoch), 64) + tick COMMENT 'Order of the rows of one alert: epoch, tick',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:ReplacingMergeTree}(version)
ORDER BY id
COMMENT 'Every episode of every rule in every scope as it stands; read with FINAL';

CREATE TABLE IF NOT EXISTS notifications {on_cluster}
(
    id          String                 COMMENT 'Id of the message; sent twice, it is the same message',
    step        UInt32                 COMMENT 'Order of the states of one message; the largest is its newest',
    alert       String                 COMMENT 'Id of the alert; empty for a message about several',
    rule        LowCardinality(String) COMMENT 'Id of the rule',
    scope       LowCardinality(String) COMMENT 'Scope of the alert',
    kind        LowCardinality(String) COMMENT 'fired, recovered, reminder, escalated, digest, overflow or test',
    severity    LowCardinality(String) COMMENT 'info, warning or critical',
    recipient   LowCardinality(String) COMMENT 'Name of the recipient, never an address',
    decided_at  DateTime64(6, 'UTC')   COMMENT 'When it was decided, by the clock of the figures',
    facts       String                 COMMENT 'What the message tells, JSON',
    state       LowCardinality(String) COMMENT 'decided, sending, retrying, sent, failed or folded into another message',
    attempts    UInt16                 COMMENT 'Attempts to send it so far',
    first_at    DateTime64(6, 'UTC')   COMMENT 'When delivery first took it up, by the wall clock',
    at          DateTime64(6, 'UTC')   COMMENT 'When it came into this state, by the wall clock',
    next_at     Nullable(DateTime64(6, 'UTC')) COMMENT 'When the next attempt may begin, by the wall clock',
    error       String                 COMMENT 'Why it was not delivered, for people',
    delivered   Array(String)          COMMENT 'Channels that took it in any attempt so far',
    channels    Array(String)          COMMENT 'Channels of this attempt',
    errors      Array(String)          COMMENT 'What each of them said; empty when it took the message',
    folded_into String                 COMMENT 'Message that tells it instead',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted; used only to clean up'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (id, step)
TTL toDateTime(written_at) + INTERVAL 1 YEAR
COMMENT 'Messages as decided, and a row for every state and attempt of their delivery; the largest step counts';

CREATE TABLE IF NOT EXISTS alert_actions {on_cluster}
(
    at          DateTime64(6, 'UTC')   COMMENT 'When it was done',
    rule        LowCardinality(String) COMMENT 'Id of the rule',
    scope       LowCardinality(String) COMMENT 'Scope of the alert',
    alert       String                 COMMENT 'Id of the alert',
    action      Enum8('ack' = 0, 'mute' = 1, 'unmute' = 2) COMMENT 'ack ends reminders and escalation; mute keeps rule and scope silent',
    by          String                 COMMENT 'Name of the recipient or operator, never an address',
    until       Nullable(DateTime64(6, 'UTC')) COMMENT 'End of a mute',
    reason      String                 COMMENT 'Why, in the words of who did it',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (at, rule, scope, alert, action, by)
COMMENT 'What people did about alerts: acknowledged and muted';

CREATE TABLE IF NOT EXISTS rule_sets {on_cluster}
(
    name        LowCardinality(String) COMMENT 'Which file; rules',
    version     UInt64                 COMMENT 'Grows with each change; the larger wins',
    text        String                 COMMENT 'The file as it was when it was last found sound',
    written_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When the row was inserted; never used to order'
)
ENGINE = {engine:ReplacingMergeTree}(version)
ORDER BY name
COMMENT 'The last good rules, for a start with a faulty file';
