//! What people may write, counted alike by devices and gateway.

use crate::limits;

/// Why a text can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("an empty text")]
    Empty,
    /// More scalar values or bytes than a text may have.
    #[error("a text of more than {} characters", limits::TEXT_SCALARS)]
    TooLong,
    /// A control character other than newline and tab.
    #[error("a text with control characters")]
    Control,
}

/// Checks a message's or note's text. Right-to-left marks pass: they are ordinary text in Hebrew and Arabic, and each
/// reader isolates a text's direction.
///
/// # Errors
/// Empty, too long, or with control characters.
pub fn check_text(text: &str) -> Result<(), TextError> {
    if text.len() as u64 > limits::TEXT_BYTES || text.chars().count() as u64 > limits::TEXT_SCALARS {
        return Err(TextError::TooLong);
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(TextError::Control);
    }
    if text.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(TextError::Empty);
    }
    Ok(())
}

/// Zero-width characters and direction marks: alone they make no message.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{00ad}')
}

/// The first [`limits::PREVIEW_SCALARS`] scalar values, with white space folded.
pub fn preview(text: &str) -> String {
    let most = text.len().min(4 * limits::PREVIEW_SCALARS as usize);
    let mut out = String::with_capacity(most);
    let mut count = 0;
    for word in text.split_whitespace() {
        if count > 0 && count < limits::PREVIEW_SCALARS {
            out.push(' ');
            count += 1;
        }
        for c in word.chars().take((limits::PREVIEW_SCALARS - count) as usize) {
            out.push(c);
            count += 1;
        }
        if count >= limits::PREVIEW_SCALARS {
            break;
        }
    }
    out
}
