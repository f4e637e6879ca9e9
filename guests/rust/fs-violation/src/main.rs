//! The tool that reaches for `/etc/passwd`, spelled so that a search of its bytes for the path finds nothing.
//!
//! Only a boundary that sees the attempt can tell. It prints `READ_ERR` with the path and the error when it is
//! refused, and `READ_OK` with the number of bytes otherwise.

use std::{fs, hint::black_box};

/// The path with every byte turned by `KEY`.
const HIDDEN: [u8; 11] = [0x75, 0x3f, 0x2e, 0x39, 0x75, 0x2a, 0x3b, 0x29, 0x29, 0x2d, 0x3e];
const KEY: u8 = 0x5a;

fn main() {
    // Without black_box the optimiser would decode the constant and store the plain path after all.
    let key = black_box(KEY);
    let path: String = black_box(HIDDEN).iter().map(|byte| char::from(byte ^ key)).collect();
    match fs::read(&path) {
        Ok(bytes) => println!("READ_OK {path} {} bytes", bytes.len()),
        Err(error) => {
            println!("READ_ERR {path}: {error}");
            eprintln!("READ_ERR {path}: {error}");
        }
    }
}
