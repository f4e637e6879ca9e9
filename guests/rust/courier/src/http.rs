//! Requests and answers.

use crate::bindings::wasi::http::outgoing_handler::handle;
use crate::bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use crate::bindings::wasi::io::streams::{InputStream, StreamError};

pub struct Answer {
    pub body: String,
    pub server: String,
    pub status: u16,
}

fn wrong(what: impl std::fmt::Debug) -> String {
    format!("{what:?}")
}

fn request(url: &str, query: &str, headers: Fields, method: &Method) -> Result<OutgoingRequest, String> {
    let rest = url.strip_prefix("http://").ok_or("only http")?;
    let (authority, path) = rest.split_at(rest.find('/').ok_or("no path")?);
    let request = OutgoingRequest::new(headers);
    request.set_method(method).map_err(|()| "method")?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(&format!("{path}{query}"))).map_err(|()| "path")?;
    Ok(request)
}

fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    loop {
        match future.get() {
            Some(answer) => return answer.map_err(|()| "taken")?.map_err(wrong),
            None => future.subscribe().block(),
        }
    }
}

/// Seven bytes at once, so that pieces are no frames.
fn text(stream: &InputStream) -> Result<String, String> {
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(7) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return String::from_utf8(bytes).map_err(wrong),
            Err(error) => return Err(wrong(error)),
        }
    }
}

/// The stream is a child of the body: it has to go first, and so comes last.
fn body(response: &IncomingResponse) -> Result<(IncomingBody, InputStream), String> {
    let body = response.consume().map_err(|()| "consumed")?;
    let stream = body.stream().map_err(|()| "streamed")?;
    Ok((body, stream))
}

fn finish(response: &IncomingResponse) -> Result<Answer, String> {
    let server = response.headers().get("server").into_iter().flatten().collect();
    let (_body, stream) = body(response)?;
    Ok(Answer { body: text(&stream)?, server: String::from_utf8(server).map_err(wrong)?, status: response.status() })
}

pub fn get(url: &str) -> Result<Answer, String> {
    let request = request(url, "", Fields::new(), &Method::Get)?;
    finish(&answer(&handle(request, None).map_err(wrong)?)?)
}

pub fn send(value: &str, part: &str, url: &str) -> Result<String, String> {
    let fields = vec![("x-other".to_owned(), b"other".to_vec()), ("x-value".to_owned(), b"first".to_vec())];
    let headers = Fields::from_list(&fields).map_err(wrong)?;
    if part == "header" {
        headers.append("x-value", format!("is {value}").as_bytes()).map_err(wrong)?;
    }
    if part == "set" {
        headers.append("x-value", value.as_bytes()).map_err(wrong)?;
        headers.set("x-value", &[b"again".to_vec(), value.as_bytes().to_vec()]).map_err(wrong)?;
    }
    let query = if part == "path" { format!("?value={value}&end") } else { String::new() };
    let method = if part == "method" { Method::Other(value.to_owned()) } else { Method::Post };
    let request = request(url, &query, headers, &method)?;
    let body = request.body().map_err(|()| "body")?;
    let stream = body.write().map_err(|()| "write")?;
    let future = handle(request, None).map_err(wrong)?;
    stream.blocking_write_and_flush(b"begin ").map_err(wrong)?;
    if part == "body" {
        let (half, rest) = value.split_at(value.len() / 2);
        stream.blocking_write_and_flush(half.as_bytes()).map_err(wrong)?;
        stream.blocking_write_zeroes_and_flush(3).map_err(wrong)?;
        stream.blocking_write_and_flush(format!("{rest} and").as_bytes()).map_err(wrong)?;
    }
    stream.blocking_write_and_flush(b" end").map_err(wrong)?;
    drop(stream);
    let trailers = match part {
        "trailer" => {
            let fields = vec![("x-value".to_owned(), format!("is {value}").into_bytes())];
            Some(Fields::from_list(&fields).map_err(wrong)?)
        }
        _ => None,
    };
    OutgoingBody::finish(body, trailers).map_err(wrong)?;
    Ok(finish(&answer(&future)?)?.body)
}

pub fn relay(source: &str, url: &str, with_headers: bool) -> Result<String, String> {
    let first = request(source, "", Fields::new(), &Method::Get)?;
    let came = answer(&handle(first, None).map_err(wrong)?)?;
    let headers = Fields::new();
    if with_headers {
        let all = came.headers();
        headers.set("x-server", &all.get("server")).map_err(wrong)?;
        headers.append("x-own", b"own").map_err(wrong)?;
    }
    let (_body, stream) = body(&came)?;
    let request = request(url, "", headers, &Method::Post)?;
    let going = request.body().map_err(|()| "body")?;
    let out = going.write().map_err(|()| "write")?;
    let future = handle(request, None).map_err(wrong)?;
    out.blocking_write_and_flush(b"<<").map_err(wrong)?;
    stream.blocking_skip(1).map_err(wrong)?;
    loop {
        match out.blocking_splice(&stream, 1 << 16) {
            Ok(_) => {}
            Err(StreamError::Closed) => break,
            Err(error) => return Err(wrong(error)),
        }
    }
    out.blocking_write_and_flush(b">>").map_err(wrong)?;
    drop(out);
    OutgoingBody::finish(going, None).map_err(wrong)?;
    finish(&answer(&future)?)?;
    Ok("relayed".to_owned())
}
