//! Kernels to measure, each a loop over the input. See `wit/kernels.wit`.

use std::collections::HashMap;
use std::hint::black_box;

use sha2::{Digest, Sha256};

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "measured" });
}

use bindings::exports::customs::kernels::kernels::Guest;

struct Kernels;

const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}

fn xor(input: &[u8]) -> u64 {
    let key = b"k7Qz2mXp";
    let changed: Vec<u8> = input.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    fold(black_box(&changed))
}

fn base64(input: &[u8]) -> u64 {
    let mut written = Vec::with_capacity(input.len() / 3 * 4 + 4);
    for three in input.chunks_exact(3) {
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        for shift in [18, 12, 6, 0] {
            written.push(SYMBOLS[(bits >> shift & 63) as usize]);
        }
    }
    fold(black_box(&written))
}

fn sha256(input: &[u8]) -> u64 {
    fold(&Sha256::digest(input))
}

/// The input is JSON.
fn json(input: &[u8]) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(input).expect("JSON");
    fold(value.to_string().as_bytes())
}

fn sort(input: &[u8]) -> u64 {
    let mut numbers: Vec<u32> = input.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
    numbers.sort_unstable();
    numbers.iter().fold(0, |sum: u64, number| sum.wrapping_mul(31).wrapping_add(u64::from(*number)))
}

fn map(input: &[u8]) -> u64 {
    let mut counts: HashMap<&[u8], u64> = HashMap::new();
    for word in input.split(|byte| !byte.is_ascii_alphanumeric()) {
        *counts.entry(word).or_default() += 1;
    }
    counts.iter().map(|(word, count)| fold(word).wrapping_mul(*count)).fold(0, u64::wrapping_add)
}

/// Numbers alone: no memory.
fn arithmetic(input: &[u8]) -> u64 {
    let mut state = fold(input.get(..8).unwrap_or_default());
    for _ in 0..input.len() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^= state >> 29;
    }
    state
}

impl Guest for Kernels {
    fn run(kernel: String, input: Vec<u8>, rounds: u32) -> u64 {
        let work = match kernel.as_str() {
            "xor" => xor,
            "base64" => base64,
            "sha256" => sha256,
            "json" => json,
            "sort" => sort,
            "map" => map,
            "arithmetic" => arithmetic,
            _ => return 0,
        };
        (0..rounds).map(|_| work(black_box(&input))).fold(0, u64::wrapping_add)
    }
}

bindings::export!(Kernels with_types_in bindings);
