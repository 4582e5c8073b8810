//! The client engine: everything that must not fail, with no Tauri in it.

mod call_error;
mod desk;
mod hub;
pub mod inbox;
mod language;
pub mod net;
mod picture;
pub mod store;
mod surroundings;
pub mod view;

const _: () = assert!(
    !zuoxi_protocol::PLANTED && !zuoxi_timeline::PLANTED,
    "an engine is never built with planted faults"
);

pub use desk::{Engine, EngineConfig, KnownAccount, PassphraseNeed, Start, SystemEvent, Trouble, Unsent, WindowId};
pub use picture::Picture;
pub use zuoxi_timeline as timeline;

pub use surroundings::{Clock, Randomness, Surroundings, TimeZone};
