//! Where the bytes go, other than back.

use crate::bindings::{
    customs::tool::{context, types::LogLevel},
    wasi::http::{
        outgoing_handler,
        types::{Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme},
    },
    wasi::io::streams::StreamError,
};
use std::io::Write as _;

/// No outcome is an error where only the far side may not exist: what counts is what was said.
pub fn put(place: &str, url: &str, bytes: Vec<u8>) -> Result<(), String> {
    let text = || String::from_utf8(bytes.clone()).map_err(|_| format!("to {place}: it is no text"));
    let failed = |e: std::io::Error| format!("to {place}: {}", e.kind());
    match place {
        "stdout" => std::io::stdout().write_all(&bytes).and_then(|()| std::io::stdout().flush()).map_err(failed)?,
        "stderr" => std::io::stderr().write_all(&bytes).map_err(failed)?,
        "progress" => context::progress(1, Some(2), Some(&text()?)),
        "log" => context::log(LogLevel::Info, &text()?),
        "panic" => panic!("{}", text()?),
        "file" => std::fs::write("/out/report.txt", &bytes).map_err(failed)?,
        "file-name" => std::fs::write(format!("/out/{}", text()?), "").map_err(failed)?,
        "folder-name" => std::fs::create_dir(format!("/out/{}", text()?)).map_err(failed)?,
        "new-name" => {
            std::fs::write("/out/old", "").map_err(failed)?;
            std::fs::rename("/out/old", format!("/out/{}", text()?)).map_err(failed)?;
        }
        "missing-name" => drop(std::fs::metadata(format!("/out/{}", text()?))),
        "line" => drop(exchange(url, &format!("/{}", text()?), &[], &[])?),
        "query" => drop(exchange(url, &format!("/search?q={}", text()?), &[], &[])?),
        "header" => drop(exchange(url, "/", &[("x-note", &bytes)], &[])?),
        "body" => drop(exchange(url, "/", &[], &bytes)?),
        "denied" => drop(exchange("http://198.51.100.7", &format!("/search?q={}", text()?), &[], &[])),
        "dns" => drop(std::net::ToSocketAddrs::to_socket_addrs(&(format!("{}.evidence.invalid", text()?), 0))),
        "socket" => std::net::TcpStream::connect(url).and_then(|mut s| s.write_all(&bytes)).map_err(failed)?,
        _ => return Err(format!("to: {place:?} is no place")),
    }
    Ok(())
}

/// The body of what the server says to GET.
pub fn get(url: &str) -> Result<Vec<u8>, String> {
    exchange(url, "/", &[], &[])
}

/// Over plain HTTP; the url is `http://host:port`.
fn exchange(url: &str, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Result<Vec<u8>, String> {
    let mut fields: Vec<(String, Vec<u8>)> = headers.iter().map(|(n, v)| ((*n).to_owned(), v.to_vec())).collect();
    if !body.is_empty() {
        fields.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
    }
    let fields = Fields::from_list(&fields).map_err(|_| "the header is not one")?;
    let request = OutgoingRequest::new(fields);
    let set = (|| {
        request.set_method(if body.is_empty() { &Method::Get } else { &Method::Post })?;
        request.set_scheme(Some(&Scheme::Http))?;
        request.set_authority(url.strip_prefix("http://"))?;
        request.set_path_with_query(Some(path))
    })();
    set.map_err(|()| "the address is not one")?;
    let outgoing = request.body().map_err(|()| "no body")?;
    let future = outgoing_handler::handle(request, None).map_err(|e| format!("{e:?}"))?;
    if !body.is_empty() {
        let stream = outgoing.write().map_err(|()| "no stream")?;
        for part in body.chunks(4096) {
            stream.blocking_write_and_flush(part).map_err(|e| format!("{e:?}"))?;
        }
        drop(stream);
    }
    OutgoingBody::finish(outgoing, None).map_err(|e| format!("{e:?}"))?;
    loop {
        match future.get() {
            Some(answer) => return read(&answer.map_err(|()| "taken")?.map_err(|e| format!("{e:?}"))?),
            None => future.subscribe().block(),
        }
    }
}

fn read(response: &IncomingResponse) -> Result<Vec<u8>, String> {
    let body = response.consume().map_err(|()| "no body")?;
    let stream = body.stream().map_err(|()| "no stream")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(e) => return Err(format!("{e:?}")),
        }
    }
}
