-- Public pictures of agents: PNG, JPEG or WebP, told apart by their first bytes each time. `hash` is SHA-256 of `bytes`.
CREATE TABLE avatars (
    agent BLOB PRIMARY KEY,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
