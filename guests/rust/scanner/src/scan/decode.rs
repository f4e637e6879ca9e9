//! Encodings that code is hidden in.

/// Decoded text is not followed past this: a scanner has to end.
pub const MAX_TEXT: usize = 64 << 10;

/// Standard and URL-safe alphabets, with or without padding; white space is skipped.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut have) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()).take_while(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    (out.len() <= MAX_TEXT).then_some(out)
}

pub fn base32(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut have) = (0_u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let value = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        have += 5;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    (out.len() <= MAX_TEXT).then_some(out)
}

pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b':').collect();
    if digits.len() % 2 != 0 || digits.len() / 2 > MAX_TEXT {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits.chunks_exact(2).map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

pub fn rot13(text: &str) -> String {
    let turn = |c: char, base: u8| char::from((c as u8 - base + 13) % 26 + base);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            other => other,
        })
        .collect()
}

/// Bytes as text. Those that are not UTF-8 stand for themselves, as in Latin-1, so that nothing is lost.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

/// A literal that may be an encoding of code or of a command: long enough, and readable once decoded.
pub fn guess(value: &str) -> Option<String> {
    let value = value.trim();
    if value.len() < 16 || value.len() > MAX_TEXT {
        return None;
    }
    let readable = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).ok()?;
        (text.len() >= 8 && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace())).then_some(text)
    };
    hex(value).and_then(readable).or_else(|| base64(value).and_then(readable))
}
