//! One request and its answer.

use crate::{
    bindings::{
        exports::example::fetch::web::{FetchError, Header, Response},
        wasi::{
            http::{
                outgoing_handler,
                types::{
                    Fields, FutureIncomingResponse, HeaderError, IncomingResponse, Method, OutgoingBody,
                    OutgoingRequest, Scheme,
                },
            },
            io::streams::{InputStream, OutputStream, StreamError},
        },
    },
    error,
    url::Url,
};

/// blocking-write-and-flush takes no more at once; the host traps on a longer one.
const WRITE_LIMIT: usize = 4096;
const PIECE: u64 = 64 << 10;

pub struct Outgoing {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

pub enum Body {
    None,
    Bytes(Vec<u8>),
    /// Read while it is sent. The length is promised to the server.
    Stream {
        content: InputStream,
        length: u64,
    },
}

/// A request that is on its way.
pub struct Exchange {
    future: FutureIncomingResponse,
    /// What kept the body from being sent, where the host says. The server may have answered all the same.
    unsent: Option<FetchError>,
}

impl Outgoing {
    pub fn get(url: Url, headers: Vec<(String, String)>) -> Self {
        Self { method: "GET".to_owned(), url, headers, body: Body::None }
    }

    /// Turns this into the request that follows a redirect, as browsers do: a POST becomes a GET unless the status says
    /// otherwise, and credentials stay with the origin they were meant for.
    pub fn redirect(&mut self, status: u16, location: &str) -> Result<(), String> {
        let url = self.url.join(location)?;
        let named = |name: &str, list: &[&str]| list.iter().any(|item| name.eq_ignore_ascii_case(item));
        if !url.same_origin(&self.url) {
            self.headers.retain(|(name, _)| !named(name, &["authorization", "cookie"]));
        }
        if status == 303 && self.method != "HEAD" || matches!(status, 301 | 302) && self.method == "POST" {
            self.method = "GET".to_owned();
            self.body = Body::None;
            self.headers.retain(|(name, _)| !named(name, &["content-length", "content-type"]));
        }
        self.url = url;
        Ok(())
    }

    /// Hands the request to the host and sends its body, without waiting for the answer.
    pub fn start(&self) -> Result<Exchange, FetchError> {
        let request = self.request()?;
        if matches!(self.body, Body::None) {
            let future = outgoing_handler::handle(request, None).map_err(|code| error::of_http(&code))?;
            return Ok(Exchange { future, unsent: None });
        }
        let body = request.body().map_err(|()| bad("the request has no body"))?;
        // Only what was handed over takes a body: before that nobody reads it.
        let future = outgoing_handler::handle(request, None).map_err(|code| error::of_http(&code))?;
        let unsent = self.send(body).err().flatten();
        Ok(Exchange { future, unsent })
    }

    fn request(&self) -> Result<OutgoingRequest, FetchError> {
        let mut fields: Vec<(String, Vec<u8>)> =
            self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let length = match &self.body {
            Body::None => None,
            Body::Bytes(bytes) => Some(bytes.len() as u64),
            Body::Stream { length, .. } => Some(*length),
        };
        // Without a length the body would go in chunks, which small servers do not read. A caller may say its own.
        if let Some(length) = length
            && !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            fields.push(("content-length".to_owned(), length.to_string().into_bytes()));
        }
        let fields = Fields::from_list(&fields).map_err(|error| bad(header_error(error)))?;
        let request = OutgoingRequest::new(fields);
        let scheme = if self.url.https { Scheme::Https } else { Scheme::Http };
        request.set_method(&method(&self.method)).map_err(|()| bad("the method is not one"))?;
        request.set_scheme(Some(&scheme)).map_err(|()| bad("the scheme is not one"))?;
        request.set_authority(Some(&self.url.authority)).map_err(|()| bad("the host is not one"))?;
        request.set_path_with_query(Some(&self.url.path_with_query)).map_err(|()| bad("the path is not one"))?;
        Ok(request)
    }

    /// No error is named where the stream was closed from the other side: why, the answer tells.
    fn send(&self, body: OutgoingBody) -> Result<(), Option<FetchError>> {
        let stream = body.write().map_err(|()| bad("the body cannot be written"))?;
        let sent = match &self.body {
            Body::None => Ok(()),
            Body::Bytes(bytes) => bytes.chunks(WRITE_LIMIT).try_for_each(|part| stream.blocking_write_and_flush(part)),
            Body::Stream { content, .. } => splice_all(&stream, content),
        };
        // The stream is a child of the body and has to go first.
        drop(stream);
        match sent {
            Ok(()) => Ok(OutgoingBody::finish(body, None).map_err(|code| error::of_http(&code))?),
            Err(StreamError::Closed) => Err(None),
            Err(error) => Err(Some(error::of_stream(&error))),
        }
    }
}

/// To the end of `content`. `closed` where it is the request that ends early; a splice alone says the same of both.
fn splice_all(stream: &OutputStream, content: &InputStream) -> Result<(), StreamError> {
    loop {
        match stream.blocking_splice(content, PIECE) {
            Ok(_) => {}
            Err(StreamError::Closed) => return stream.blocking_flush(),
            Err(error) => return Err(error),
        }
    }
}

impl Exchange {
    /// Waits for the answer and reads it, up to `limit` bytes of its body.
    pub fn finish(self, limit: u32) -> Result<Response, FetchError> {
        let answer = loop {
            match self.future.get() {
                Some(answer) => break answer.map_err(|()| bad("the answer was taken already"))?,
                None => self.future.subscribe().block(),
            }
        };
        match (answer, self.unsent) {
            (Ok(response), _) => read(&response, limit),
            (Err(_), Some(unsent)) => Err(unsent),
            (Err(code), None) => Err(error::of_http(&code)),
        }
    }
}

fn read(response: &IncomingResponse, limit: u32) -> Result<Response, FetchError> {
    let shown = |(name, value): (String, Vec<u8>)| Header { name, value: text(value) };
    let headers = response.headers().entries().into_iter().map(shown).collect();
    let body = response.consume().map_err(|()| bad("the answer's body was taken already"))?;
    let stream = body.stream().map_err(|()| bad("the answer's body was taken already"))?;
    let limit = limit as usize;
    let mut bytes = Vec::new();
    // One byte more than wanted tells whether there is more.
    while bytes.len() <= limit {
        match stream.blocking_read(PIECE.min((limit - bytes.len()) as u64 + 1)) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error::of_stream(&error)),
        }
    }
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(Response { status: response.status(), headers, body: text(bytes), truncated })
}

/// Without a copy where it is UTF-8 already.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn bad(what: &str) -> FetchError {
    FetchError::BadRequest(what.to_owned())
}

fn header_error(error: HeaderError) -> &'static str {
    match error {
        HeaderError::InvalidSyntax => "headers: not the syntax of a header",
        HeaderError::Forbidden => "headers: one that only the host may set",
        HeaderError::Immutable => "headers: they cannot be changed",
    }
}

fn method(text: &str) -> Method {
    match text {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}
