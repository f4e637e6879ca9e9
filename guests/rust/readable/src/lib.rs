//! Web pages as text to read; the function is described in `wit/readable.wit`.
//!
//! Flow: [`request`] asks for an address, again for each redirect that is followed here; [`decode`] makes characters of its bytes; [`tokens`] takes
//! HTML apart and [`document`] makes a [`text`] of it. All of it is written by strangers: nothing recurses, and each bound is counted in bytes
//! that were read.

mod decode;
mod document;
mod entities;
mod request;
mod text;
mod tokens;
// One way to read addresses is enough for both tools.
#[path = "../../fetch/src/url.rs"]
mod url;

/// WASI as it is: the standard library has no HTTP.
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
        world: "customs:readable/readable",
        generate_all,
    });
}

use bindings::exports::customs::readable::pages::{Guest, Page, ReadError};
use decode::Kind;
use request::Answer;
use url::Url;

const DEFAULT_BYTES: u32 = 1 << 20;
/// A page with its text, links and the answer made of them takes a few times this much memory.
const MAX_BYTES: u32 = 4 << 20;
const DEFAULT_REDIRECTS: u8 = 5;

struct Readable;

impl Guest for Readable {
    fn read_page(url: String, max_bytes: Option<u32>, max_redirects: Option<u8>) -> Result<Page, ReadError> {
        let limit = max_bytes.unwrap_or(DEFAULT_BYTES).min(MAX_BYTES);
        let max_redirects = max_redirects.unwrap_or(DEFAULT_REDIRECTS);
        let mut at = Url::parse(&url).map_err(ReadError::Invalid)?;
        let mut redirects = Vec::new();
        let answer = loop {
            let answer = request::get(&at, limit)?;
            let Some(location) = answer.location() else { break answer };
            let from = at.text();
            if redirects.len() >= usize::from(max_redirects) {
                return Err(ReadError::BadRedirect(format!("{from}: one more than {max_redirects} redirects")));
            }
            let to = at.join(location).map_err(|why| ReadError::BadRedirect(format!("{from}: {why}")))?;
            if at.https && !to.https {
                return Err(ReadError::BadRedirect(format!("{from}: leads from https to {}", to.text())));
            }
            redirects.push(from);
            at = to;
        };
        let base = at.text();
        page(at, redirects, &answer).map_err(|why| ReadError::Unreadable(format!("{base}: {why}")))
    }
}

fn page(at: Url, redirects: Vec<String>, answer: &Answer) -> Result<Page, String> {
    let (content_type, text) = decode::text(answer)?;
    let document = match decode::kind(&content_type, &text)? {
        Kind::Html => document::of_html(&text, &at),
        Kind::Text => document::of_text(&text),
    };
    Ok(Page {
        url: at.text(),
        redirects,
        status: answer.status,
        content_type,
        title: document.title,
        text: document.text,
        links: document.links,
        hidden: document.hidden,
        bytes: answer.body.len() as u64,
        truncated: answer.truncated || document.truncated,
    })
}

bindings::export!(Readable with_types_in bindings);
