//! A call's arguments, from `--args`, `--arg` and what stands after `--`.

use crate::cli::Run;
use crate::exit::Fault;
use crate::machine;
use customs_engine::json::refuse_duplicate_keys;
use customs_engine::{Form, Program};
use serde_json::{Map, Value};
use std::path::Path;

/// Collects the arguments of a call. `at_most` bounds what is read.
/// `schema` is the tool's, which says what is text.
pub(crate) fn collect(
    run: &Run,
    program: &Program,
    schema: Option<&Value>,
    at_most: u64,
) -> Result<Map<String, Value>, Fault> {
    let mut json = match run.args.as_deref() {
        None => Map::new(),
        Some("-") => parse("standard input", &machine::read_stdin(at_most)?)?,
        Some(text) => object(text, at_most)?,
    };
    for pair in &run.arg {
        let Some((name, text)) = pair.split_once('=') else {
            return Err(Fault::Refused(format!("--arg needs NAME=VALUE, not {pair:?}")));
        };
        let schema = schema.and_then(|s| s.get("properties")).and_then(|p| p.get(name));
        if json.insert(name.to_owned(), value(text, schema)).is_some() {
            return Err(Fault::Refused(format!("the argument {name} is given twice")));
        }
    }
    if !run.argv.is_empty() {
        if program.catalogue().form != Form::Command {
            return Err(Fault::Refused(
                "arguments after -- are for commands; this tool takes --args or --arg".to_owned(),
            ));
        }
        if json.insert("args".to_owned(), Value::from(run.argv.clone())).is_some() {
            return Err(Fault::Refused("the command's arguments are given twice".to_owned()));
        }
    }
    Ok(json)
}

/// A JSON object as text, or from `@FILE`.
pub(crate) fn object(text: &str, at_most: u64) -> Result<Map<String, Value>, Fault> {
    match text.strip_prefix('@') {
        Some(file) => parse(file, &machine::read(Path::new(file), at_most)?),
        None => parse("--args", text.as_bytes()),
    }
}

fn parse(from: &str, bytes: &[u8]) -> Result<Map<String, Value>, Fault> {
    // The last of two would be taken, and whoever reads the text may think of the first.
    refuse_duplicate_keys(bytes).map_err(|why| Fault::Refused(format!("{from}: {why}")))?;
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Fault::Refused(format!("{from}: the arguments must be a JSON object"))),
        Err(e) => Err(Fault::Refused(format!("{from}: the arguments are not JSON: {e}"))),
    }
}

/// A value typed by hand: text where the schema says text, otherwise JSON, and text where it is not JSON.
fn value(text: &str, schema: Option<&Value>) -> Value {
    let wants_text = schema.and_then(|s| s.get("type")).is_some_and(|t| match t {
        Value::String(one) => one == "string",
        Value::Array(many) => many.contains(&Value::from("string")) && !many.contains(&Value::from("integer")),
        _ => false,
    });
    if wants_text {
        return Value::from(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_read_as_the_schema_says() {
        assert_eq!(value("12", Some(&json!({"type": "string"}))), json!("12"));
        assert_eq!(value("12", Some(&json!({"type": "integer"}))), json!(12));
        assert_eq!(value("[1]", None), json!([1]));
        assert_eq!(value("Bern", None), json!("Bern"));
    }
}
