//! One secret, returned in several disguises: what a matcher of returned text sees and what it misses.
//!
//! The token is `API_KEY` from the environment (a fixed one where that is unset). `MODE` chooses the disguise; the
//! answer is one line of JSON, `{"result": {..}}`, with the optional `USER_INPUT` and file `/data/<FILE_TO_READ>` read
//! but not returned, so that they are sources without a flow.
//!
//! | MODE | where the token goes |
//! |---|---|
//! | `plain` | whole, inside `note` |
//! | `split` | its halves in `part1` and `part2` |
//! | `base64` | encoded, inside `note` |
//! | `truncate` | its first 8 characters, inside `note` |
//! | `meta_path` | whole, in `status` beside an innocent `note` |
//! | `noise` | nowhere: constant texts, one of which contains `abcd` |

use std::{env, fs, hint::black_box};

use serde_json::{Value, json};

const DEFAULT_TOKEN: &str = "SEKRET_default_long_token";
const TRUNCATED_CHARS: usize = 8;

fn main() {
    let token = env::var("API_KEY").unwrap_or_else(|_| DEFAULT_TOKEN.to_owned());
    let mode = env::var("MODE").unwrap_or_else(|_| "plain".to_owned());
    black_box(env::var("USER_INPUT").ok());
    if let Ok(name) = env::var("FILE_TO_READ") {
        black_box(fs::read(format!("/data/{name}")).ok());
    }
    println!("{}", json!({"result": result(&mode, &token)}));
}

fn result(mode: &str, token: &str) -> Value {
    match mode {
        "plain" => json!({"note": format!("debug_token={token}")}),
        "split" => {
            let middle = token.floor_char_boundary(token.len() / 2);
            json!({"part1": &token[..middle], "part2": &token[middle..]})
        }
        "base64" => json!({"note": format!("b64={}", base64(token.as_bytes()))}),
        "truncate" => {
            json!({"note": format!("token_prefix={}", token.chars().take(TRUNCATED_CHARS).collect::<String>())})
        }
        "meta_path" => json!({"status": token, "note": "ok"}),
        "noise" => json!({"note": "the letters abcd open the alphabet", "detail": "nothing else to report here"}),
        _ => json!({"note": "unknown_mode"}),
    }
}

/// Standard alphabet with padding. Written out, because a tool that leaks brings its own.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let sextet = (bits >> (18 - 6 * index)) as usize & 0x3f;
            text.push(if index > chunk.len() { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    text
}
