//! Every limit of the protocol, each with its unit and its reason. Nothing else in the workspace states one.
//!
//! `cargo xtask generate` writes the same numbers for TypeScript (`ui/src/gen/limits.ts`).

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:expr;)+) => {
        $($(#[doc = $doc])+ pub const $name: u64 = $value;)+
        /// All limits by name, for generators and for tests.
        pub const ALL: &[(&str, u64, &str)] = &[$((stringify!($name), $value, concat!($($doc, "\n"),+))),+];
    };
}

limits! {
    /// Unicode scalar values of a text. A long answer is 500; more is a file.
    TEXT_SCALARS = 4_000;
    /// Bytes of a text in UTF-8: four for each scalar value.
    TEXT_BYTES = 16_000;
    /// Bytes of a file.
    FILE_BYTES = 20 * 1024 * 1024;
    /// Bytes of one frame, before decoding: a page of 500 entries, with room.
    FRAME_BYTES = 1024 * 1024;
    /// Bytes of one frame before log-in: nobody unknown makes us hold more.
    FIRST_FRAME_BYTES = 16 * 1024;
    /// Milliseconds until the client's first frame must be there.
    FIRST_FRAME_MS = 5_000;
    /// Bytes of a block's content once decoded: refused before it is decompressed, and while it is.
    BLOCK_DECODED_BYTES = 1024 * 1024;
    /// Seqs of a block: ranges are 1 to 64, 65 to 128 and so on.
    BLOCK_SEQS = 64;
    /// Milliseconds of quiet after which a log's tail is sealed short: a day.
    BLOCK_QUIET_MS = 24 * 3_600_000;
    /// Entries of a page.
    PAGE_ENTRIES = 500;
    /// Rows of a feed page.
    FEED_PAGE_ROWS = 500;
    /// Bytes of an act's content: the largest text with its envelope.
    CONTENT_BYTES = 20_000;
    /// Acts of one frame.
    ACTS_PER_FRAME = 256;
    /// Acts in flight in one lane: a burst of typing, not a flood.
    WINDOW_ACTS = 32;
    /// Pushes in flight on one connection without ACK.
    WINDOW_PUSHES = 512;
    /// Bytes of pushes in flight on one connection without ACK.
    WINDOW_BYTES = 2 * 1024 * 1024;
    /// Milliseconds until a push must be acknowledged, or the connection is dropped.
    ACK_MS = 30_000;
    /// Milliseconds within which a device acknowledges.
    ACK_EVERY_MS = 100;
    /// Pushes after which a device acknowledges at once.
    ACK_EVERY_PUSHES = 64;
    /// Milliseconds between heartbeats.
    HEARTBEAT_MS = 10_000;
    /// Milliseconds that a gap waits for the missing push before it is pulled.
    GAP_WAIT_MS = 200;
    /// Conversations one connection watches.
    WATCHES = 8;
    /// Scalar values of a preview.
    PREVIEW_SCALARS = 80;
    /// Tags of a customer.
    TAGS = 20;
    /// Scalar values of a tag.
    TAG_SCALARS = 20;
    /// Ranges of one Compare.
    COMPARE_RANGES = 64;
    /// Milliseconds for which the index of ids remembers an acceptance: 30 days.
    ID_MEMORY_MS = 30 * 24 * 3_600_000;
    /// Milliseconds after which typing ends by itself.
    TYPING_MS = 6_000;
    /// Milliseconds after which a reply that another agent overtook is stale, unless the team says otherwise.
    STALE_MS = 300_000;
    /// Bytes of an agent's public picture: 128 by 128 pixels are enough, and a gateway holds all of them in memory.
    AVATAR_BYTES = 128 * 1024;
    /// Customers who are counted before another one in a queue; this many means this many or more. Nobody waits to hear
    /// that they are the 1,204th, and all behind would be told each time one in front leaves.
    QUEUE_AHEAD = 99;
    /// Bytes of a JWT.
    JWT_BYTES = 4 * 1024;
    /// Milliseconds that a JWT may lie ahead of its expiry.
    JWT_AHEAD_MS = 300_000;
    /// Bytes of a log-in name.
    LOGIN_BYTES = 64;
    /// Bytes of a password, at most.
    PASSWORD_BYTES = 256;
    /// Bytes of a new password, at least.
    PASSWORD_MIN_BYTES = 8;
    /// Bytes of a page's address; longer ones are cut.
    URL_BYTES = 1_024;
    /// Bytes of a User-Agent; longer ones are cut.
    BROWSER_BYTES = 512;
    /// Bytes of WebSocket read buffer for each connection (tungstenite's own default costs 135 KB an idle connection).
    READ_BUFFER_BYTES = 4 * 1024;
}
