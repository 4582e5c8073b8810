//! The client engine: everything that must not fail, with no Tauri in it.

pub mod view;
