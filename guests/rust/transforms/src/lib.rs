//! Gives what it reads back, changed in every way that a trace has to follow; and not at all, where nothing may be found.
//! See `wit/transforms.wit`.

mod change;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "every-transform" });
}

use bindings::exports::customs::transforms::transforms::{Answer, Guest, Piece, Problem};

struct Transforms;

fn read(source: &str) -> Result<Vec<u8>, Problem> {
    let unreadable = || Problem::Unreadable(format!("cannot read {source}"));
    if let Some(name) = source.strip_prefix("env:") {
        return std::env::var(name).map(String::into_bytes).map_err(|_| unreadable());
    }
    match source.strip_prefix("file:") {
        Some(path) => std::fs::read(path).map_err(|_| unreadable()),
        None => Ok(source.as_bytes().to_vec()),
    }
}

fn text(text: impl Into<String>) -> Answer {
    Answer { text: text.into(), pieces: Vec::new(), note: None, sum: 0 }
}

fn bytes(name: &str, bytes: Vec<u8>) -> Answer {
    let piece = Piece { name: name.to_owned(), bytes, numbers: Vec::new() };
    let first = Piece { name: "first".to_owned(), bytes: vec![1, 2, 3], numbers: vec![7] };
    Answer { pieces: vec![first, piece], ..text("see the pieces") }
}

impl Guest for Transforms {
    fn apply(transform: String, source: String) -> Result<Answer, Problem> {
        let input = read(&source)?;
        let as_text = String::from_utf8_lossy(&input).into_owned();
        Ok(match transform.as_str() {
            "plain" => text(as_text),
            "reverse" => text(as_text.chars().rev().collect::<String>()),
            "xor" => bytes("xor", change::xor(&input)),
            "caesar" => text(change::caesar(&as_text)),
            "base64-table" => text(change::base64(&input, change::symbol_by_table)),
            "base64-arithmetic" => text(change::base64(&input, change::symbol_by_arithmetic)),
            "hex-table" => text(change::hex(&input, change::digit_by_table)),
            "hex-arithmetic" => text(change::hex(&input, change::digit_by_arithmetic)),
            "split" => text(change::split(&as_text)),
            "run-length" => text(change::run_length(&input)),
            "sha256" => bytes("sha256", change::sha256(&input)),
            "json" => text(change::json(&as_text)),
            "deflate" => bytes("deflate", change::deflate(&input)),
            "note" => Answer { note: Some(format!("note: {as_text}")), ..text("see the note") },
            "numbers" => {
                let numbers = input.iter().map(|byte| u32::from(*byte) + 1000).collect();
                let piece = Piece { name: "numbers".to_owned(), bytes: Vec::new(), numbers };
                Answer { pieces: vec![piece], ..text("see the numbers") }
            }
            "error" => return Err(Problem::Unknown(format!("what is {as_text}?"))),
            "print" => {
                println!("[{as_text}]");
                text("see the output")
            }
            "write" => {
                let Some(path) = source.strip_prefix("file:") else { return Err(Problem::Unknown(transform)) };
                let kept = std::fs::write(format!("{path}.out"), format!("kept: {as_text}"));
                text(if kept.is_ok() { "written" } else { "not written" })
            }
            "unrelated" => text(change::unrelated(&as_text)),
            "untouched" => text("the answer is 42, as ever"),
            "branch" => text(change::branch(&input)),
            _ => return Err(Problem::Unknown(transform)),
        })
    }

    fn sum(source: String) -> u64 {
        read(&source).unwrap_or_default().iter().map(|byte| u64::from(*byte)).sum()
    }
}

bindings::export!(Transforms with_types_in bindings);
