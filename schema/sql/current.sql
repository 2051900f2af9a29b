-- The device store as all migrations together leave it. Compared by a test, never executed on a device.
-- Every table is STRICT; identifiers and hashes are raw bytes; times are milliseconds since 1970, UTC,
-- by the phone's clock, and order is never taken from them.

-- The device that this store belongs to.
CREATE TABLE device (
    only INTEGER PRIMARY KEY CHECK (only = 1),             -- One row.
    device_id BLOB NOT NULL CHECK (length(device_id) = 16), -- The device, as headquarters knows it.
    signing_seed BLOB NOT NULL CHECK (length(signing_seed) = 32), -- Ed25519 seed of the device's signatures.
    created_ms INTEGER NOT NULL,                           -- When the store was created.
    commits INTEGER NOT NULL                               -- Write transactions so far; compared with the head file.
) STRICT;

-- Lives of this store. A new one begins when the store was created or found to have gone back in time.
CREATE TABLE incarnation (
    row INTEGER PRIMARY KEY,                               -- Order of the lives, from 1.
    incarnation INTEGER NOT NULL UNIQUE,                   -- Random, 63 bits; names the life to headquarters.
    store_id BLOB NOT NULL UNIQUE CHECK (length(store_id) = 16), -- Bound into every fact of this life.
    first_counter INTEGER NOT NULL,                        -- Counter of the first fact of this life.
    begun_ms INTEGER NOT NULL                              -- When it began.
) STRICT;

-- What was found wrong when the store was opened. Only ever added to.
CREATE TABLE finding (
    row INTEGER PRIMARY KEY,                               -- Order of discovery.
    found_ms INTEGER NOT NULL,                             -- When.
    kind INTEGER NOT NULL,                                 -- 0 rollback, 1 fork, 2 head missing, 3 head unreadable.
    store_commits INTEGER NOT NULL,                        -- Write transactions in the store at that time.
    store_counter INTEGER NOT NULL,                        -- Last fact in the store at that time; 0 for none.
    head_commits INTEGER,                                  -- Write transactions by the head file, where it could be read.
    head_counter INTEGER                                   -- Last fact by the head file, where it could be read.
) STRICT;

-- Installed content packs, byte for byte.
CREATE TABLE pack (
    row INTEGER PRIMARY KEY,                               -- Number inside this store.
    kind INTEGER NOT NULL,                                 -- Kind, as encoded in headers.
    id TEXT NOT NULL,                                      -- Id; versions of one pack share it.
    version INTEGER NOT NULL,                              -- Version.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),   -- Hash of the header bytes.
    installed_ms INTEGER NOT NULL,                         -- When it was installed.
    current INTEGER NOT NULL CHECK (current IN (0, 1)),    -- Whether new screenings use it.
    header BLOB NOT NULL,                                  -- Header bytes.
    file BLOB NOT NULL,                                    -- The whole file, header and signatures included.
    UNIQUE (kind, id, version)
) STRICT;

CREATE UNIQUE INDEX pack_current ON pack (kind, id) WHERE current = 1;

-- Services of the installed directories.
CREATE TABLE service (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE, -- The directory.
    n INTEGER NOT NULL,                                    -- Position in the directory, from 0.
    id TEXT NOT NULL,                                      -- Id in the directory.
    country TEXT NOT NULL,                                 -- Country, ISO 3166-1.
    rank INTEGER NOT NULL,                                 -- Static rank; the least comes first.
    body TEXT NOT NULL,                                    -- The service, JSON.
    PRIMARY KEY (pack, n),
    UNIQUE (pack, id)
) STRICT;

CREATE INDEX service_by_country ON service (pack, country, rank, n);

-- All words of each service in one narrow row: what a search of several words looks at.
CREATE TABLE search_words (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE, -- The directory.
    n INTEGER NOT NULL,                                    -- Position in the directory, from 0.
    words TEXT NOT NULL,                                   -- Its folded words, sorted, parted by spaces.
    PRIMARY KEY (pack, n)
) STRICT, WITHOUT ROWID;

-- Words of each service, folded.
CREATE TABLE search_token (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE, -- The directory.
    term TEXT NOT NULL,                                    -- A folded word.
    rank INTEGER NOT NULL,                                 -- Static rank of the service.
    n INTEGER NOT NULL,                                    -- The service.
    PRIMARY KEY (pack, term, rank, n)
) STRICT, WITHOUT ROWID;

-- First letters of words, so that typing one letter costs no more than typing ten.
CREATE TABLE search_prefix (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE, -- The directory.
    prefix TEXT NOT NULL,                                  -- The first letters of a folded word.
    rank INTEGER NOT NULL,                                 -- Static rank of the service.
    n INTEGER NOT NULL,                                    -- The service.
    PRIMARY KEY (pack, prefix, rank, n)
) STRICT, WITHOUT ROWID;

