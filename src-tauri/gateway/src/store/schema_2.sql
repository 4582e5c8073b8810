-- Sealed blocks, of the agents' log (audience 1) and of the customer's (0). `start` is the first Seq of the fixed range,
-- `bytes` the wire's Block as it is served.
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    conversation BLOB NOT NULL,
    audience INTEGER NOT NULL,
    start INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX blocks_by_start ON blocks (conversation, audience, start);
