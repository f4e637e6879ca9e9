//! What hides a text, undone. Each way gives candidates; whether something stands in them is for [`super::scan`] to say.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A decoder that takes what comes: padding or none, and bits left over at the end.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

/// The shortest run worth undoing: a host of twelve characters.
const MIN_BASE64: usize = 16;
const MIN_HEX: usize = 20;
/// The longest: what is longer is data, and its beginning says enough.
const MAX_RUN: usize = 256 << 10;

/// Runs of bytes of a kind, at least so long.
fn runs(text: &[u8], least: usize, of: fn(u8) -> bool) -> impl Iterator<Item = &[u8]> {
    text.split(move |byte| !of(*byte))
        .filter(move |run| run.len() >= least)
        .map(|run| run.get(..MAX_RUN).unwrap_or(run))
}

/// Base64 of both alphabets. Where no boundary says where it begins, each of the four ways is tried.
pub(super) fn base64(text: &[u8], mut found: impl FnMut(&[u8])) {
    let is = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    for run in runs(text, MIN_BASE64, is) {
        for from in 0..4 {
            let Some(body) = run.get(from..) else { continue };
            // A last group of one character is none.
            let body = if body.len() % 4 == 1 { body.get(..body.len() - 1).unwrap_or_default() } else { body };
            if let Ok(decoded) = STANDARD.decode(body).or_else(|_| URL_SAFE.decode(body)) {
                found(&decoded);
            }
        }
    }
}

/// Pairs of hexadecimal digits, also as `\x41`.
pub(super) fn hex(text: &[u8], mut found: impl FnMut(&[u8])) {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = |run: &[u8]| -> Vec<u8> {
        run.chunks_exact(2).filter_map(|pair| Some(value(*pair.first()?)? << 4 | value(*pair.get(1)?)?)).collect()
    };
    for run in runs(text, MIN_HEX, |byte| byte.is_ascii_hexdigit()) {
        for from in 0..2 {
            found(&pairs(run.get(from..).unwrap_or_default()));
        }
    }
    for run in runs(text, 2 * MIN_HEX, |byte| byte.is_ascii_hexdigit() || byte == b'\\' || byte == b'x') {
        let digits: Vec<u8> = run
            .split(|byte| *byte == b'\\')
            .filter_map(|part| part.strip_prefix(b"x"))
            .filter_map(|d| d.get(..2))
            .flatten()
            .copied()
            .collect();
        if digits.len() * 2 >= run.len().min(MIN_HEX) {
            found(&pairs(&digits));
        }
    }
}

/// ASCII with a zero after each character, as JavaScript and Windows keep texts.
pub(super) fn utf16(bytes: &[u8], mut found: impl FnMut(&[u8])) {
    let visible = |byte: u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\t');
    for from in 0..2 {
        let mut text = Vec::new();
        for pair in bytes.get(from..).unwrap_or_default().chunks_exact(2) {
            match pair {
                [byte, 0] if visible(*byte) => text.push(*byte),
                _ => {
                    if text.len() >= 8 {
                        found(&text);
                    }
                    text.clear();
                }
            }
        }
        if text.len() >= 8 {
            found(&text);
        }
    }
}

/// Letters moved on by thirteen.
pub(super) fn rot13(text: &[u8]) -> Vec<u8> {
    text.iter()
        .map(|byte| match byte {
            b'a'..=b'm' | b'A'..=b'M' => byte + 13,
            b'n'..=b'z' | b'N'..=b'Z' => byte - 13,
            other => *other,
        })
        .collect()
}

/// How each byte was turned by one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    Xor,
    Added,
}

impl Turned {
    /// Bytes against their neighbours: the same whatever the key.
    pub(super) fn steps(self, bytes: &[u8]) -> Vec<u8> {
        bytes
            .windows(2)
            .map(|pair| match (self, pair) {
                (Turned::Xor, [a, b]) => a ^ b,
                (Turned::Added, [a, b]) => b.wrapping_sub(*a),
                _ => 0,
            })
            .collect()
    }

    /// The key by which `plain` became `turned`.
    pub(super) fn key(self, plain: u8, turned: u8) -> u8 {
        match self {
            Turned::Xor => plain ^ turned,
            Turned::Added => turned.wrapping_sub(plain),
        }
    }

    pub(super) fn back(self, byte: u8, key: u8) -> u8 {
        match self {
            Turned::Xor => byte ^ key,
            Turned::Added => byte.wrapping_sub(key),
        }
    }

    pub(super) fn name(self, key: u8) -> String {
        match self {
            Turned::Xor => format!("xor 0x{key:02x}"),
            Turned::Added => format!("shifted by {key}"),
        }
    }
}

/// What is looked for under a key: long enough that chance does not make it.
pub(super) const ANCHORS: [&str; 13] = [
    "https://",
    "http://",
    "/etc/passwd",
    "/etc/shadow",
    "/proc/self/",
    "/.ssh/id_",
    ".ssh/id_",
    ".aws/cred",
    "id_ed25519",
    "authorized_keys",
    "/.netrc",
    ".git-cred",
    ".kube/config",
];
