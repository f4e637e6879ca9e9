//! The answer to a request: its head, its body, its trailers.

use serde_json::{Value, json};

use super::{PIECE, fields};
use crate::{
    args::Args,
    bindings::wasi::{
        http::types::{FutureIncomingResponse, IncomingBody, IncomingResponse},
        io::streams::StreamError,
    },
    handles::Handles,
    outcome::{Failure, Outcome},
};

/// None while there is no answer yet.
pub fn get(future: &FutureIncomingResponse) -> Result<Option<IncomingResponse>, Failure> {
    match future.get() {
        None => Ok(None),
        Some(Err(())) => Err(Failure::code("taken")),
        Some(Ok(answer)) => Ok(Some(answer?)),
    }
}

/// Status and headers; null where there is no answer yet and the script does not want to wait for it.
pub fn head(args: &Args, handles: &mut Handles) -> Outcome {
    let future = handles.exchange(args.text("handle")?)?;
    let wait = args.flag("wait", true)?;
    let response = loop {
        match get(future)? {
            Some(response) => break response,
            None if wait => future.subscribe().block(),
            None => return Ok(Value::Null),
        }
    };
    let shown = json!({"status": response.status(), "headers": fields::entries(&response.headers())});
    handles.keep(args, response)?;
    Ok(shown)
}

pub fn take_body(args: &Args, handles: &mut Handles) -> Outcome {
    let body = consume(handles.response(args.text("handle")?)?)?;
    handles.keep(args, body)?;
    Ok(Value::Null)
}

fn consume(response: &IncomingResponse) -> Result<IncomingBody, Failure> {
    response.consume().map_err(|()| Failure::code("no-body"))
}

/// What stands after the body, as pairs; null where there is nothing. Waits for it.
pub fn trailers(body: IncomingBody) -> Outcome {
    let future = IncomingBody::finish(body);
    let answer = loop {
        // Asked for even where nothing has to be waited for, so that a script always makes the same calls.
        future.subscribe().block();
        if let Some(answer) = future.get() {
            break answer;
        }
    };
    let trailers = answer.map_err(|()| Failure::code("taken"))??;
    Ok(trailers.map_or(Value::Null, |trailers| fields::entries(&trailers)))
}

/// The status, the headers as pairs, the body (`body-limit` bytes of it at most) and its trailers.
pub fn show(args: &Args, response: &IncomingResponse) -> Outcome {
    let headers = fields::entries(&response.headers());
    let body = consume(response)?;
    let limit = args.number_or("body-limit", u64::MAX)?;
    let mut bytes = Vec::new();
    let stream = body.stream().map_err(|()| Failure::code("no-body"))?;
    let cut = loop {
        match stream.blocking_read(PIECE) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => break false,
            Err(error) => return Err(error.into()),
        }
        if bytes.len() as u64 >= limit {
            break true;
        }
    };
    // A child of the body, which is finished next.
    drop(stream);
    let trailers = if cut { Ok(Value::Null) } else { trailers(body) };
    let mut shown = json!({"status": response.status(), "headers": headers, "body": args.show(&bytes)?, "cut": cut});
    match trailers {
        Ok(trailers) => shown["trailers"] = trailers,
        Err(Failure::Refused { code, .. }) => shown["trailers-error"] = code.into(),
        Err(failure) => return Err(failure),
    }
    Ok(shown)
}
