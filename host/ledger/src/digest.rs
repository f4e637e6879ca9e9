//! Fingerprints of bytes that crossed, and the random numbers of a run.
//!
//! A plain SHA-256 of a short secret can be guessed by trying candidates. Secrets are therefore digested with a key that lives as long
//! as the run and is written nowhere: equal digests within a run still mean equal bytes, and nothing can be tried afterwards.

use crate::error::LedgerError;
use hmac::digest::Key;
use hmac::{Hmac, Mac};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// The key of one run's secret digests. Neither shown by `Debug` nor written.
pub struct RunKey([u8; 32]);

impl RunKey {
    /// A fresh key from the operating system's random numbers.
    pub fn random() -> Result<RunKey, LedgerError> {
        random_bytes().map(RunKey)
    }

    /// The key of a run that is recorded, for its private recording: a replay has to give the same digests. Whoever has it can try out
    /// short secrets, but a recording has the secrets themselves.
    #[must_use]
    pub fn to_recording(&self) -> [u8; 32] {
        self.0
    }

    /// The key of the run that a recording is of.
    #[must_use]
    pub fn of_recording(bytes: [u8; 32]) -> RunKey {
        RunKey(bytes)
    }
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunKey(..)")
    }
}

/// A name for a run that no other run has: 32 random hexadecimal digits.
pub fn run_id() -> Result<String, LedgerError> {
    random_bytes::<16>().map(|bytes| hex(&bytes))
}

fn random_bytes<const N: usize>() -> Result<[u8; N], LedgerError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| LedgerError::random(&e))?;
    Ok(bytes)
}

/// The fingerprint of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest {
    pub bytes: [u8; 32],
    /// Whether the run's key went into it: only comparable within the run.
    pub keyed: bool,
}

impl Digest {
    /// The plain digest of bytes that are all there.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Digest {
        Digest { bytes: sha256(bytes), keyed: false }
    }

    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }
}

/// Digests bytes as they cross.
#[derive(Clone, Debug)]
pub struct Hasher(Kind);

#[derive(Clone)]
enum Kind {
    Plain(Sha256),
    // The keyed state is twice as large; boxed, an idle plain hasher does not pay for it.
    Keyed(Box<Hmac<Sha256>>),
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Keyed(_) => "Keyed",
        })
    }
}

impl Hasher {
    /// SHA-256, comparable with any other tool's.
    #[must_use]
    pub fn plain() -> Hasher {
        Hasher(Kind::Plain(Sha256::new()))
    }

    /// HMAC-SHA-256 under the run's key, for secrets.
    #[must_use]
    pub fn keyed(key: &RunKey) -> Hasher {
        // HMAC pads a short key with zeros to a block. Done here, because a whole block is the form that cannot fail.
        let mut block = Key::<Hmac<Sha256>>::default();
        block.iter_mut().zip(key.0).for_each(|(to, from)| *to = from);
        Hasher(Kind::Keyed(Box::new(Hmac::new(&block))))
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Kind::Plain(hash) => hash.update(bytes),
            Kind::Keyed(mac) => mac.update(bytes),
        }
    }

    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            Kind::Plain(hash) => Digest { bytes: hash.finalize().into(), keyed: false },
            Kind::Keyed(mac) => Digest { bytes: mac.finalize().into_bytes().into(), keyed: true },
        }
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal, the only spelling of digests in a ledger.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| hex_byte(*byte)).map(char::from).collect()
}

pub(crate) fn hex_byte(byte: u8) -> [u8; 2] {
    [hex_digit(byte >> 4), hex_digit(byte & 0xf)]
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_digest_of_abc_is_the_one_in_the_standard() {
        let mut hasher = Hasher::plain();
        hasher.update(b"a");
        hasher.update(b"bc");
        let digest = hasher.finish();
        assert_eq!(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest, Digest::of(b"abc"));
    }

    #[test]
    fn keyed_digest_is_hmac_sha_256_as_rfc_4231_case_2_has_it() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mut hasher = Hasher::keyed(&RunKey(key));
        hasher.update(b"what do ya want ");
        hasher.update(b"for nothing?");
        let digest = hasher.finish();
        assert_eq!(digest.hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert!(digest.keyed);
    }

    #[test]
    fn run_key_in_debug_output_is_not_shown() {
        let key = RunKey([0xab; 32]);
        assert_eq!(format!("{key:?} {:?}", Hasher::keyed(&key)), "RunKey(..) Hasher(Keyed)");
    }

    #[test]
    fn secret_digested_in_two_runs_has_two_digests() {
        let digest = |key: &RunKey| {
            let mut hasher = Hasher::keyed(key);
            hasher.update(b"1234");
            hasher.finish()
        };
        let (one, other) = (RunKey::random().unwrap(), RunKey::random().unwrap());
        assert_ne!(digest(&one), digest(&other));
        assert_eq!(digest(&one), digest(&one));
        assert_ne!(digest(&one).bytes, Digest::of(b"1234").bytes);
    }

    #[test]
    fn run_id_is_32_hexadecimal_digits_and_another_each_time() {
        let (one, other) = (run_id().unwrap(), run_id().unwrap());
        assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit()), "{one}");
        assert_ne!(one, other);
    }
}
