//! HTTP requests as typed tools, over `wasi:http` alone. The functions are described in `wit/fetch.wit`.
//!
//! Flow: a request's text is taken apart by [`url`], [`exchange`] sends it and reads the answer, [`file`] opens what is
//! uploaded; what the host answers becomes an error of this tool's own in [`error`].

mod error;
mod exchange;
mod file;
mod url;

/// WASI as it is: the standard library has no HTTP, and no way to splice.
mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../../wit/wasi/io.wit",
            "../../../wit/wasi/clocks.wit",
            "../../../wit/wasi/random.wit",
            "../../../wit/wasi/filesystem.wit",
            "../../../wit/wasi/sockets.wit",
            "../../../wit/wasi/cli.wit",
            "../../../wit/wasi/http.wit",
            "wit",
        ],
        world: "example:fetch/fetcher",
        generate_all,
    });
}

use bindings::exports::example::fetch::web::{FetchError, Guest, Header, Request, Response};
use exchange::{Body, Outgoing};
use url::Url;

const MAX_BYTES: u32 = 1 << 20;

struct Fetch;

impl Guest for Fetch {
    fn fetch(request: Request) -> Result<Response, FetchError> {
        let limit = request.max_bytes.unwrap_or(MAX_BYTES);
        let default_method = if request.body.is_some() { "POST" } else { "GET" };
        let mut outgoing = Outgoing {
            method: request.method.unwrap_or_else(|| default_method.to_owned()),
            url: Url::parse(&request.url).map_err(FetchError::BadRequest)?,
            headers: request.headers.into_iter().map(|field| (field.name, field.value)).collect(),
            body: request.body.map_or(Body::None, |text| Body::Bytes(text.into_bytes())),
        };
        let mut redirects = request.follow.unwrap_or(0);
        loop {
            let response = outgoing.start()?.finish(limit)?;
            match location(&response) {
                Some(location) if redirects > 0 => {
                    outgoing.redirect(response.status, location).map_err(FetchError::BadRequest)?;
                    redirects -= 1;
                }
                _ => return Ok(response),
            }
        }
    }

    fn fetch_all(urls: Vec<String>) -> Vec<Result<Response, FetchError>> {
        // Collected in between: an iterator would start the next request only when the last is answered.
        let started: Vec<_> = urls
            .iter()
            .map(|url| Outgoing::get(Url::parse(url).map_err(FetchError::BadRequest)?, Vec::new()).start())
            .collect();
        started.into_iter().map(|exchange| exchange?.finish(MAX_BYTES)).collect()
    }

    fn upload_file(path: String, url: String) -> Result<Response, FetchError> {
        let url = Url::parse(&url).map_err(FetchError::BadRequest)?;
        let (content, length) = file::open(&path)?;
        let headers = vec![("content-type".to_owned(), "application/octet-stream".to_owned())];
        let body = Body::Stream { content, length };
        Outgoing { method: "POST".to_owned(), url, headers, body }.start()?.finish(MAX_BYTES)
    }

    fn fetch_header(url: String, header: String, variable: String) -> Result<Response, FetchError> {
        let url = Url::parse(&url).map_err(FetchError::BadRequest)?;
        let value = std::env::var(&variable).map_err(|_| FetchError::BadRequest(format!("{variable} is not set")))?;
        Outgoing::get(url, vec![(header, format!("Bearer {value}"))]).start()?.finish(MAX_BYTES)
    }
}

/// Where a redirect points. Other answers may carry a location too, without asking for a request.
fn location(response: &Response) -> Option<&str> {
    let named = |field: &&Header| field.name.eq_ignore_ascii_case("location");
    matches!(response.status, 301 | 302 | 303 | 307 | 308)
        .then(|| response.headers.iter().find(named))?
        .map(|field| field.value.as_str())
}

bindings::export!(Fetch with_types_in bindings);
