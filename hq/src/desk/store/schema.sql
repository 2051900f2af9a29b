-- The desk's own store. One agency, one file, encrypted as a whole. Version 1.

-- How far each feed was read. `generation` rises when headquarters' history turned out to be another one.
-- `shown` is less than `read` once headquarters showed fewer entries: how far it has come again.
CREATE TABLE feed (
    feed BLOB PRIMARY KEY NOT NULL,
    read INTEGER NOT NULL,
    link BLOB NOT NULL,
    head INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    shown INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Where each history but the first parted from the one before: what stood there or later is told no more.
CREATE TABLE fork (
    feed BLOB NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (feed, generation)
) STRICT, WITHOUT ROWID;

-- The link after each entry of the history that is followed now.
CREATE TABLE place (
    feed BLOB NOT NULL,
    position INTEGER NOT NULL,
    link BLOB NOT NULL,
    PRIMARY KEY (feed, position)
) STRICT, WITHOUT ROWID;

-- Who sealed: every certificate that was shown and holds.
CREATE TABLE certificate (
    certificate BLOB PRIMARY KEY NOT NULL,
    device BLOB NOT NULL,
    agency TEXT NOT NULL,
    letter_key BLOB NOT NULL,
    from_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Segments as they came, with a grant that opens them; both empty once they were erased. Times are the desk's own, milliseconds since 1970.
CREATE TABLE segment (
    hash BLOB PRIMARY KEY NOT NULL,
    device BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    granted BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    hidden INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX segment_place ON segment (device, incarnation, number);

-- When a segment was granted, and when it was withdrawn (no grant), as each feed told it.
CREATE TABLE delivery (
    feed BLOB NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    segment BLOB NOT NULL,
    granted BLOB,
    PRIMARY KEY (feed, generation, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_segment ON delivery (segment);

-- Facts as they came (empty once they were erased, but for facts about consent), read again whenever they are looked at, so that a newer desk understands more.
CREATE TABLE fact (
    segment BLOB NOT NULL REFERENCES segment (hash),
    counter INTEGER NOT NULL,
    device BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    case_id BLOB,
    screening BLOB,
    compartment INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (segment, counter)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_case_id ON fact (case_id, device);

-- Entries that could not be taken, once each, at the place that they had last. `device` is whose certificate they showed,
-- `size` how many bytes are kept, `reader` who tried it last: it is tried again by another one.
CREATE TABLE aside (
    hash BLOB PRIMARY KEY NOT NULL,
    feed BLOB NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    why TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    device BLOB,
    reader BLOB NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX aside_device ON aside (device, size);

-- Where else an entry that lies aside stood before headquarters went back in time: it was given there too.
CREATE TABLE aside_place (
    hash BLOB NOT NULL,
    feed BLOB NOT NULL,
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (hash, generation, position, feed)
) STRICT, WITHOUT ROWID;

-- Letters written here, numbered as they were written. `posted` says that headquarters has it, or will never take it.
CREATE TABLE letter (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    case_id BLOB NOT NULL,
    screening BLOB,
    referral BLOB,
    state INTEGER,
    written_ms INTEGER NOT NULL,
    signed BLOB NOT NULL,
    posted INTEGER NOT NULL
) STRICT;
CREATE INDEX letter_case_id ON letter (case_id);
