//! The key under which addresses are kept (003-095): XChaCha20-Poly1305, with a fresh nonce in front
//! of each value. The key is brought by the process (`SERVERY_FIELD_KEY`), never stored; the demo has its own.

use crate::domain::error::Refused;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Length of a nonce in bytes.
const NONCE: usize = 24;

/// A key for values that only the house may read.
#[derive(Clone)]
pub struct FieldKey {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for FieldKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FieldKey(…)")
    }
}

impl FieldKey {
    /// A key from a secret of at least 32 characters.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `SERVERY_FIELD_KEY` for a shorter secret.
    pub fn from_secret(secret: &str) -> Result<Self, Refused> {
        if secret.trim().len() < 32 {
            return Err(Refused::invalid("SERVERY_FIELD_KEY", "The key for addresses needs at least 32 characters.")
                .help("Make one with: openssl rand -hex 32"));
        }
        Ok(Self::digested(secret.trim()))
    }

    /// The key that the demo brings: published, so that every process of a demo has it. Never for a real site.
    #[must_use]
    pub fn demo() -> Self {
        Self::digested("the key of the demo, where nothing is real")
    }

    fn digested(secret: &str) -> Self {
        let key = Key::from(<[u8; 32]>::from(Sha256::digest(secret.as_bytes())));
        Self { cipher: XChaCha20Poly1305::new(&key) }
    }

    /// Encrypts `plain` for the row `row`; the two ids make the nonce, and must be new.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if the cipher refuses.
    pub fn seal(&self, row: Uuid, plain: &str, fresh: (Uuid, Uuid)) -> Result<Vec<u8>, Refused> {
        let mut nonce = [0_u8; NONCE];
        for (slot, byte) in nonce.iter_mut().zip(fresh.0.as_bytes().iter().chain(fresh.1.as_bytes().iter().skip(8))) {
            *slot = *byte;
        }
        let payload = Payload { msg: plain.as_bytes(), aad: row.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Refused::internal("a value was not sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what was sealed for the row.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` for another key, another row, or a damaged value.
    pub fn open(&self, row: Uuid, sealed: &[u8]) -> Result<String, Refused> {
        let damaged = || Refused::internal("a sealed value cannot be opened with this key");
        let (nonce, text) = sealed.split_at_checked(NONCE).ok_or_else(damaged)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| damaged())?;
        let payload = Payload { msg: text, aad: row.as_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| damaged())?;
        String::from_utf8(plain).map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_for_its_row_and_key_only() {
        let key = FieldKey::from_secret("0123456789abcdef0123456789abcdef").expect("key");
        let (row, fresh) = (Uuid::from_u128(1), (Uuid::from_u128(7), Uuid::from_u128(8)));
        let sealed = key.seal(row, "Hostel 4, room 12", fresh).expect("seal");
        assert!(!sealed.windows(6).any(|part| part == b"Hostel"));
        assert_eq!(key.open(row, &sealed).expect("open"), "Hostel 4, room 12");
        assert!(key.open(Uuid::from_u128(2), &sealed).is_err());
        let other = FieldKey::from_secret("another-secret-of-enough-length!!").expect("key");
        assert!(other.open(row, &sealed).is_err());
        assert!(key.open(row, &sealed[..10]).is_err());
        assert!(FieldKey::from_secret("short").is_err());
    }
}
