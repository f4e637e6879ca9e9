//! What the tool does. What it promises is in wit/@NAME@.wit.

use std::{fs, io::ErrorKind};

wit_bindgen::generate!({ path: "wit", world: "tool" });

use exports::example::@SNAKE@::greeter::{GreetError, Greeting, Guest};

const TEMPLATE: &str = "/templates/hello.txt";

struct Tool;

impl Guest for Tool {
    fn greet(name: String, template: Option<String>) -> Result<Greeting, GreetError> {
        if name.trim().is_empty() {
            return Err(GreetError::Invalid("name: it is empty".to_owned()));
        }
        let template = template.unwrap_or_else(|| TEMPLATE.to_owned());
        let words = read(&template)?;
        Ok(Greeting { text: words.trim_end().replace("{name}", &name), template })
    }
}

/// What the host refuses is an ordinary error here. Told as one of its own, a model knows that asking again is no use.
fn read(path: &str) -> Result<String, GreetError> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => GreetError::NotPermitted(path.to_owned()),
        ErrorKind::NotFound => GreetError::NotFound(path.to_owned()),
        _ => GreetError::Other(format!("{path}: {error}")),
    })
}

export!(Tool);
