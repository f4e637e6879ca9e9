//! One GET request and its answer.

use crate::{
    bindings::{
        exports::customs::readable::pages::ReadError,
        wasi::{
            http::{
                outgoing_handler,
                types::{ErrorCode, Fields, IncomingResponse, Method, OutgoingRequest, Scheme, http_error_code},
            },
            io::streams::StreamError,
        },
    },
    url::Url,
};

const PIECE: u64 = 64 << 10;
const ACCEPT: &[u8] = b"text/html, application/xhtml+xml, text/*;q=0.9, application/json;q=0.8, */*;q=0.1";

/// What came back.
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// There was more of it than was wanted.
    pub truncated: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// Where a redirect points. Other answers may carry a location too, without asking for a request.
    pub fn location(&self) -> Option<&str> {
        matches!(self.status, 301 | 302 | 303 | 307 | 308).then(|| self.header("location")).flatten()
    }
}

pub fn get(url: &Url, limit: u32) -> Result<Answer, ReadError> {
    let shown = url.text();
    let failed = |code: &ErrorCode| of_http(&shown, code);
    let invalid = |what: &str| ReadError::Invalid(format!("{shown}: the {what} is not one"));
    let fields = [("accept", ACCEPT), ("user-agent", b"customs-readable/0.1")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_vec()));
    let fields = Fields::from_list(&fields).map_err(|_| invalid("header"))?;
    let request = OutgoingRequest::new(fields);
    let scheme = if url.https { Scheme::Https } else { Scheme::Http };
    request.set_method(&Method::Get).map_err(|()| invalid("method"))?;
    request.set_scheme(Some(&scheme)).map_err(|()| invalid("scheme"))?;
    request.set_authority(Some(&url.authority)).map_err(|()| invalid("host"))?;
    request.set_path_with_query(Some(&url.path_with_query)).map_err(|()| invalid("path"))?;
    let future = outgoing_handler::handle(request, None).map_err(|code| failed(&code))?;
    let response = loop {
        match future.get() {
            Some(Ok(answer)) => break answer.map_err(|code| failed(&code))?,
            Some(Err(())) => return Err(ReadError::Failed(format!("{shown}: the answer was taken already"))),
            None => future.subscribe().block(),
        }
    };
    read(&response, &shown, limit as usize)
}

fn read(response: &IncomingResponse, shown: &str, limit: usize) -> Result<Answer, ReadError> {
    let taken = |()| ReadError::Failed(format!("{shown}: the answer was taken already"));
    let headers = response.headers().entries();
    let body = response.consume().map_err(taken)?;
    let stream = body.stream().map_err(taken)?;
    let mut bytes = Vec::new();
    // One byte more than wanted tells whether there is more.
    while bytes.len() <= limit {
        match stream.blocking_read(PIECE.min((limit - bytes.len()) as u64 + 1)) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => of_http(shown, &code),
                    None => ReadError::Failed(format!("{shown}: the answer broke off")),
                });
            }
        }
    }
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(Answer { status: response.status(), headers, body: bytes, truncated })
}

fn of_http(shown: &str, code: &ErrorCode) -> ReadError {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => ReadError::NotPermitted(shown.to_owned()),
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => {
            ReadError::Invalid(format!("{shown}: no address that can be asked for"))
        }
        // `ErrorCode::ConnectionRefused` -> `ConnectionRefused`; what is in it is left out.
        code => {
            let name = format!("{code:?}");
            let name = name.rsplit_once("ErrorCode::").map_or(name.as_str(), |(_, name)| name);
            let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
            ReadError::Failed(format!("{shown}: {}", &name[..end]))
        }
    }
}
