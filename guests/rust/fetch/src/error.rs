//! What the host answers, as an error of this tool: refused, wrongly asked, or tried in vain.

use crate::bindings::{
    exports::example::fetch::web::FetchError,
    wasi::{
        filesystem::types::{ErrorCode as FileCode, filesystem_error_code},
        http::types::{ErrorCode, http_error_code},
        io::streams::StreamError,
    },
};

pub fn of_http(code: &ErrorCode) -> FetchError {
    let name = kebab(&format!("{code:?}"));
    let words = match code {
        ErrorCode::InternalError(words) => words.as_deref(),
        ErrorCode::DnsError(payload) => payload.rcode.as_deref(),
        ErrorCode::TlsAlertReceived(payload) => payload.alert_message.as_deref(),
        _ => None,
    };
    let text = words.map_or_else(|| name.clone(), |words| format!("{name}: {words}"));
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => FetchError::Denied(text),
        ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_) => FetchError::BadRequest(text),
        _ => FetchError::Failed(text),
    }
}

pub fn of_file(path: &str, code: FileCode) -> FetchError {
    let text = format!("{path}: {}", code.name());
    match code {
        FileCode::Access | FileCode::NotPermitted => FetchError::Denied(text),
        _ => FetchError::Failed(text),
    }
}

/// An error of a body's stream, or of the file that was read into it.
pub fn of_stream(error: &StreamError) -> FetchError {
    let StreamError::LastOperationFailed(error) = error else {
        return FetchError::Failed("the stream was closed".to_owned());
    };
    if let Some(code) = http_error_code(error) {
        return of_http(&code);
    }
    // Hosts may append what helps only whoever debugs them.
    let first_line = || error.to_debug_string().lines().next().unwrap_or_default().to_owned();
    FetchError::Failed(filesystem_error_code(error).map_or_else(first_line, |code| code.name().to_owned()))
}

/// `ErrorCode::ConnectionRefused` -> `connection-refused`, which is what WASI calls it; a payload is left out.
fn kebab(debug: &str) -> String {
    let name = debug.rsplit_once("ErrorCode::").map_or(debug, |(_, name)| name);
    let mut text = String::new();
    for c in name.chars().take_while(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
