//! What the load says and hears, in the words of the server that it measures.

use std::net::SocketAddr;

use bytes::Bytes;
use zuoxi_wire::Id;

use crate::Outcome;
use crate::link::Link;

/// What a frame from the server means to the load.
pub(crate) enum Heard {
    /// This id is durable.
    Ack(Id),
    /// An agent gets an entry of a conversation: conversation, Seq, whether it is a customer's message and is their last.
    Push {
        conversation: Id,
        seq: u64,
        message: bool,
        last: bool,
    },
}

/// One side of a conversation with a server.
pub(crate) trait Dialect: Send + Sized + 'static {
    /// A customer on a connection of their own, ready to send.
    fn customer(server: SocketAddr, number: u32) -> impl Future<Output = Outcome<(Self, Link)>> + Send;
    /// An agent on a connection of their own, ready to receive.
    fn agent(server: SocketAddr, number: u32) -> impl Future<Output = Outcome<(Self, Link)>> + Send;
    /// Puts messages into the link, in as few frames as a client of this kind makes of what it does at once.
    fn send(&mut self, messages: &[(Id, &str)], link: &mut Link);
    /// What a frame says.
    fn hear(&mut self, frame: Bytes, heard: &mut Vec<Heard>) -> Outcome;
    /// A frame that confirms what was heard since the last one; `None`: nothing.
    fn confirm(&mut self) -> Option<Bytes>;
}

/// Text of each customer's last message.
pub(crate) const LAST: &str = "再见。";
