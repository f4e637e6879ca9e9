//! wasi:http: a request built field by field, sent, and its answer read. Each part can be given raw, so that a host
//! that decides on one part and sends another can be caught at it.

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::{
        http::{
            outgoing_handler,
            types::{
                Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse, Method, OutgoingBody,
                OutgoingRequest, RequestOptions, Scheme,
            },
        },
        io::streams::StreamError,
    },
    handles::Handles,
    ops::streams,
    outcome::{Failure, Outcome, kebab},
};

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "http" => start(args).and_then(|future| finish(args, &future)),
        "http-start" => start(args).and_then(|future| {
            handles.keep(args, future)?;
            Ok(Value::Null)
        }),
        "http-finish" => args.text("handle").and_then(|name| finish(args, handles.response(name)?)),
        "http-fields" => fields(args),
        _ => return None,
    })
}

/// Builds the request and hands it over, body and all. `url` is split at its first slashes and nothing else is done to
/// it; `scheme`, `authority` and `path` replace its parts as they stand.
fn start(args: &Args) -> Result<FutureIncomingResponse, Failure> {
    let (scheme, authority, path) = split(args.text_or_none("url")?.unwrap_or(""));
    let request = OutgoingRequest::new(headers(args)?);
    let set = |done: Result<(), ()>, part: &str| done.map_err(|()| Failure::code(&format!("invalid-{part}")));
    set(request.set_method(&method(args.text_or_none("method")?.unwrap_or("GET"))), "method")?;
    set(request.set_scheme(args.text_or_none("scheme")?.or(scheme).map(scheme_of).as_ref()), "scheme")?;
    set(request.set_authority(args.text_or_none("authority")?.or(authority)), "authority")?;
    set(request.set_path_with_query(args.text_or_none("path")?.or(path)), "path")?;
    let options = RequestOptions::new();
    set(options.set_connect_timeout(args.number_or_none("connect-timeout")?), "timeout")?;
    set(options.set_first_byte_timeout(args.number_or_none("first-byte-timeout")?), "timeout")?;
    set(options.set_between_bytes_timeout(args.number_or_none("between-bytes-timeout")?), "timeout")?;

    let body = request.body().map_err(|()| Failure::code("no-body"))?;
    let content = args.content()?;
    let future = outgoing_handler::handle(request, Some(options))?;
    if !content.is_empty() {
        let stream = body.write().map_err(|()| Failure::code("no-body"))?;
        streams::write_all(&stream, &content)?;
    }
    OutgoingBody::finish(body, None)?;
    Ok(future)
}

fn finish(args: &Args, future: &FutureIncomingResponse) -> Outcome {
    let response = loop {
        match future.get() {
            Some(answer) => break answer.map_err(|()| Failure::code("taken"))??,
            None => future.subscribe().block(),
        }
    };
    show(args, &response)
}

/// The status, the headers as pairs, the body (`body-limit` bytes of it at most) and its trailers.
fn show(args: &Args, response: &IncomingResponse) -> Outcome {
    let headers = entries(&response.headers());
    let body = response.consume().map_err(|()| Failure::code("no-body"))?;
    let limit = args.number_or("body-limit", u64::MAX)?;
    let mut bytes = Vec::new();
    let mut cut = false;
    let stream = body.stream().map_err(|()| Failure::code("no-body"))?;
    loop {
        match stream.blocking_read(65536) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
        if bytes.len() as u64 >= limit {
            cut = true;
            break;
        }
    }
    drop(stream);
    let mut trailers = Value::Null;
    if !cut {
        let future = IncomingBody::finish(body);
        let answer = loop {
            match future.get() {
                Some(answer) => break answer,
                None => future.subscribe().block(),
            }
        };
        if let Ok(Ok(Some(fields))) = answer {
            trailers = entries(&fields);
        }
    }
    Ok(
        json!({"status": response.status(), "headers": headers, "body": args.show(&bytes)?, "cut": cut, "trailers": trailers}),
    )
}

/// Every function of `fields` once, on the given headers: what the host lets a guest say in a header.
fn fields(args: &Args) -> Outcome {
    let fields = headers(args)?;
    let name = args.text_or_none("name")?.unwrap_or("x-puppet");
    let value = args.content()?;
    let said =
        |result: Result<(), HeaderError>| result.map_or_else(|error| json!(header_error(error)), |()| json!("ok"));
    let set = said(fields.set(name, std::slice::from_ref(&value)));
    let append = said(fields.append(name, &value));
    let got: Vec<_> = fields.get(name).iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    let has = fields.has(name);
    let cloned = entries(&fields.clone());
    let delete = said(fields.delete(name));
    Ok(
        json!({"set": set, "append": append, "get": got, "has": has, "clone": cloned, "delete": delete, "entries": entries(&fields)}),
    )
}

/// `headers`: pairs of name and value, or an object.
fn headers(args: &Args) -> Result<Fields, Failure> {
    let wrong = || args.wrong("headers", "pairs of texts");
    let pair = |name: &str, value: &Value| Ok((name.to_owned(), value.as_str().ok_or_else(wrong)?.as_bytes().to_vec()));
    let pairs: Result<Vec<_>, Failure> = match args.get("headers") {
        None => Ok(Vec::new()),
        Some(Value::Object(fields)) => fields.iter().map(|(name, value)| pair(name, value)).collect(),
        Some(Value::Array(pairs)) => pairs.iter().map(|p| pair(p[0].as_str().ok_or_else(wrong)?, &p[1])).collect(),
        Some(_) => Err(wrong()),
    };
    Fields::from_list(&pairs?).map_err(|error| Failure::code(&header_error(error)))
}

fn header_error(error: HeaderError) -> String {
    format!("header-{}", kebab(&format!("{error:?}")))
}

fn entries(fields: &Fields) -> Value {
    fields.entries().into_iter().map(|(name, value)| json!([name, String::from_utf8_lossy(&value)])).collect()
}

fn split(url: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (None, None, None) };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    (Some(scheme), Some(authority), Some(if path.is_empty() { "/" } else { path }))
}

fn scheme_of(text: &str) -> Scheme {
    match text {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
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
