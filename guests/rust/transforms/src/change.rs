//! The changes themselves.

use std::hint::black_box;

use sha2::{Digest, Sha256};

const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub fn xor(input: &[u8]) -> Vec<u8> {
    input.iter().zip(b"key-".iter().cycle()).map(|(byte, key)| byte ^ key).collect()
}

pub fn caesar(input: &str) -> String {
    input.bytes().map(|byte| char::from(b' ' + (byte.wrapping_sub(b' ').wrapping_add(13)) % 95)).collect()
}

pub fn symbol_by_table(value: u8) -> u8 {
    SYMBOLS[usize::from(value & 63)]
}

/// Without a table and without a branch: each range's difference where the value is above its start.
pub fn symbol_by_arithmetic(value: u8) -> u8 {
    let value = i32::from(value & 63);
    let above = |start: i32| (start - 1 - value) >> 31;
    let symbol = value + 65 + (above(26) & 6) - (above(52) & 75) - (above(62) & 15) + (above(63) & 3);
    u8::try_from(symbol & 0xff).unwrap_or_default()
}

pub fn base64(input: &[u8], symbol: fn(u8) -> u8) -> String {
    let symbol = black_box(symbol);
    let mut out = String::new();
    for chunk in input.chunks(3) {
        let [a, b, c] = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let parts = [a >> 2, a << 4 | b >> 4, b << 2 | c >> 6, c];
        for (at, part) in parts.into_iter().enumerate() {
            out.push(if at <= chunk.len() { char::from(symbol(part & 63)) } else { '=' });
        }
    }
    out
}

pub fn digit_by_table(value: u8) -> u8 {
    DIGITS[usize::from(value & 15)]
}

pub fn digit_by_arithmetic(value: u8) -> u8 {
    let value = i32::from(value & 15);
    u8::try_from((value + 48 + (((9 - value) >> 31) & 39)) & 0xff).unwrap_or_default()
}

pub fn hex(input: &[u8], digit: fn(u8) -> u8) -> String {
    let digit = black_box(digit);
    input.iter().flat_map(|byte| [char::from(digit(byte >> 4)), char::from(digit(byte & 15))]).collect()
}

pub fn split(input: &str) -> String {
    let half = input.len() / 2;
    format!("HEAD:{}--{}", &input[half..], &input[..half])
}

pub fn run_length(input: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = input;
    while let Some(first) = rest.first() {
        let many = rest.iter().take_while(|byte| *byte == first).count();
        out.push_str(&many.to_string());
        out.push(char::from(*first));
        rest = &rest[many..];
    }
    out
}

pub fn sha256(input: &[u8]) -> Vec<u8> {
    Sha256::digest(input).to_vec()
}

pub fn json(input: &str) -> String {
    let text = serde_json::json!({ "k": input, "n": [1, 2] }).to_string();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    value.to_string()
}

pub fn deflate(input: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(input, 6)
}

/// Uses the input, and gives a text that does not come from it.
pub fn unrelated(input: &str) -> String {
    let json = json(input);
    let encoded = base64(json.as_bytes(), symbol_by_table);
    black_box(encoded.len() + usize::from(sha256(input.as_bytes())[0]));
    serde_json::json!({ "id": 42, "token": true, "list": ["a", "b"] }).to_string()
}

/// Copies by branches alone, which is not followed.
pub fn branch(input: &[u8]) -> String {
    let mut out = String::new();
    for byte in input {
        for candidate in b' '..=b'~' {
            if black_box(*byte) == candidate {
                out.push(char::from(black_box(candidate)));
            }
        }
    }
    out
}
