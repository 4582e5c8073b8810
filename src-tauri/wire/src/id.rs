//! Ids of 16 bytes: UUIDs, big-endian, so that byte order is time order for UUIDv7.

use std::fmt;

use bytes::Bytes;

/// A message, conversation, agent, customer, team, brand or device id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(pub [u8; 16]);

/// The bytes or text are no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 16 bytes, or 32 hexadecimal digits with or without hyphens")]
pub struct IdError;

impl Id {
    /// A UUIDv7 (RFC 9562) from milliseconds UTC and randomness that the caller brings.
    pub fn v7(unix_ms: u64, random: [u8; 10]) -> Self {
        Self(
            *uuid::Builder::from_unix_timestamp_millis(unix_ms, &random)
                .as_uuid()
                .as_bytes(),
        )
    }

    /// Milliseconds UTC in a UUIDv7.
    pub fn unix_ms(&self) -> u64 {
        self.0.iter().take(6).fold(0, |ms, byte| (ms << 8) | u64::from(*byte))
    }

    /// As protobuf bytes.
    pub fn to_bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    /// From protobuf bytes; `None` for the empty field, which means "none".
    ///
    /// # Errors
    /// Any length but 0 and 16.
    pub fn optional(bytes: &[u8]) -> Result<Option<Self>, IdError> {
        if bytes.is_empty() {
            Ok(None)
        } else {
            Self::try_from(bytes).map(Some)
        }
    }
}

impl TryFrom<&[u8]> for Id {
    type Error = IdError;
    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError)
    }
}

impl TryFrom<&Bytes> for Id {
    type Error = IdError;
    fn try_from(bytes: &Bytes) -> Result<Self, IdError> {
        Self::try_from(bytes.as_ref())
    }
}

impl std::str::FromStr for Id {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        uuid::Uuid::try_parse(text)
            .map(|uuid| Self(*uuid.as_bytes()))
            .map_err(|_| IdError)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_bytes_ref(&self.0).fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
