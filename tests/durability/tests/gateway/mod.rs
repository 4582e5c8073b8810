//! What a gateway's store should hold, in a few maps.

pub(crate) mod model;
pub(crate) mod reads;
