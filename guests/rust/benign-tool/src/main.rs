//! The tool with nothing to hide: it greets, counts, and says how large a file is.
//!
//! Reads `USER_INPUT` from the environment and, where `FILE_TO_READ` is set, the file of that name under `/data`. The
//! answer is one line of JSON that repeats neither the file's content nor any other variable, so a scan of it that
//! finds a leak has found too much.

use std::{env, fs};

use serde_json::json;

fn main() {
    let input = env::var("USER_INPUT").unwrap_or_default();
    let file = env::var("FILE_TO_READ").ok().map(|name| match fs::read(format!("/data/{name}")) {
        Ok(bytes) => {
            json!({"name": name, "bytes": bytes.len(), "lines": bytes.iter().filter(|&&byte| byte == b'\n').count()})
        }
        Err(error) => json!({"name": name, "error": error.kind().to_string()}),
    });
    let answer = json!({"result": {"greeting": format!("hello, {} words of input", input.split_whitespace().count()), "file": file}});
    println!("{answer}");
}
