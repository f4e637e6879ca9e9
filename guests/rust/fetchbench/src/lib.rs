//! What the network boundary is measured with: requests over `wasi:http`, bodies read and dropped.

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
    world: "customs:fetchbench/bencher",
    generate_all,
});

use exports::customs::fetchbench::bench::Guest;
use wasi::http::outgoing_handler::handle;
use wasi::http::types::{Fields, OutgoingRequest, Scheme};
use wasi::io::streams::StreamError;

/// As much as a read may give at once.
const PIECE: u64 = 64 * 1024;

struct Bench;

impl Guest for Bench {
    fn get_n(url: String, times: u32) -> Result<u64, String> {
        (0..times).try_fold(0, |total, _| Ok(total + get(&url)?))
    }
}

fn get(url: &str) -> Result<u64, String> {
    let rest = url.strip_prefix("http://").ok_or("the address starts with http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(path)).map_err(|()| "path")?;
    let future = handle(request, None).map_err(|e| e.to_string())?;
    future.subscribe().block();
    let answer = future.get().ok_or("no answer")?.map_err(|()| "taken")?.map_err(|e| e.to_string())?;
    let body = answer.consume().map_err(|()| "body")?;
    let stream = body.stream().map_err(|()| "stream")?;
    let mut total = 0;
    loop {
        match stream.blocking_read(PIECE) {
            Ok(bytes) => total += bytes.len() as u64,
            Err(StreamError::Closed) => return Ok(total),
            Err(error) => return Err(error.to_string()),
        }
    }
}

export!(Bench);
