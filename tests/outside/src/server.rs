//! The gateway's readers of requests' heads.

#[path = "../../../src-tauri/gateway/src/server/origin.rs"]
pub(crate) mod origin;

pub(crate) use origin::is_origin;
