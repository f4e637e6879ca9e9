//! Half of a composition: what it says comes from another component, from a file of its own, or from both. See
//! `wit/relay.wit`.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "passes-on", generate_all });
}

use bindings::customs::transforms::transforms::{Problem, apply};
use bindings::exports::customs::relay::relay::Guest;

struct Relay;

fn words(problem: Problem) -> String {
    match problem {
        Problem::Unknown(what) => format!("unknown: {what}"),
        Problem::Unreadable(what) => format!("unreadable: {what}"),
    }
}

fn own(file: &str) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|_| format!("cannot read {file}"))
}

impl Guest for Relay {
    fn pass(transform: String, source: String, file: String) -> Result<String, String> {
        let answer = apply(&transform, &source).map_err(words)?;
        let text = own(&file)?;
        Ok(format!("{} / {}", answer.text, text.lines().next().unwrap_or_default()))
    }

    fn pieces(transform: String, source: String) -> Vec<Vec<u8>> {
        apply(&transform, &source).map(|answer| answer.pieces.into_iter().map(|p| p.bytes).collect()).unwrap_or_default()
    }

    fn through(transform: String, file: String) -> Result<String, String> {
        let text = format!("a text: {}", own(&file)?);
        apply(&transform, &text).map(|answer| answer.text).map_err(words)
    }
}

bindings::export!(Relay with_types_in bindings);
