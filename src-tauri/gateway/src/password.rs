//! Passwords: argon2id in PHC form. Both ways take tens of milliseconds on purpose: never on the core thread.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Checked against where there is no such agent, so that the time tells nothing.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody has this password"));

/// argon2id in PHC form with a fresh salt; none: the system gave no memory or no randomness.
pub fn hash(password: &str) -> Option<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .ok()
        .map(|hash| hash.to_string())
}

/// Whether the password fits; always `false` without a hash, after the same time.
pub fn fits(password: &str, stored: Option<&str>) -> bool {
    let fits = |text: &str| {
        PasswordHash::new(text).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    };
    if let Some(stored) = stored {
        return fits(stored);
    }
    if let Some(nobody) = NOBODY.as_deref() {
        let _ = fits(nobody);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(fits("correct horse", Some(&stored)));
        assert!(!fits("correct horsf", Some(&stored)));
        assert!(!fits("nobody has this password", None));
        assert!(!fits("", Some("not a hash")));
    }
}
