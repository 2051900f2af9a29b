-- The first schema. What each column means stands in current.sql.

CREATE TABLE device (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    device_id BLOB NOT NULL CHECK (length(device_id) = 16),
    signing_seed BLOB NOT NULL CHECK (length(signing_seed) = 32),
    created_ms INTEGER NOT NULL,
    commits INTEGER NOT NULL
) STRICT;

CREATE TABLE incarnation (
    row INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL UNIQUE,
    store_id BLOB NOT NULL UNIQUE CHECK (length(store_id) = 16),
    first_counter INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE finding (
    row INTEGER PRIMARY KEY,
    found_ms INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    store_commits INTEGER NOT NULL,
    store_counter INTEGER NOT NULL,
    head_commits INTEGER,
    head_counter INTEGER
) STRICT;

CREATE TABLE pack (
    row INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    installed_ms INTEGER NOT NULL,
    current INTEGER NOT NULL CHECK (current IN (0, 1)),
    header BLOB NOT NULL,
    file BLOB NOT NULL,
    UNIQUE (kind, id, version)
) STRICT;

CREATE UNIQUE INDEX pack_current ON pack (kind, id) WHERE current = 1;

CREATE TABLE service (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    id TEXT NOT NULL,
    country TEXT NOT NULL,
    rank INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (pack, n),
    UNIQUE (pack, id)
) STRICT;

CREATE INDEX service_by_country ON service (pack, country, rank, n);

CREATE TABLE search_words (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (pack, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_token (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE,
    term TEXT NOT NULL,
    rank INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (pack, term, rank, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE search_prefix (
    pack INTEGER NOT NULL REFERENCES pack (row) ON DELETE CASCADE,
    prefix TEXT NOT NULL,
    rank INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (pack, prefix, rank, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE case_file (
    row INTEGER PRIMARY KEY,
    case_id BLOB NOT NULL UNIQUE CHECK (length(case_id) = 16),
    code TEXT NOT NULL UNIQUE,
    memorable TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    identity_key BLOB
) STRICT;

CREATE TABLE screening (
    row INTEGER PRIMARY KEY,
    screening_id BLOB NOT NULL UNIQUE CHECK (length(screening_id) = 16),
    case_row INTEGER NOT NULL REFERENCES case_file (row),
    checklist BLOB NOT NULL CHECK (length(checklist) = 32),
    state INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL,
    closed_ms INTEGER,
    lapsed_ms INTEGER
) STRICT;

CREATE INDEX screening_by_case ON screening (case_row);

CREATE TABLE screening_pack (
    screening INTEGER NOT NULL REFERENCES screening (row),
    pack INTEGER NOT NULL REFERENCES pack (row),
    PRIMARY KEY (screening, pack)
) STRICT, WITHOUT ROWID;

CREATE INDEX screening_pack_by_pack ON screening_pack (pack);

CREATE TABLE fact (
    counter INTEGER PRIMARY KEY CHECK (counter >= 1),
    screening INTEGER REFERENCES screening (row),
    compartment INTEGER NOT NULL,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    body BLOB
) STRICT;

CREATE INDEX fact_by_screening ON fact (screening) WHERE screening IS NOT NULL;

CREATE TABLE segment (
    incarnation INTEGER NOT NULL REFERENCES incarnation (incarnation),
    number INTEGER NOT NULL CHECK (number >= 0),
    screening INTEGER REFERENCES screening (row),
    compartment INTEGER NOT NULL,
    header_hash BLOB NOT NULL UNIQUE CHECK (length(header_hash) = 32),
    header BLOB NOT NULL,
    signature BLOB NOT NULL CHECK (length(signature) = 64),
    key BLOB,
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (incarnation, number)
) STRICT;

CREATE INDEX segment_by_screening ON segment (screening) WHERE screening IS NOT NULL;

CREATE TABLE segment_grant (
    segment BLOB NOT NULL REFERENCES segment (header_hash),
    recipient BLOB NOT NULL CHECK (length(recipient) = 8),
    encapsulated BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (segment, recipient)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