-- Cases: one person on this device. No name, no date of birth.
CREATE TABLE case_file (
    row INTEGER PRIMARY KEY,                               -- Number inside this store.
    case_id BLOB NOT NULL UNIQUE CHECK (length(case_id) = 16), -- The case.
    code TEXT NOT NULL UNIQUE,                             -- Random code for records.
    memorable TEXT NOT NULL,                               -- Short code that the person can remember; empty once erased.
    opened_ms INTEGER NOT NULL,                            -- When it was opened.
    identity_key BLOB                                      -- Key of the identity facts; null once shredded or never made.
) STRICT;

-- Screenings: one run of one checklist.
CREATE TABLE screening (
    row INTEGER PRIMARY KEY,                               -- Number inside this store.
    screening_id BLOB NOT NULL UNIQUE CHECK (length(screening_id) = 16), -- The screening.
    case_row INTEGER NOT NULL REFERENCES case_file (row),  -- Its case.
    checklist BLOB NOT NULL CHECK (length(checklist) = 32), -- Hash of the checklist that it stays on.
    state INTEGER NOT NULL,                                -- 0 open, 1 closed, 2 purged.
    opened_ms INTEGER NOT NULL,                            -- When it was opened.
    closed_ms INTEGER,                                     -- When it was closed; null while open.
    lapsed_ms INTEGER                                      -- The last term by which a grant of it lapsed.
) STRICT;

CREATE INDEX screening_by_case ON screening (case_row);

-- Packs that a screening stays on; they cannot be deleted while it refers to them.
CREATE TABLE screening_pack (
    screening INTEGER NOT NULL REFERENCES screening (row), -- The screening.
    pack INTEGER NOT NULL REFERENCES pack (row),           -- The pack.
    PRIMARY KEY (screening, pack)
) STRICT, WITHOUT ROWID;

CREATE INDEX screening_pack_by_pack ON screening_pack (pack);

-- Facts: append-only, counted without gaps, chained. Only a purge changes a row: it removes the body.
CREATE TABLE fact (
    counter INTEGER PRIMARY KEY CHECK (counter >= 1),      -- Position, from 1.
    screening INTEGER REFERENCES screening (row),          -- The screening; null for facts of the store or a case.
    compartment INTEGER NOT NULL,                          -- Who may ever read it.
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32), -- Hash of the body; outlives it.
    hash BLOB NOT NULL CHECK (length(hash) = 32),          -- Link of the chain.
    body BLOB                                              -- The encoded fact; null once purged.
) STRICT;

CREATE INDEX fact_by_screening ON fact (screening) WHERE screening IS NOT NULL;

-- Sealed segments.
CREATE TABLE segment (
    incarnation INTEGER NOT NULL REFERENCES incarnation (incarnation), -- The life that sealed it.
    number INTEGER NOT NULL CHECK (number >= 0),           -- Position in the chain of that life, from 0.
    screening INTEGER REFERENCES screening (row),          -- The screening, if it is of one.
    compartment INTEGER NOT NULL,                          -- Compartment of its facts.
    header_hash BLOB NOT NULL UNIQUE CHECK (length(header_hash) = 32), -- Hash by which it is chained and granted.
    header BLOB NOT NULL,                                  -- Header bytes.
    signature BLOB NOT NULL CHECK (length(signature) = 64), -- Ed25519 signature.
    key BLOB,                                              -- Content key; null once no further grant may be made.
    ciphertext BLOB NOT NULL,                              -- Ciphertext with tag; empty once purged.
    sealed_ms INTEGER NOT NULL DEFAULT 0,                  -- When it was sealed.
    urgent INTEGER NOT NULL DEFAULT 0 CHECK (urgent IN (0, 1)), -- Whether it is sent before others.
    replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)), -- Whether its facts were sealed again in a later life.
    PRIMARY KEY (incarnation, number)
) STRICT;

CREATE INDEX segment_by_screening ON segment (screening) WHERE screening IS NOT NULL;
CREATE INDEX segment_urgent ON segment (incarnation, number) WHERE urgent = 1;

-- Grants: the key of a segment, wrapped for a recipient.
CREATE TABLE segment_grant (
    segment BLOB NOT NULL REFERENCES segment (header_hash), -- The segment.
    recipient BLOB NOT NULL CHECK (length(recipient) = 8), -- First bytes of the hash of the recipient's key.
    encapsulated BLOB NOT NULL,                            -- HPKE encapsulated key.
    wrapped BLOB NOT NULL,                                 -- The wrapped key, with tag.
    lapses_ms INTEGER,                                     -- When no consent carries it any more; null if no term ends it.
    PRIMARY KEY (segment, recipient)
) STRICT, WITHOUT ROWID;

CREATE INDEX grant_by_lapse ON segment_grant (lapses_ms) WHERE lapses_ms IS NOT NULL;

-- Settings of the device.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,                                 -- Name.
    value BLOB NOT NULL                                    -- Value, in the encoding of its owner.
) STRICT, WITHOUT ROWID;

