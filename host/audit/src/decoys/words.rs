//! Random texts in the alphabets of tokens, with the checksums that some of them carry.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

pub(super) const LOWER_HEX: &str = "0123456789abcdef";
pub(super) const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(super) const LOWER_ALNUM: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
pub(super) const DIGITS: &str = "0123456789";
pub(super) const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub(super) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(super) const BASE64URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
pub(super) const CRYPT: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Where random bytes come from.
pub(super) struct Source<'r> {
    pub(super) fill: &'r mut dyn FnMut(&mut [u8]),
}

impl Source<'_> {
    /// So many random bytes.
    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        (self.fill)(&mut bytes);
        bytes
    }

    /// So many characters of an alphabet, each as likely as the others.
    pub(super) fn text(&mut self, alphabet: &str, count: usize) -> String {
        let letters = alphabet.as_bytes();
        let fair = 256 - 256 % letters.len().max(1);
        let mut text = String::with_capacity(count);
        // A generator that never gives a fair byte is not waited for.
        for round in 0.. {
            if text.len() >= count {
                break;
            }
            for byte in self.bytes(count) {
                let byte = usize::from(byte);
                // Beyond the last whole alphabet the first letters would be more likely.
                if (byte < fair || round > 64)
                    && text.len() < count
                    && let Some(letter) = letters.get(byte % letters.len().max(1))
                {
                    text.push(char::from(*letter));
                }
            }
        }
        text
    }

    /// A password that somebody has a manager for.
    pub(super) fn password(&mut self) -> String {
        self.text(ALNUM, 20)
    }

    /// A random UUID.
    pub(super) fn uuid(&mut self) -> String {
        let hex = self.text(LOWER_HEX, 30);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }

    /// Thirty characters and six that check them: tokens of GitHub and npm.
    pub(super) fn checked62(&mut self) -> String {
        let body = self.text(BASE62, 30);
        let sum = base62(crc32(body.as_bytes()));
        format!("{body}{sum:0>6}")
    }

    /// Three base64 parts, of which the second is `claims` and the third a signature of so many bytes; where the secret begins.
    pub(super) fn jwt(&mut self, header: &str, claims: &str, signature: usize) -> (String, usize) {
        let head = format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.bytes(signature));
        let from = head.len();
        (format!("{head}{signature}"), from)
    }
}

/// A PEM file: lines of 64 characters.
pub(super) fn pem(label: &str, bytes: &[u8], width: usize) -> String {
    let text = STANDARD.encode(bytes);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(width) {
        pem.push_str(std::str::from_utf8(line).unwrap_or_default());
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// CRC-32 as in zip files.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A number in the 62 letters and digits.
pub(crate) fn base62(mut number: u32) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        digits.push(BASE62.as_bytes().get(digit).copied().map_or('0', char::from));
        number /= 62;
    }
    digits.iter().rev().collect()
}

/// Base58 with four bytes of a double digest at the end: keys of Bitcoin.
pub(super) fn base58check(bytes: &[u8]) -> String {
    let sum = Sha256::digest(Sha256::digest(bytes));
    let mut number: Vec<u8> = bytes.iter().chain(sum.iter().take(4)).copied().collect();
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 58).unwrap_or(u8::MAX);
            rest = value % 58;
        }
        let digit = usize::try_from(rest).unwrap_or(0);
        digits.push(BASE58.as_bytes().get(digit).copied().map_or('1', char::from));
    }
    std::iter::repeat_n('1', zeros).chain(digits.into_iter().rev()).collect()
}

/// One value of DER: tag, length, content.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let length = content.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 0x80 => bytes.push(short),
        (Ok(byte), _) => bytes.extend([0x81, byte]),
        (_, Ok(two)) => {
            bytes.push(0x82);
            bytes.extend(two.to_be_bytes());
        }
        // Nothing here is longer.
        _ => return bytes,
    }
    bytes.extend_from_slice(content);
    bytes
}

/// A positive integer of DER.
pub(super) fn der_integer(bytes: &[u8]) -> Vec<u8> {
    let mut content = bytes.to_vec();
    if content.first().is_none_or(|first| first & 0x80 != 0) {
        content.insert(0, 0);
    }
    der(0x02, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_formats() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(61), "z");
        assert_eq!(base62(62), "10");
        // The address of the first block.
        let mut payload = vec![0];
        payload.extend([
            0x62, 0xe9, 0x07, 0xb1, 0x5c, 0xbf, 0x27, 0xd5, 0x42, 0x53, 0x99, 0xeb, 0xf6, 0xf0, 0xfb, 0x50, 0xeb, 0xb8,
            0x8f, 0x18,
        ]);
        assert_eq!(base58check(&payload), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
        assert_eq!(der_integer(&[0x80]), [0x02, 0x02, 0x00, 0x80]);
    }
}
