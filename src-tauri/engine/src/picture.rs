//! Agents' public pictures: what is taken as one. A gateway is asked for them, but never trusted with what a webview
//! decodes.

use bytes::Bytes;
use zuoxi_wire::limits;

/// Pixels that are decoded at most: a small file can unfold to gigabytes.
const PIXELS: u64 = 4 * 1024 * 1024;

/// A picture that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    kind: Kind,
    bytes: Bytes,
}

/// What it is, by its first bytes. Never SVG: that is a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    WebP,
}

impl Picture {
    /// These bytes as a picture; `None`: they are too many, something else, or too large to be drawn.
    pub fn read(bytes: Bytes) -> Option<Self> {
        let kind = kind(&bytes)?;
        let (width, height) = match kind {
            Kind::Png => png_size(&bytes)?,
            Kind::Jpeg => jpeg_size(&bytes)?,
            Kind::WebP => webp_size(&bytes)?,
        };
        let pixels = u64::from(width) * u64::from(height);
        let fits = bytes.len() as u64 <= limits::AVATAR_BYTES && (1..=PIXELS).contains(&pixels);
        fits.then_some(Self { kind, bytes })
    }

    /// `image/png`, `image/jpeg` or `image/webp`.
    pub fn content_type(&self) -> &'static str {
        match self.kind {
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::WebP => "image/webp",
        }
    }

    /// The file.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some(Kind::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(Kind::Jpeg)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(Kind::WebP)
    } else {
        None
    }
}

/// The number at a place, of one to four bytes.
fn big(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    let digits = bytes.get(from..from + count)?;
    Some(digits.iter().fold(0, |number, digit| (number << 8) | u32::from(*digit)))
}

fn little(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    let digits = bytes.get(from..from + count)?;
    let number = digits.iter().rev();
    Some(number.fold(0, |number, digit| (number << 8) | u32::from(*digit)))
}

/// Width and height: IHDR is the first chunk.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    (bytes.get(12..16)? == b"IHDR").then_some(())?;
    Some((big(bytes, 16, 4)?, big(bytes, 20, 4)?))
}

/// Width and height of the one frame; segments before it are passed over.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = big(bytes, at, 2)?;
        match marker {
            // Filling before a marker.
            0xffff => at += 1,
            // Huffman tables, arithmetic coding and extensions stand among the frames' numbers.
            0xffc4 | 0xffc8 | 0xffcc => at = after(bytes, at)?,
            0xffc0..=0xffcf => return Some((big(bytes, at + 7, 2)?, big(bytes, at + 5, 2)?)),
            // The picture itself begins without a frame that says how large it is.
            0xffda => return None,
            0xff01..=0xfffe => at = after(bytes, at)?,
            _ => return None,
        }
    }
}

/// Where the next segment begins.
fn after(bytes: &[u8], at: usize) -> Option<usize> {
    let length = big(bytes, at + 2, 2)? as usize;
    (length >= 2).then_some(at + 2 + length)
}

/// Width and height by the first chunk, of which there are three kinds.
fn webp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => {
            (bytes.get(23..26)? == b"\x9d\x01\x2a").then_some(())?;
            Some((little(bytes, 26, 2)? & 0x3fff, little(bytes, 28, 2)? & 0x3fff))
        }
        b"VP8L" => {
            (bytes.get(20)? == &0x2f).then_some(())?;
            let packed = little(bytes, 21, 4)?;
            Some(((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1))
        }
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &sizes, b"\x08\x06\0\0\0"].concat()
    }

    fn jpeg(frame: u8) -> Vec<u8> {
        let before = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc4\0\x03x";
        [before.as_slice(), &[0xff, frame], b"\0\x11\x08\0\x40\0\x80\x03rest"].concat()
    }

    fn webp(chunk: &[u8], rest: &[u8]) -> Vec<u8> {
        [b"RIFF\x40\0\0\0WEBP", chunk, b"\x30\0\0\0", rest].concat()
    }

    fn read(bytes: &[u8]) -> Option<&'static str> {
        Picture::read(Bytes::copy_from_slice(bytes)).map(|picture| picture.content_type())
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(read(&png(128, 128)), Some("image/png"));
        for frame in [0xc0, 0xc2] {
            assert_eq!(read(&jpeg(frame)), Some("image/jpeg"));
            assert_eq!(jpeg_size(&jpeg(frame)), Some((128, 64)));
        }
        let lossy = webp(b"VP8 ", b"\x10\x02\0\x9d\x01\x2a\x80\0\x40\xc0more");
        let lossless = webp(b"VP8L", b"\x2f\x7f\xc0\x0f\x10more");
        let extended = webp(b"VP8X", b"\x10\0\0\0\x7f\0\0\x3f\0\0more");
        for file in [lossy, lossless, extended] {
            assert_eq!(read(&file), Some("image/webp"));
            assert_eq!(webp_size(&file), Some((128, 64)));
        }
    }

    #[test]
    fn documents_and_what_is_cut_are_no_pictures() {
        for bytes in [
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice(),
            b"<html><script>alert(1)</script>",
            b"GIF89a\x10\0\x10\0",
            b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
            b"",
        ] {
            assert_eq!(read(bytes), None);
        }
        // As far as it must be read, and so far that a byte is missing.
        let extended = webp(b"VP8X", b"\x10\0\0\0\x7f\0\0\x3f\0\0");
        for (file, needed) in [(png(9, 9), 24), (jpeg(0xc0), 23), (extended, 30)] {
            let part = |bytes: usize| read(file.get(..bytes).unwrap_or_default());
            assert!(part(needed).is_some());
            for cut in 0..needed {
                assert_eq!(part(cut), None);
            }
        }
        // Without an end, and one that goes back to where it came from.
        assert_eq!(read(&[0xff; 1000]), None);
        assert_eq!(read(b"\xff\xd8\xff\xe0\0\0\xff\xe0\0\0"), None);
    }

    #[test]
    fn what_would_fill_the_memory_is_not_shown() {
        assert_eq!(read(&png(2048, 2048)), Some("image/png"));
        assert_eq!(read(&png(2049, 2048)), None);
        assert_eq!(read(&png(u32::MAX, u32::MAX)), None);
        assert_eq!(read(&png(0, 9)), None);
        let mut most = png(9, 9);
        most.resize(limits::AVATAR_BYTES as usize, 0);
        assert!(read(&most).is_some());
        most.push(0);
        assert_eq!(read(&most), None);
    }
}