-- The headquarters to which the device belongs, or asked to.
CREATE TABLE enrolment (
    only INTEGER PRIMARY KEY CHECK (only = 1),             -- One row.
    asked BLOB NOT NULL,                                   -- Headquarters of the last ticket, encoded.
    headquarters BLOB,                                     -- Headquarters that enrolled the device, encoded; pinned.
    certificate BLOB,                                      -- Its signed certificate, encoded; null until it came.
    revoked_ms INTEGER,                                    -- Since when it holds no longer, by headquarters' clock.
    contact_ms INTEGER                                     -- When headquarters last answered, by the phone's clock.
) STRICT;

-- How far each life has come with headquarters. No row: nothing was sent yet.
CREATE TABLE progress (
    incarnation INTEGER PRIMARY KEY REFERENCES incarnation (incarnation), -- The life.
    doubted INTEGER NOT NULL CHECK (doubted IN (0, 1)),    -- Whether its chain may have parted from headquarters'.
    sent INTEGER NOT NULL,                                 -- Segments that were ever sent, as a count from 0.
    receipt BLOB,                                          -- Newest verified receipt, signed and encoded.
    headquarters BLOB                                      -- Key of the headquarters it was left with; null for the present.
) STRICT;

-- Disclosures: which keys were given to whom, and taken back.
CREATE TABLE disclosure (
    incarnation INTEGER NOT NULL REFERENCES incarnation (incarnation), -- The life that made it.
    number INTEGER NOT NULL CHECK (number >= 0),           -- Position among those of that life, from 0.
    withholds INTEGER NOT NULL CHECK (withholds IN (0, 1)), -- Whether something is withheld by it.
    signed BLOB NOT NULL,                                  -- Signed disclosure, encoded.
    PRIMARY KEY (incarnation, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX disclosure_withholding ON disclosure (incarnation, number) WHERE withholds = 1;

-- Segments whose readers must be looked at before the next upload.
CREATE TABLE due (
    segment BLOB PRIMARY KEY REFERENCES segment (header_hash) -- A segment whose readers are to be looked at again.
) STRICT, WITHOUT ROWID;

-- How far each feed was read.
CREATE TABLE cursor (
    feed BLOB PRIMARY KEY CHECK (length(feed) = 32),       -- The feed.
    read INTEGER NOT NULL,                                 -- Entries read.
    link BLOB NOT NULL CHECK (length(link) = 32)           -- Link of the last one.
) STRICT, WITHOUT ROWID;

-- Letters from agencies.
CREATE TABLE letter (
    row INTEGER PRIMARY KEY,                               -- Order of arrival.
    letter_id BLOB NOT NULL UNIQUE CHECK (length(letter_id) = 16), -- The letter; each is taken once.
    author TEXT NOT NULL,                                  -- The agency that wrote it.
    note BLOB NOT NULL,                                    -- What it says, encoded.
    taken_ms INTEGER NOT NULL,                             -- When it came.
    state INTEGER NOT NULL                                 -- 0 to be applied, 1 applied, 2 cannot be applied.
) STRICT;

-- What came from headquarters and could not be applied. Only ever added to, up to a limit.
CREATE TABLE aside (
    row INTEGER PRIMARY KEY,                               -- Order of arrival.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),   -- SHA-256 of its bytes; each is kept once.
    why INTEGER NOT NULL,                                  -- Why it was kept aside.
    kept_ms INTEGER NOT NULL,                              -- When it came.
    bytes BLOB NOT NULL                                    -- As it came.
) STRICT;

-- What headquarters did not take. It stays here, and nothing waits for it.
CREATE TABLE refused (
    incarnation INTEGER NOT NULL REFERENCES incarnation (incarnation), -- The life.
    disclosure INTEGER NOT NULL CHECK (disclosure IN (0, 1)), -- 0 for a segment, 1 for a disclosure.
    number INTEGER NOT NULL CHECK (number >= 0),           -- Its number in that life.
    why INTEGER NOT NULL,                                  -- Why, as refusals are numbered on the wire.
    epoch INTEGER NOT NULL,                                -- Epoch of headquarters then, by receipts; 0 for none.
    PRIMARY KEY (incarnation, disclosure, number)
) STRICT, WITHOUT ROWID;

-- Referrals by id, so that an answer still finds its case when what was said is purged.
CREATE TABLE referral (
    referral_id BLOB PRIMARY KEY CHECK (length(referral_id) = 16), -- The referral; outlives what was said.
    screening INTEGER NOT NULL REFERENCES screening (row), -- Its screening.
    service TEXT NOT NULL,                                 -- The service that it went to.
    answer INTEGER                                         -- Last answer of an agency; null before.
) STRICT, WITHOUT ROWID;

CREATE INDEX referral_by_screening ON referral (screening);

-- From when the retention of a screening counts whose closing time cannot be believed.
CREATE TABLE purge_clock (
    screening INTEGER PRIMARY KEY REFERENCES screening (row), -- A screening that was closed while the clock was doubted.
    from_ms INTEGER NOT NULL                               -- The first time after it that was not.
) STRICT;
