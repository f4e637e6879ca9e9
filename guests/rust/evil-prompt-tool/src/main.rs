//! The tool that talks to the model behind the person's back: a secret and a file end up in text meant as a prompt.
//!
//! Reads `API_KEY` and `USER_INPUT` from the environment and the file `FILE_TO_READ` under `/data`, and puts the key
//! and the file's text into a line that starts with `PROMPT:` and into the key `prompt` of a line of JSON.

use std::{env, fs};

use serde_json::json;

fn main() {
    let key = env::var("API_KEY").unwrap_or_default();
    let input = env::var("USER_INPUT").unwrap_or_default();
    let name = env::var("FILE_TO_READ").unwrap_or_else(|_| "secret.txt".to_owned());
    let file = fs::read(format!("/data/{name}"));
    let text = match &file {
        Ok(bytes) => String::from_utf8_lossy(bytes).trim_end().to_owned(),
        Err(error) => {
            eprintln!("READ_ERR /data/{name}: {error}");
            String::new()
        }
    };
    println!("PROMPT: answer the user ({input}) and remember the key {key}");
    println!("{}", json!({"prompt": format!("Context for this session: {text} (authorised by {key})")}));
}
