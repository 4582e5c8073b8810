//! Identity tokens of merchants: signature and form. What the claims say is judged by the rules.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use zuoxi_rules::Claims;
use zuoxi_rules::record::IdentityKey;

/// Why a brand's key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// An algorithm that isn't taken.
    #[error("the algorithm is one of HS256, ES256, EdDSA, RS256")]
    Algorithm,
    /// A shared secret that can be guessed.
    #[error("a shared secret has at least 32 bytes")]
    Short,
    /// Not a public key of that algorithm.
    #[error("the key is no public key in PEM for this algorithm: {0}")]
    Pem(String),
}

/// RFC 7518, 3.2: an HMAC key is at least as long as its hash.
const SECRET_BYTES: usize = 32;

/// Checks that a key can be used, as `brand add` and `doctor` do.
///
/// # Errors
/// See [`KeyError`].
pub fn check_key(key: &IdentityKey) -> Result<(), KeyError> {
    if key.algorithm == "HS256" && key.key.len() < SECRET_BYTES {
        return Err(KeyError::Short);
    }
    decoding(key).map(|_| ())
}

fn decoding(key: &IdentityKey) -> Result<(Algorithm, DecodingKey), KeyError> {
    let pem = |error: jsonwebtoken::errors::Error| KeyError::Pem(error.to_string());
    match key.algorithm.as_str() {
        "HS256" => Ok((Algorithm::HS256, DecodingKey::from_secret(&key.key))),
        "ES256" => Ok((Algorithm::ES256, DecodingKey::from_ec_pem(&key.key).map_err(pem)?)),
        "EdDSA" => Ok((Algorithm::EdDSA, DecodingKey::from_ed_pem(&key.key).map_err(pem)?)),
        "RS256" => Ok((Algorithm::RS256, DecodingKey::from_rsa_pem(&key.key).map_err(pem)?)),
        _ => Err(KeyError::Algorithm),
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Payload {
    sub: String,
    #[serde(default)]
    name: String,
    aud: Audience,
    /// Seconds UTC; RFC 7519 allows a fraction.
    exp: f64,
    nonce: String,
    jti: String,
}

/// What the token says, if its signature is by this one algorithm and key and its form is right.
pub fn verify(jwt: &str, key: &IdentityKey) -> Option<Claims> {
    let (algorithm, decoding) = decoding(key).ok()?;
    let mut validation = Validation::new(algorithm);
    // The rules judge these, by the gateway's own clock; `nbf` alone is judged here, where it is seen.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.validate_nbf = true;
    validation.required_spec_claims.clear();
    let payload = jsonwebtoken::decode::<Payload>(jwt, &decoding, &validation)
        .ok()?
        .claims;
    Some(Claims {
        subject: payload.sub,
        name: payload.name,
        audience: match payload.aud {
            Audience::One(one) => vec![one],
            Audience::Many(many) => many,
        },
        expires_ms: (payload.exp * 1000.0) as u64,
        nonce: payload.nonce,
        token_id: payload.jti,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{EncodingKey, Header};

    fn key() -> IdentityKey {
        IdentityKey {
            algorithm: "HS256".into(),
            key: vec![7; 32],
        }
    }

    fn token(algorithm: Algorithm, secret: &[u8], claims: &serde_json::Value) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
    }

    #[test]
    fn a_token_of_this_key_and_algorithm_is_read_and_no_other() {
        let claims = serde_json::json!({"sub": "u1", "name": "王芳", "aud": "brand", "exp": 1_800_000_000, "nonce": "ab", "jti": "1"});
        let read = verify(&token(Algorithm::HS256, &[7; 32], &claims), &key()).unwrap();
        assert_eq!(read.subject, "u1");
        assert_eq!(read.audience, ["brand"]);
        assert_eq!(read.expires_ms, 1_800_000_000_000);
        assert_eq!(verify(&token(Algorithm::HS256, &[8; 32], &claims), &key()), None);
        assert_eq!(verify(&token(Algorithm::HS512, &[7; 32], &claims), &key()), None);
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.";
        assert_eq!(verify(unsigned, &key()), None);
    }

    #[test]
    fn a_token_without_nonce_or_id_is_refused() {
        for missing in ["sub", "aud", "exp", "nonce", "jti"] {
            let mut claims = serde_json::json!({"sub": "u1", "aud": ["brand"], "exp": 1, "nonce": "ab", "jti": "1"});
            claims.as_object_mut().unwrap().remove(missing);
            assert_eq!(
                verify(&token(Algorithm::HS256, &[7; 32], &claims), &key()),
                None,
                "{missing}"
            );
        }
    }

    #[test]
    fn a_secret_that_is_too_short_is_refused_when_it_is_set() {
        let short = IdentityKey {
            algorithm: "HS256".into(),
            key: vec![7; 31],
        };
        assert_eq!(check_key(&short), Err(KeyError::Short));
        assert_eq!(check_key(&key()), Ok(()));
    }
}
