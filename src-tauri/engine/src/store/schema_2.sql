-- Sealed blocks, in place of the entries of their Seqs: a Seq stands in one of the two tables.
CREATE TABLE blocks (
    place  INTEGER PRIMARY KEY, -- conversation number * 2^40 + first Seq of the fixed range
    first  INTEGER NOT NULL,    -- first and last Seq in it
    last   INTEGER NOT NULL,
    erased INTEGER NOT NULL,    -- bit n: the entry at the range's first Seq + n has no content
    bytes  BLOB NOT NULL        -- the wire's Block, as it came
) STRICT;
