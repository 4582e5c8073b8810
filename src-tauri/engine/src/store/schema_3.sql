-- Agents' public pictures, as they were fetched last.
CREATE TABLE pictures (
    place INTEGER PRIMARY KEY AUTOINCREMENT, -- order of fetching
    agent BLOB NOT NULL UNIQUE CHECK (length(agent) = 16),
    tag   TEXT NOT NULL,                     -- the gateway's entity tag; '': none
    bytes BLOB NOT NULL
) STRICT;
