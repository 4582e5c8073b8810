// Generated from src-tauri/wire/src/limits.rs by `cargo xtask generate`. Don't edit.

/** Unicode scalar values of a text. A long answer is 500; more is a file. */
export const TEXT_SCALARS = 4000;

/** Bytes of a text in UTF-8: four for each scalar value. */
export const TEXT_BYTES = 16000;

/** Bytes of a file. */
export const FILE_BYTES = 20971520;

/** Bytes of one frame, before decoding: a page of 500 entries, with room. */
export const FRAME_BYTES = 1048576;

/** Bytes of one frame before log-in: nobody unknown makes us hold more. */
export const FIRST_FRAME_BYTES = 16384;

/** Milliseconds until the client's first frame must be there. */
export const FIRST_FRAME_MS = 5000;

/** Bytes of a block's content once decoded: refused before it is decompressed, and while it is. */
export const BLOCK_DECODED_BYTES = 1048576;

/** Seqs of a block: ranges are 1 to 64, 65 to 128 and so on. */
export const BLOCK_SEQS = 64;

/** Milliseconds of quiet after which a log's tail is sealed short: a day. */
export const BLOCK_QUIET_MS = 86400000;

/** Entries of a page. */
export const PAGE_ENTRIES = 500;

/** Rows of a feed page. */
export const FEED_PAGE_ROWS = 500;

/** Bytes of an act's content: the largest text with its envelope. */
export const CONTENT_BYTES = 20000;

/** Acts of one frame. */
export const ACTS_PER_FRAME = 256;

/** Acts in flight in one lane: a burst of typing, not a flood. */
export const WINDOW_ACTS = 32;

/** Pushes in flight on one connection without ACK. */
export const WINDOW_PUSHES = 512;

/** Bytes of pushes in flight on one connection without ACK. */
export const WINDOW_BYTES = 2097152;

/** Milliseconds until a push must be acknowledged, or the connection is dropped. */
export const ACK_MS = 30000;

/** Milliseconds within which a device acknowledges. */
export const ACK_EVERY_MS = 100;

/** Pushes after which a device acknowledges at once. */
export const ACK_EVERY_PUSHES = 64;

/** Milliseconds between heartbeats. */
export const HEARTBEAT_MS = 10000;

/** Milliseconds that a gap waits for the missing push before it is pulled. */
export const GAP_WAIT_MS = 200;

/** Conversations one connection watches. */
export const WATCHES = 8;

/** Scalar values of a preview. */
export const PREVIEW_SCALARS = 80;

/** Tags of a customer. */
export const TAGS = 20;

/** Scalar values of a tag. */
export const TAG_SCALARS = 20;

/** Ranges of one Compare. */
export const COMPARE_RANGES = 64;

/** Milliseconds for which the index of ids remembers an acceptance: 30 days. */
export const ID_MEMORY_MS = 2592000000;

/** Milliseconds after which typing ends by itself. */
export const TYPING_MS = 6000;

/** Milliseconds after which a reply that another agent overtook is stale, unless the team says otherwise. */
export const STALE_MS = 300000;

/** Bytes of an agent's public picture: 128 by 128 pixels are enough, and a gateway holds all of them in memory. */
export const AVATAR_BYTES = 131072;

/** Customers who are counted before another one in a queue; this many means this many or more. Nobody waits to hear that they are the 1,204th, and all behind would be told each time one in front leaves. */
export const QUEUE_AHEAD = 99;

/** Bytes of a JWT. */
export const JWT_BYTES = 4096;

/** Milliseconds that a JWT may lie ahead of its expiry. */
export const JWT_AHEAD_MS = 300000;

/** Bytes of a log-in name. */
export const LOGIN_BYTES = 64;

/** Bytes of a password, at most. */
export const PASSWORD_BYTES = 256;

/** Bytes of a new password, at least. */
export const PASSWORD_MIN_BYTES = 8;

/** Bytes of a page's address; longer ones are cut. */
export const URL_BYTES = 1024;

/** Bytes of a User-Agent; longer ones are cut. */
export const BROWSER_BYTES = 512;

/** Bytes of WebSocket read buffer for each connection (tungstenite's own default costs 135 KB an idle connection). */
export const READ_BUFFER_BYTES = 4096;
