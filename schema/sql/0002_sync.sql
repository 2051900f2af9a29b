-- Sync with headquarters: enrolment, receipts, disclosures, feeds, and what is needed to purge.

ALTER TABLE segment ADD COLUMN sealed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0 CHECK (urgent IN (0, 1));

CREATE INDEX segment_urgent ON segment (incarnation, number) WHERE urgent = 1;

ALTER TABLE segment ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1));

ALTER TABLE segment_grant ADD COLUMN lapses_ms INTEGER;
CREATE INDEX grant_by_lapse ON segment_grant (lapses_ms) WHERE lapses_ms IS NOT NULL;

CREATE TABLE enrolment (
    only INTEGER PRIMARY KEY CHECK (only = 1),             -- One row.
    asked BLOB NOT NULL,                                   -- Headquarters of the last ticket, encoded.
    headquarters BLOB,                                     -- Headquarters that enrolled the device, encoded; pinned.
    certificate BLOB,                                      -- Its signed certificate, encoded; null until it came.
    revoked_ms INTEGER,                                    -- Since when it holds no longer, by headquarters' clock.
    contact_ms INTEGER                                     -- When headquarters last answered, by the phone's clock.
) STRICT;

CREATE TABLE progress (
    incarnation INTEGER PRIMARY KEY REFERENCES incarnation (incarnation), -- The life.
    doubted INTEGER NOT NULL CHECK (doubted IN (0, 1)),    -- Whether its chain may have parted from headquarters'.
    sent INTEGER NOT NULL,                                 -- Segments that were ever sent, as a count from 0.
    receipt BLOB,                                          -- Newest verified receipt, signed and encoded.
    headquarters BLOB                                      -- Key of the headquarters it was left with; null for the present.
) STRICT;

CREATE TABLE disclosure (
    incarnation INTEGER NOT NULL REFERENCES incarnation (incarnation), -- The life that made it.
    number INTEGER NOT NULL CHECK (number >= 0),           -- Position among those of that life, from 0.
    withholds INTEGER NOT NULL CHECK (withholds IN (0, 1)), -- Whether something is withheld by it.
    signed BLOB NOT NULL,                                  -- Signed disclosure, encoded.
    PRIMARY KEY (incarnation, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX disclosure_withholding ON disclosure (incarnation, number) WHERE withholds = 1;

CREATE TABLE due (
    segment BLOB PRIMARY KEY REFERENCES segment (header_hash) -- A segment whose readers are to be looked at again.
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    feed BLOB PRIMARY KEY CHECK (length(feed) = 32),       -- The feed.
    read INTEGER NOT NULL,                                 -- Entries read.
    link BLOB NOT NULL CHECK (length(link) = 32)           -- Link of the last one.
) STRICT, WITHOUT ROWID;

CREATE TABLE letter (
    row INTEGER PRIMARY KEY,                               -- Order of arrival.
    letter_id BLOB NOT NULL UNIQUE CHECK (length(letter_id) = 16), -- The letter; each is taken once.
    author TEXT NOT NULL,                                  -- The agency that wrote it.
    note BLOB NOT NULL,                                    -- What it says, encoded.
    taken_ms INTEGER NOT NULL,                             -- When it came.
    state INTEGER NOT NULL                                 -- 0 to be applied, 1 applied, 2 cannot be applied.
) STRICT;

CREATE TABLE aside (
    row INTEGER PRIMARY KEY,                               -- Order of arrival.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),   -- SHA-256 of its bytes; each is kept once.
    why INTEGER NOT NULL,                                  -- Why it was kept aside.
    kept_ms INTEGER NOT NULL,                              -- When it came.
    bytes BLOB NOT NULL                                    -- As it came.
) STRICT;

CREATE TABLE refused (
    incarnation INTEGER NOT NULL REFERENCES incarnation (incarnation), -- The life.
    disclosure INTEGER NOT NULL CHECK (disclosure IN (0, 1)), -- 0 for a segment, 1 for a disclosure.
    number INTEGER NOT NULL CHECK (number >= 0),           -- Its number in that life.
    why INTEGER NOT NULL,                                  -- Why, as refusals are numbered on the wire.
    epoch INTEGER NOT NULL,                                -- Epoch of headquarters then, by receipts; 0 for none.
    PRIMARY KEY (incarnation, disclosure, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE referral (
    referral_id BLOB PRIMARY KEY CHECK (length(referral_id) = 16), -- The referral; outlives what was said.
    screening INTEGER NOT NULL REFERENCES screening (row), -- Its screening.
    service TEXT NOT NULL,                                 -- The service that it went to.
    answer INTEGER                                         -- Last answer of an agency; null before.
) STRICT, WITHOUT ROWID;

CREATE INDEX referral_by_screening ON referral (screening);

CREATE TABLE purge_clock (
    screening INTEGER PRIMARY KEY REFERENCES screening (row), -- A screening that was closed while the clock was doubted.
    from_ms INTEGER NOT NULL                               -- The first time after it that was not.
) STRICT;
