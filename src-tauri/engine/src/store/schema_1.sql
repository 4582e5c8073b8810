-- One row: what concerns the whole account.
CREATE TABLE account (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    epoch      INTEGER NOT NULL, -- the gateway's log epoch, its 64 bits; 0: never told
    last_place INTEGER NOT NULL  -- highest place ever given in the outbox
) STRICT;
INSERT INTO account VALUES (1, 0, 0);

-- Numbers for conversations, so that an entry's key is one integer. Never used twice.
CREATE TABLE conversations (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation BLOB NOT NULL UNIQUE CHECK (length(conversation) = 16),
    state        BLOB -- record.rs, LogRecord; NULL: not told yet
) STRICT;

-- What stood under a number that its conversation no longer has: to be deleted, never read.
CREATE TABLE doomed (
    number       INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL
) STRICT;
CREATE INDEX doomed_conversation ON doomed (conversation);

CREATE TABLE entries (
    place  INTEGER PRIMARY KEY, -- conversation number * 2^40 + Seq
    erased INTEGER NOT NULL,    -- 1: without content, for ever
    bytes  BLOB NOT NULL        -- the wire's Entry, as it came
) STRICT;

CREATE TABLE feeds (
    kind       INTEGER NOT NULL,
    id         BLOB NOT NULL,
    feed_epoch INTEGER NOT NULL, -- its 64 bits
    revision   INTEGER NOT NULL,
    partial    INTEGER NOT NULL, -- 1: more was to follow
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_rows (
    kind         INTEGER NOT NULL,
    id           BLOB NOT NULL,
    conversation BLOB NOT NULL,
    revision     INTEGER NOT NULL,
    summary      BLOB NOT NULL, -- the wire's Summary
    PRIMARY KEY (kind, id, conversation)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    place        INTEGER PRIMARY KEY, -- order of doing, over all conversations
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    conversation BLOB,                -- NULL: a customer's that isn't made yet
    kind         INTEGER NOT NULL,    -- the wire's ActKind
    content      BLOB NOT NULL,
    base         INTEGER NOT NULL,
    done_ms      INTEGER NOT NULL,    -- local clock, milliseconds UTC
    left         INTEGER NOT NULL,    -- 1: may have left this device
    state        INTEGER NOT NULL,    -- 1 waiting, 2 voided, 3 parked, 4 lost
    parked       BLOB                 -- record.rs, ParkedRecord; for state 3 alone
) STRICT;

CREATE TABLE drafts (
    conversation BLOB PRIMARY KEY,
    text         TEXT NOT NULL,
    note         TEXT NOT NULL,
    on_note      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account_values (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
