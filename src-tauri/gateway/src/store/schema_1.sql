-- Ids are 16 bytes; times are milliseconds UTC; enums are the wire's numbers; lists are JSON.
CREATE TABLE log (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE brands (
    id BLOB PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    short_name TEXT NOT NULL,
    greeting TEXT NOT NULL,
    origins TEXT NOT NULL,
    team BLOB NOT NULL,
    algorithm TEXT,
    identity_key BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE teams (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    first_response_ms INTEGER NOT NULL,
    next_response_ms INTEGER NOT NULL,
    idle_ms INTEGER NOT NULL,
    stale_ms INTEGER NOT NULL,
    grace_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
    id BLOB PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    capacity INTEGER NOT NULL,
    password_hash TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    presence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    agent BLOB NOT NULL,
    team BLOB NOT NULL,
    lead INTEGER NOT NULL,
    PRIMARY KEY (agent, team)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    role INTEGER NOT NULL,
    member BLOB NOT NULL,
    device BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_member ON sessions (role, member);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

CREATE TABLE token_ids (
    brand BLOB NOT NULL,
    token_id TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (brand, token_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_ids_by_expiry ON token_ids (expires_ms);

CREATE TABLE customers (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    brand BLOB NOT NULL,
    conversation BLOB NOT NULL,
    name TEXT NOT NULL,
    external TEXT,
    merged_into BLOB,
    browser TEXT NOT NULL,
    language TEXT NOT NULL,
    page_url TEXT NOT NULL,
    page_title TEXT NOT NULL,
    referrer TEXT NOT NULL,
    first_visit_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX customers_by_external ON customers (brand, external) WHERE external IS NOT NULL;

-- A rowid table: rows of some hundred bytes would make a poor tree by id.
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    brand BLOB NOT NULL,
    team BLOB NOT NULL,
    customer BLOB NOT NULL,
    customer_name TEXT NOT NULL,
    customer_verified INTEGER NOT NULL,
    customer_mobile INTEGER NOT NULL,
    status INTEGER NOT NULL,
    holder BLOB,
    last_agent BLOB,
    head INTEGER NOT NULL,
    public_head INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    public_floor INTEGER NOT NULL,
    queued_ms INTEGER NOT NULL,
    waiting_ms INTEGER NOT NULL,
    waiting_seq INTEGER NOT NULL,
    due INTEGER NOT NULL,
    preview TEXT NOT NULL,
    answered INTEGER NOT NULL,
    customer_messages INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    words_role INTEGER,
    words_author BLOB,
    words_text TEXT,
    words_time_ms INTEGER,
    words_seq INTEGER,
    tags TEXT NOT NULL,
    visit INTEGER NOT NULL,
    moved_ms INTEGER NOT NULL,
    public_ms INTEGER NOT NULL,
    linked_to BLOB
) STRICT;
-- 3 is STATUS_CLOSED: what is queued or open is read at each start.
CREATE INDEX conversations_active ON conversations (id) WHERE status <> 3;

-- In order of arrival, so that a group commit of a hundred conversations writes a few pages and not a hundred. A page
-- of history is found by the index.
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL,
    seq INTEGER NOT NULL,
    public INTEGER NOT NULL,
    audience INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    role INTEGER NOT NULL,
    author BLOB,
    author_name TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    content BLOB NOT NULL,
    erased INTEGER NOT NULL,
    customer_messages INTEGER NOT NULL,
    salt BLOB,
    hash BLOB
) STRICT;
CREATE UNIQUE INDEX entries_by_seq ON entries (conversation, seq);

CREATE TABLE known (
    id BLOB NOT NULL,
    conversation BLOB NOT NULL,
    author BLOB NOT NULL,
    seq INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    PRIMARY KEY (id, conversation, author)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_by_time ON known (time_ms);

CREATE TABLE refusals (
    id BLOB NOT NULL,
    conversation BLOB NOT NULL,
    author BLOB NOT NULL,
    salt BLOB NOT NULL,
    hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    PRIMARY KEY (id, conversation, author)
) STRICT, WITHOUT ROWID;

CREATE TABLE feeds (
    kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (kind, owner)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_rows (
    kind INTEGER NOT NULL,
    owner BLOB NOT NULL,
    conversation BLOB NOT NULL,
    revision INTEGER NOT NULL,
    stands INTEGER NOT NULL,
    PRIMARY KEY (kind, owner, conversation)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX feed_rows_by_revision ON feed_rows (kind, owner, revision);

CREATE TABLE positions (
    conversation BLOB NOT NULL,
    role INTEGER NOT NULL,
    member BLOB NOT NULL,
    delivered INTEGER NOT NULL,
    read INTEGER NOT NULL,
    PRIMARY KEY (conversation, role, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE visits (
    conversation BLOB NOT NULL,
    first_seq INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    first_words TEXT NOT NULL,
    words_seq INTEGER NOT NULL,
    PRIMARY KEY (conversation, first_seq)
) STRICT, WITHOUT ROWID;
