//! Private keys in the files that they come in.

use super::words::{Source, der, der_integer, pem};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::ops::Range;

/// A PEM text, and which bytes of its content are secret. The others are the same in every such key, or its public half.
pub(super) struct Key {
    pub(super) pem: String,
    pub(super) secrets: Vec<Range<usize>>,
}

/// A string of SSH: its length before it.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

/// An OpenSSH key file that `ssh-keygen` reads, and the line of its public half. The pair is a real one.
pub(super) fn openssh(source: &mut Source<'_>, comment: &str) -> (Key, String) {
    let seed = source.bytes(32);
    let public = Ed25519KeyPair::from_seed_unchecked(&seed)
        .map(|pair| pair.public_key().as_ref().to_vec())
        .unwrap_or_else(|_| source.bytes(32));
    let blob = [string(b"ssh-ed25519"), string(&public)].concat();
    let check = source.bytes(4);
    let mut private = [check.as_slice(), &check, &string(b"ssh-ed25519"), &string(&public)].concat();
    private.extend(string(&[seed.as_slice(), &public].concat()));
    private.extend(string(comment.as_bytes()));
    let padding = (8 - private.len() % 8) % 8;
    private.extend((1_u8..).take(padding));
    let mut file = b"openssh-key-v1\0".to_vec();
    file.extend([string(b"none"), string(b"none"), string(b"")].concat());
    file.extend(1_u32.to_be_bytes());
    file.extend(string(&blob));
    let before = file.len() + 4;
    file.extend(string(&private));
    // Checks, name and public half stand before the seed.
    let seed_at = before + 8 + 4 + 11 + 4 + 32 + 4;
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &blob);
    (
        Key { pem: pem("OPENSSH PRIVATE KEY", &file, 70), secrets: std::iter::once(seed_at..seed_at + 32).collect() },
        format!("ssh-ed25519 {base64} {comment}\n"),
    )
}

/// An RSA key of 2048 bits in PKCS#8, as cloud accounts have. Its numbers have the right sizes and are random: making primes takes seconds.
pub(super) fn rsa_pkcs8(source: &mut Source<'_>) -> Key {
    let mut number = |count: usize| {
        let mut bytes = source.bytes(count);
        if let Some(first) = bytes.first_mut() {
            *first |= 0x80;
        }
        if let Some(last) = bytes.last_mut() {
            *last |= 1;
        }
        der_integer(&bytes)
    };
    // The private exponent, two primes, and what speeds up using them.
    let private: Vec<Vec<u8>> = [256, 128, 128, 128, 128, 128].map(&mut number).to_vec();
    let public = [number(256), der_integer(&[1, 0, 1])].concat();
    let key = der(0x30, &[der_integer(&[0]), public, private.concat()].concat());
    // rsaEncryption, no parameters.
    let algorithm = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let file = der(0x30, &[der_integer(&[0]), algorithm.to_vec(), der(0x04, &key)].concat());
    // They stand at the end; what is before a number says how long it is, the same in every key.
    let mut at = file.len() - private.iter().map(Vec::len).sum::<usize>();
    let secrets = private
        .iter()
        .map(|number| {
            let head = if number.len() > 256 { 5 } else { 4 };
            at += number.len();
            at + head - number.len()..at
        })
        .collect();
    Key { pem: pem("PRIVATE KEY", &file, 64), secrets }
}

/// A key on the curve P-256, as clusters give out. The public half may be left out, and is.
pub(super) fn ec(source: &mut Source<'_>) -> Key {
    let mut scalar = source.bytes(32);
    if let Some(first) = scalar.first_mut() {
        // Below the order of the curve.
        *first &= 0x7f;
    }
    let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let file = der(0x30, &[der_integer(&[1]), der(0x04, &scalar), curve.to_vec()].concat());
    Key { pem: pem("EC PRIVATE KEY", &file, 64), secrets: std::iter::once(7..39).collect() }
}
