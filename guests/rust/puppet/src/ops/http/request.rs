//! The parts of a request, as they stand.

use serde_json::{Value, json};

use super::fields;
use crate::{
    args::Args,
    bindings::wasi::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme},
    outcome::Failure,
};

/// `url` is split at its first slashes and nothing else is done to it; `scheme`, `authority` and `path` replace its parts.
pub fn build(args: &Args) -> Result<OutgoingRequest, Failure> {
    let request = OutgoingRequest::new(fields::named(args, "headers")?.unwrap_or_else(Fields::new));
    set(args, &request, args.text_or_none("url")?.map_or([None; 3], split))?;
    Ok(request)
}

/// Sets the parts that `args` names, or else those of a URL. A `null` takes a part away.
pub fn set(args: &Args, request: &OutgoingRequest, url: [Option<&str>; 3]) -> Result<(), Failure> {
    let [scheme, authority, path] = url;
    let given = |name: &str, of_url| match args.get(name) {
        Some(Value::Null) => Ok(Some(None)),
        Some(_) => args.text(name).map(|text| Some(Some(text))),
        None => Ok(Option::map(of_url, Some)),
    };
    let done = |result: Result<(), ()>, part: &str| result.map_err(|()| Failure::code(&format!("invalid-{part}")));
    if let Some(method) = args.text_or_none("method")? {
        done(request.set_method(&method_of(method)), "method")?;
    }
    if let Some(scheme) = given("scheme", scheme)? {
        done(request.set_scheme(scheme.map(scheme_of).as_ref()), "scheme")?;
    }
    if let Some(authority) = given("authority", authority)? {
        done(request.set_authority(authority), "authority")?;
    }
    if let Some(path) = given("path", path)? {
        done(request.set_path_with_query(path), "path")?;
    }
    Ok(())
}

/// What the request says of itself.
pub fn parts(request: &OutgoingRequest) -> Value {
    json!({
        "method": method_text(&request.method()),
        "scheme": request.scheme().map(|scheme| scheme_text(&scheme)),
        "authority": request.authority(),
        "path": request.path_with_query(),
        "headers": fields::entries(&request.headers()),
    })
}

pub fn body(request: &OutgoingRequest) -> Result<OutgoingBody, Failure> {
    request.body().map_err(|()| Failure::code("no-body"))
}

pub fn options(args: &Args) -> Result<RequestOptions, Failure> {
    let options = RequestOptions::new();
    let done = |result: Result<(), ()>| result.map_err(|()| Failure::code("invalid-timeout"));
    done(options.set_connect_timeout(args.number_or_none("connect-timeout")?))?;
    done(options.set_first_byte_timeout(args.number_or_none("first-byte-timeout")?))?;
    done(options.set_between_bytes_timeout(args.number_or_none("between-bytes-timeout")?))?;
    Ok(options)
}

pub fn shown_options(options: &RequestOptions) -> Value {
    json!({
        "connect-timeout": options.connect_timeout(),
        "first-byte-timeout": options.first_byte_timeout(),
        "between-bytes-timeout": options.between_bytes_timeout(),
    })
}

/// Scheme, authority, path with query.
fn split(url: &str) -> [Option<&str>; 3] {
    let Some((scheme, rest)) = url.split_once("://") else { return [None; 3] };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    [Some(scheme), Some(authority), Some(if path.is_empty() { "/" } else { path })]
}

fn scheme_of(text: &str) -> Scheme {
    match text {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

fn scheme_text(scheme: &Scheme) -> String {
    match scheme {
        Scheme::Http => "http".to_owned(),
        Scheme::Https => "https".to_owned(),
        Scheme::Other(other) => format!("other({other})"),
    }
}

const METHODS: [(&str, Method); 9] = [
    ("GET", Method::Get),
    ("HEAD", Method::Head),
    ("POST", Method::Post),
    ("PUT", Method::Put),
    ("DELETE", Method::Delete),
    ("CONNECT", Method::Connect),
    ("OPTIONS", Method::Options),
    ("TRACE", Method::Trace),
    ("PATCH", Method::Patch),
];

/// Those that WASI has a case for, and any other text. `other:GET` is the text `GET` as another method.
fn method_of(text: &str) -> Method {
    let known = METHODS.into_iter().find(|(name, _)| *name == text);
    known.map_or_else(|| Method::Other(text.strip_prefix("other:").unwrap_or(text).to_owned()), |(_, method)| method)
}

fn method_text(method: &Method) -> String {
    if let Method::Other(other) = method {
        return format!("other({other})");
    }
    format!("{method:?}").rsplit("::").next().unwrap_or_default().to_ascii_uppercase()
}
