//! Agents' public pictures: what is taken as one, and all of them in memory, so that no request reads the disk.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use zuoxi_rules::record::Avatar;
use zuoxi_rules::store::{Store, Stored};
use zuoxi_wire::{Id, limits};

/// Why a file isn't taken as a picture.
#[derive(Debug, thiserror::Error)]
pub enum AvatarError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is too large.
    #[error("{0} is larger than {most} KiB: make the picture smaller, 128 by 128 pixels are enough", most = limits::AVATAR_BYTES / 1024)]
    TooLarge(PathBuf),
    /// It is something else, whatever its name says.
    #[error("{0} is no PNG, JPEG or WebP picture, by its first bytes: save it as one of these")]
    NoPicture(PathBuf),
}

/// An agent's picture from a file.
///
/// # Errors
/// See [`AvatarError`].
pub fn read(agent: Id, path: &Path) -> Result<Avatar, AvatarError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(limits::AVATAR_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| AvatarError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > limits::AVATAR_BYTES {
        return Err(AvatarError::TooLarge(path.to_owned()));
    }
    if kind(&bytes).is_none() {
        return Err(AvatarError::NoPicture(path.to_owned()));
    }
    Ok(Avatar {
        agent,
        hash: Sha256::digest(&bytes).into(),
        bytes: bytes.into(),
    })
}

/// The content type of a picture by its first bytes; none: it isn't one that we show. Never SVG: that is a document.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

/// A picture as it is served.
#[derive(Debug)]
pub struct Picture {
    hash: [u8; 32],
    /// Content type.
    pub kind: &'static str,
    /// Entity tag, with its quotes.
    pub tag: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Picture {
    fn of(avatar: Avatar) -> Option<Self> {
        let number = avatar
            .hash
            .iter()
            .take(16)
            .fold(0u128, |n, byte| (n << 8) | u128::from(*byte));
        Some(Self {
            hash: avatar.hash,
            kind: kind(&avatar.bytes)?,
            tag: format!("\"{number:032x}\""),
            bytes: avatar.bytes,
        })
    }
}

/// All pictures, by agent.
pub type Pictures = BTreeMap<Id, Arc<Picture>>;

/// The pictures as the store has them; only those that aren't known are read.
///
/// # Errors
/// The store failed.
pub fn pictures(store: &mut impl Store, known: &Pictures) -> Stored<Pictures> {
    let mut pictures = Pictures::new();
    for (agent, hash) in store.avatars()? {
        let picture = match known.get(&agent).filter(|picture| picture.hash == hash) {
            Some(picture) => Some(Arc::clone(picture)),
            None => store.avatar(agent)?.and_then(Picture::of).map(Arc::new),
        };
        if let Some(picture) = picture {
            pictures.insert(agent, picture);
        }
    }
    Ok(pictures)
}
