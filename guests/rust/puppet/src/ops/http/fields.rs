//! Header fields, and trailers, which are the same.

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::http::types::{Fields, HeaderError},
    handles::{Handle, Handles},
    outcome::{Failure, Outcome, kebab},
};

/// Every function of `fields` once: what the host lets a guest say in a header. On the given headers, or on those of the
/// request or response that `handle` names.
pub fn perform(args: &Args, handles: &Handles) -> Outcome {
    let fields = match args.text_or_none("handle")? {
        None => named(args, "headers")?.unwrap_or_else(Fields::new),
        Some(name) => match handles.any(name)? {
            Handle::Request(request) => request.headers(),
            Handle::Response(response) => response.headers(),
            _ => return Err(args.wrong("handle", "a request or a response")),
        },
    };
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

/// The fields under an argument: an object, or pairs of name and value. A value is a text or an object with content. For
/// headers, `more-headers` adds that many of one letter each.
pub fn named(args: &Args, argument: &str) -> Result<Option<Fields>, Failure> {
    let wrong = || args.wrong(argument, "pairs of texts");
    let pair = |name: &str, value: &Value| {
        let value = match value {
            Value::String(text) => text.as_bytes().to_vec(),
            Value::Object(content) => Args(content).content()?,
            _ => return Err(wrong()),
        };
        Ok((name.to_owned(), value))
    };
    let mut pairs = match args.get(argument) {
        None => Vec::new(),
        Some(Value::Object(fields)) => {
            fields.iter().map(|(name, value)| pair(name, value)).collect::<Result<Vec<_>, _>>()?
        }
        Some(Value::Array(pairs)) => {
            pairs.iter().map(|p| pair(p[0].as_str().ok_or_else(wrong)?, &p[1])).collect::<Result<Vec<_>, _>>()?
        }
        Some(_) => return Err(wrong()),
    };
    let more = if argument == "headers" { args.number_or("more-headers", 0)? } else { 0 };
    pairs.extend((0..more).map(|number| (format!("x-more-{number}"), b"v".to_vec())));
    if pairs.is_empty() && args.get(argument).is_none() {
        return Ok(None);
    }
    Fields::from_list(&pairs).map(Some).map_err(|error| Failure::code(&header_error(error)))
}

fn header_error(error: HeaderError) -> String {
    format!("header-{}", kebab(&format!("{error:?}")))
}

pub fn entries(fields: &Fields) -> Value {
    fields.entries().into_iter().map(|(name, value)| json!([name, String::from_utf8_lossy(&value)])).collect()
}
