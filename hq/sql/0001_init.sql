-- The first schema. What each column means stands in current.sql.

CREATE TABLE record (
    shelf BIGINT NOT NULL,
    name BYTEA NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (shelf, name)
);
CREATE TABLE segment (
    device BYTEA NOT NULL,
    incarnation BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    previous BYTEA NOT NULL,
    leaf BIGINT NOT NULL,
    standing BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (device, incarnation, number)
);

CREATE INDEX segment_leaf ON segment (device, incarnation, leaf);
CREATE TABLE delivery (
    device BYTEA NOT NULL,
    segment BYTEA NOT NULL,
    recipient BYTEA NOT NULL,
    incarnation BIGINT NOT NULL,
    number BIGINT NOT NULL,
    leaf BIGINT NOT NULL,
    stage BIGINT NOT NULL,
    place BIGINT NOT NULL,
    voices BYTEA NOT NULL,
    PRIMARY KEY (device, segment, recipient)
);

CREATE INDEX delivery_stage ON delivery (recipient, stage, leaf, device, segment);

CREATE INDEX delivery_chain ON delivery (device, incarnation, stage, number);
CREATE TABLE feed_entry (
    feed BYTEA NOT NULL,
    place BIGINT NOT NULL,
    link BYTEA NOT NULL,
    item BYTEA NOT NULL,
    PRIMARY KEY (feed, place)
);
CREATE TABLE log (
    place BIGINT NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL,
    chain BYTEA NOT NULL,
    action BYTEA NOT NULL
);
