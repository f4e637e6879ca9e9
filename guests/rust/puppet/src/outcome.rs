//! What an operation comes to: a value, or why there is none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bindings::wasi::{
    filesystem::types::{ErrorCode as FsError, filesystem_error_code},
    http::types::{ErrorCode as HttpError, http_error_code},
    io::streams::StreamError,
    sockets::network::ErrorCode as SocketError,
};

pub type Outcome = Result<Value, Failure>;

/// Why an operation gave no value.
pub enum Failure {
    /// The host said no, or could not: an error name as WIT spells it, and words where there are any.
    Refused { code: String, message: Option<String> },
    /// The script is wrong; nothing after it is performed.
    Script(String),
}

impl Failure {
    pub fn code(code: &str) -> Self {
        Self::Refused { code: code.to_owned(), message: None }
    }

    pub fn script(message: impl Into<String>) -> Self {
        Self::Script(message.into())
    }
}

impl From<FsError> for Failure {
    fn from(error: FsError) -> Self {
        Self::code(error.name())
    }
}

impl From<SocketError> for Failure {
    fn from(error: SocketError) -> Self {
        Self::code(error.name())
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let text = format!("{error:?}");
        Self::Refused { code: kebab(&text), message: Some(text) }
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Closed => Self::code("closed"),
            StreamError::LastOperationFailed(error) => {
                let message = Some(error.to_debug_string());
                if let Some(code) = filesystem_error_code(&error) {
                    return Self::Refused { code: code.name().to_owned(), message };
                }
                match http_error_code(&error) {
                    Some(code) => Self::Refused { code: kebab(&format!("{code:?}")), message },
                    None => Self::Refused { code: "last-operation-failed".to_owned(), message },
                }
            }
        }
    }
}

/// `ErrorCode::HttpRequestDenied(..)` -> `http-request-denied`: variants with payloads have no generated name.
pub fn kebab(debug: &str) -> String {
    let name =
        debug.rsplit_once("ErrorCode::").or_else(|| debug.rsplit_once("HeaderError::")).map_or(debug, |(_, name)| name);
    let mut text = String::new();
    for c in name.chars().take_while(|c| c.is_ascii_alphanumeric()) {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// How often each outcome came: a million of them one by one would be a test of JSON.
#[derive(Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    /// Counts a value as `ok`, a refusal under its name. Only a wrong script is an error.
    pub fn count<T>(&mut self, outcome: Result<T, Failure>) -> Result<Option<T>, Failure> {
        let (name, value) = match outcome {
            Ok(value) => ("ok".to_owned(), Some(value)),
            Err(Failure::Refused { code, .. }) => (code, None),
            Err(failure @ Failure::Script(_)) => return Err(failure),
        };
        *self.0.entry(name).or_default() += 1;
        Ok(value)
    }
}

impl From<Tally> for Value {
    fn from(tally: Tally) -> Self {
        json!(tally.0)
    }
}

/// The line of the answer that tells of one operation.
pub fn report(op: &str, outcome: Result<Value, (String, Option<String>)>) -> Value {
    match outcome {
        Ok(value) => json!({"op": op, "ok": true, "value": value}),
        Err((code, None)) => json!({"op": op, "ok": false, "error": code}),
        Err((code, Some(message))) => json!({"op": op, "ok": false, "error": code, "message": message}),
    }
}
