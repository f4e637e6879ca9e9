//! What the host is measured with: see `wit/bench.wit` for each function.
//!
//! Files are read in pieces of [`CHUNK`] bytes into one buffer, so that memory growth is no part of what is measured.

use std::{
    fs::{self, File},
    hint::black_box,
    io::{self, Read, Write},
};

wit_bindgen::generate!({ path: "wit", world: "bencher" });

use exports::customs::bench::bench::Guest;

/// As large as one WASI stream read of wasmtime gives at most; larger buffers would not be filled.
const CHUNK: usize = 64 * 1024;

/// Carried so that the component weighs what a usual tool weighs (about 200 KB): loading it should cost what theirs costs.
static BALLAST: [u8; 112 * 1024] = ballast();

struct Bench;

impl Guest for Bench {
    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    fn echo(text: String) -> String {
        text
    }

    fn read_n(path: String, times: u32) -> Result<u64, String> {
        let mut buffer = vec![0; CHUNK];
        repeat(times, || {
            let mut file = File::open(&path)?;
            let mut total = 0;
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(total),
                    bytes => total += bytes as u64,
                }
            }
        })
    }

    fn write_n(path: String, bytes: u32, times: u32) -> Result<u64, String> {
        let content = black_box(&BALLAST);
        repeat(times, || {
            let mut file = File::create(&path)?;
            let mut left = bytes as usize;
            while left > 0 {
                let part = left.min(content.len()).min(CHUNK);
                file.write_all(&content[..part])?;
                left -= part;
            }
            Ok(u64::from(bytes))
        })
    }

    fn stat_n(path: String, times: u32) -> Result<u64, String> {
        let mut last = 0;
        repeat(times, || {
            last = fs::metadata(&path)?.len();
            Ok(0)
        })?;
        Ok(last)
    }

    fn spin_n(rounds: u64) -> u64 {
        (0..rounds).fold(0, |sum, round| black_box(sum ^ round).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

fn repeat(times: u32, mut once: impl FnMut() -> io::Result<u64>) -> Result<u64, String> {
    let mut total = 0;
    for _ in 0..times {
        total += once().map_err(|error| error.to_string())?;
    }
    Ok(total)
}

/// Bytes without a pattern, so that no tool on the way can shrink them.
const fn ballast() -> [u8; 112 * 1024] {
    let mut bytes = [0; 112 * 1024];
    let mut state = 0x2545_f491u32;
    let mut at = 0;
    while at < bytes.len() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[at] = (state >> 24) as u8;
        at += 1;
    }
    bytes
}

export!(Bench);
