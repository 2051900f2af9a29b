-- The relay's store as all migrations together leave it. Compared by a test, never executed.
-- One text for both engines: BYTEA is bytes, BIGINT is a whole number; SQLite is given BLOB, INTEGER and STRICT in
-- their place. There is no NULL, no sequence, no trigger and no clock. Positions come from counters that the relay
-- keeps in records. Unsigned numbers of 64 bits stand as the signed ones with the same bits.

-- Which migrations were run.
CREATE TABLE schema_version (
    only_row BIGINT NOT NULL PRIMARY KEY,        -- 0: one row.
    version BIGINT NOT NULL                      -- Migrations run.
);

-- What is looked up by its key alone: devices, tickets, recipients, heads of chains and the like.
CREATE TABLE record (
    shelf BIGINT NOT NULL,                       -- Which kind, as in storage::Shelf.
    name BYTEA NOT NULL,                         -- Its key.
    value BYTEA NOT NULL,                        -- CBOR.
    PRIMARY KEY (shelf, name)
);

-- Segments that were verified and taken.
CREATE TABLE segment (
    device BYTEA NOT NULL,                       -- The device that sealed it.
    incarnation BIGINT NOT NULL,                 -- The incarnation of its store.
    number BIGINT NOT NULL,                      -- Position in the incarnation's chain.
    hash BYTEA NOT NULL,                         -- Header hash.
    previous BYTEA NOT NULL,                     -- Header hash of the one before, as the header says.
    leaf BIGINT NOT NULL,                        -- Position of its leaf in the log.
    standing BIGINT NOT NULL,                    -- 0 sound, 1 disputed, 2 erased.
    body BYTEA NOT NULL,                         -- The encoded segment; without ciphertext once erased.
    PRIMARY KEY (device, incarnation, number)
);

CREATE INDEX segment_leaf ON segment (device, incarnation, leaf);

-- What becomes of one segment for one recipient.
CREATE TABLE delivery (
    device BYTEA NOT NULL,                       -- The device that disclosed it.
    segment BYTEA NOT NULL,                      -- Header hash of the segment.
    recipient BYTEA NOT NULL,                    -- To whom: the beginning of the hash of the recipient's key.
    incarnation BIGINT NOT NULL,                 -- Incarnation that sealed the segment; 0 until it is here.
    number BIGINT NOT NULL,                      -- Its number there; 0 until it is here.
    leaf BIGINT NOT NULL,                        -- Position of its leaf in the log; -1 until it is here.
    stage BIGINT NOT NULL,                       -- How far, as in storage::Stage.
    place BIGINT NOT NULL,                       -- Where the recipient's feed last gave it; -1 for nowhere.
    voices BYTEA NOT NULL,                       -- What each incarnation of the device says, CBOR.
    PRIMARY KEY (device, segment, recipient)
);

CREATE INDEX delivery_stage ON delivery (recipient, stage, leaf, device, segment);

CREATE INDEX delivery_chain ON delivery (device, incarnation, stage, number);

-- Entries of feeds.
CREATE TABLE feed_entry (
    feed BYTEA NOT NULL,                         -- The feed.
    place BIGINT NOT NULL,                       -- Position, dense from 0.
    link BYTEA NOT NULL,                         -- Link of the entry, as a reader was last given it.
    item BYTEA NOT NULL,                         -- What to give, CBOR.
    PRIMARY KEY (feed, place)
);

-- Leaves of the log.
CREATE TABLE log (
    place BIGINT NOT NULL PRIMARY KEY,           -- Position, dense from 0.
    hash BYTEA NOT NULL,                         -- What the Merkle tree takes.
    chain BYTEA NOT NULL,                        -- Hash of all leaves up to this one.
    action BYTEA NOT NULL                        -- The act, CBOR; empty for a segment.
);
