//! What the gateway's machine is told, and what it wants done.
//!
//! The server's core thread owns the [`crate::Gateway`] and its store. It gathers what happened into a batch, calls
//! [`crate::Gateway::handle`], and does what comes out, in order. Nothing here waits: what takes long (argon2, checking
//! a signature) leaves as an output and comes back as an event.

use zuoxi_wire::v1::{ClientFrame, GatewayFrame};

use crate::load::Sample;
use crate::record::IdentityKey;

/// A connection, numbered by the server; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// How a connection came in, judged by the server from the request's `Origin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// No `Origin`: a program (desk, simulated customer). Agents and customers may log in.
    Native,
    /// `Origin` is the chat page's own. Customers alone may log in.
    Chat,
    /// Any other `Origin`: gets a problem and is closed.
    Foreign,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A WebSocket is open; nothing has been sent on it.
    Connected {
        /// Its number.
        connection: ConnectionId,
        /// 16 fresh random bytes for its hello.
        nonce: [u8; 16],
        /// Of the other end (without port), for limits.
        address: String,
        /// How it came in.
        door: Door,
    },
    /// A frame was read. Decode it with `zuoxi_wire::frame::decode_client`; [`crate::Gateway::is_logged_in`] tells
    /// which limit holds.
    Frame {
        /// From where.
        connection: ConnectionId,
        /// What came.
        frame: ClientFrame,
    },
    /// Bytes that are no frame, a text message, or more than a frame may have.
    BadFrame {
        /// From where.
        connection: ConnectionId,
        /// Too large (with the limit in bytes), else unreadable.
        too_large: Option<u64>,
    },
    /// The connection is gone, whoever ended it. The last event of a connection.
    Closed {
        /// Which.
        connection: ConnectionId,
    },
    /// Answer to [`Output::CheckPassword`].
    PasswordChecked {
        /// Whose.
        connection: ConnectionId,
        /// The password fits the hash.
        ok: bool,
    },
    /// Answer to [`Output::HashPassword`].
    PasswordHashed {
        /// Whose.
        connection: ConnectionId,
        /// argon2id in PHC form; none: hashing failed.
        hash: Option<String>,
    },
    /// Answer to [`Output::VerifyIdentity`].
    IdentityVerified {
        /// Whose.
        connection: ConnectionId,
        /// What the token says, if its signature and form are right. Claims are judged by the rules, not by the server.
        claims: Option<Claims>,
    },
    /// Brands, teams or agents in the store were changed by the administrator: read them anew.
    FactsChanged,
    /// The gateway stops: tell everybody, take nothing more.
    Stop {
        /// When devices shall come back, milliseconds; each is told a moment of its own up to twice that.
        come_back_ms: u32,
    },
    /// How loaded the core is: judged before what else comes in this batch.
    Load(Sample),
    /// Time went by: the moment of [`Output::WakeAt`] has come, or any other.
    Tick,
}

/// Claims of an identity token whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// `sub`: the merchant's id for the customer.
    pub subject: String,
    /// `name`: to be shown; empty: the subject is.
    pub name: String,
    /// `aud`, each of them.
    pub audience: Vec<String>,
    /// `exp`, milliseconds UTC.
    pub expires_ms: u64,
    /// `nonce`: the hello's, in hex.
    pub nonce: String,
    /// `jti`.
    pub token_id: String,
}

/// What the server does next, in order. Everything that speaks of stored things comes after their COMMIT.
#[derive(Debug, Clone, PartialEq)]
// Nearly all of them are the large one.
#[allow(clippy::large_enum_variant)]
pub enum Output {
    /// Send this frame.
    Send {
        /// To whom.
        connection: ConnectionId,
        /// What.
        frame: GatewayFrame,
    },
    /// Close it, after what was sent before has left. [`Event::Closed`] follows.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// Check a password off the core thread (argon2 takes tens of milliseconds).
    CheckPassword {
        /// Whose log-in waits for it.
        connection: ConnectionId,
        /// PHC string; none: no such agent. Then check against any hash and answer `ok: false`, so that the time tells
        /// nothing.
        hash: Option<String>,
        /// As typed; secret.
        password: String,
    },
    /// Hash a new password with argon2id off the core thread.
    HashPassword {
        /// Whose request waits for it.
        connection: ConnectionId,
        /// As typed; secret.
        password: String,
    },
    /// Check an identity token's signature off the core thread: with this one algorithm and key and no other.
    VerifyIdentity {
        /// Whose request waits for it.
        connection: ConnectionId,
        /// Compact JWS.
        jwt: String,
        /// Of the brand.
        key: IdentityKey,
    },
    /// Call with [`Event::Tick`] at this time at the latest; replaces what was said before.
    WakeAt {
        /// Milliseconds UTC.
        ms: u64,
    },
}
