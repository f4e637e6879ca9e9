//! wasi:http: a request built field by field, sent, and its answer read. `http` does all of it; the others are its steps,
//! for a script that wants something between them or leaves one out. Each part can be given raw, so that a host that
//! decides on one part and sends another can be caught at it.

mod fields;
mod request;
mod response;

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::http::{
        outgoing_handler,
        types::{Fields, FutureIncomingResponse, OutgoingBody, OutgoingRequest, OutgoingResponse},
    },
    handles::Handles,
    ops::streams,
    outcome::{Failure, Outcome, Tally},
};

const PIECE: u64 = 65536;

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "http" => http(args, handles),
        "http-start" => start(args, handles).and_then(|started| {
            started.written?;
            handles.keep(args, started.future)?;
            Ok(Value::Null)
        }),
        "http-finish" => args.text("handle").and_then(|name| finish(args, handles.exchange(name)?)),
        "http-start-many" => start_many(args, handles),
        "http-finish-many" => finish_many(args, handles),
        "http-request" => request::build(args).and_then(|request| {
            let parts = request::parts(&request);
            handles.keep(args, request)?;
            Ok(parts)
        }),
        "http-set" => args.text("handle").and_then(|name| {
            let request = handles.request(name)?;
            request::set(args, request, [None; 3])?;
            Ok(request::parts(request))
        }),
        "http-request-body" => {
            args.text("handle").and_then(|name| request::body(handles.request(name)?)).and_then(|body| {
                handles.keep(args, body)?;
                Ok(Value::Null)
            })
        }
        "http-body-stream" => body_stream(args, handles),
        "http-body-finish" => args.text("handle").and_then(|name| {
            let trailers = fields::named(args, "trailers")?;
            Ok(OutgoingBody::finish(handles.give(name)?, trailers)?.into())
        }),
        "http-handle" => args.text("handle").and_then(|name| {
            let options = request::options(args)?;
            let request: OutgoingRequest = handles.give(name)?;
            handles.keep(args, outgoing_handler::handle(request, Some(options))?)?;
            Ok(Value::Null)
        }),
        "http-options" => request::options(args).map(|options| request::shown_options(&options)),
        "http-response" => response::head(args, handles),
        "http-response-body" => response::take_body(args, handles),
        "http-trailers" => args.text("handle").and_then(|name| response::trailers(handles.give(name)?)),
        "http-answer" => answer(args, handles),
        "http-fields" => fields::perform(args, handles),
        _ => return None,
    })
}

/// A request that was handed over, and what became of its body.
struct Started {
    future: FutureIncomingResponse,
    written: Result<(), Failure>,
}

fn http(args: &Args, handles: &Handles) -> Outcome {
    let Started { future, written } = start(args, handles)?;
    let answer = finish(args, &future);
    // A closed stream says only that nobody reads any more; why, the answer knows.
    match (answer, written) {
        (answer, Ok(())) => answer,
        (Err(failure), Err(Failure::Refused { code, .. })) if code == "closed" => Err(failure),
        (Ok(mut value), Err(Failure::Refused { code, .. })) => {
            value["body-error"] = code.into();
            Ok(value)
        }
        (_, Err(failure)) => Err(failure),
    }
}

/// Builds the request and hands it over, body and all: the content, or the stream that `from` names.
fn start(args: &Args, handles: &Handles) -> Result<Started, Failure> {
    let request = request::build(args)?;
    let options = request::options(args)?;
    let trailers = fields::named(args, "trailers")?;
    let from = args.text_or_none("from")?.map(|name| handles.input(name)).transpose()?;
    let content = args.content()?;
    if from.is_none() && !args.has_content() && trailers.is_none() {
        return Ok(Started { future: outgoing_handler::handle(request, Some(options))?, written: Ok(()) });
    }
    let body = request::body(&request)?;
    let future = outgoing_handler::handle(request, Some(options))?;
    let write = || {
        let stream = body.write().map_err(|()| Failure::code("no-body"))?;
        match from {
            Some(from) => streams::splice_all(&stream, from, PIECE).map(Value::from),
            None => streams::write_all(&stream, &content),
        }
    };
    let written = write().and_then(|_| Ok(OutgoingBody::finish(body, trailers)?));
    Ok(Started { future, written })
}

fn finish(args: &Args, future: &FutureIncomingResponse) -> Outcome {
    let response = loop {
        match response::get(future)? {
            Some(response) => break response,
            None => future.subscribe().block(),
        }
    };
    response::show(args, &response)
}

/// Starts `count` requests and awaits none; those that were taken are kept as `as`, a dash and their number.
fn start_many(args: &Args, handles: &mut Handles) -> Outcome {
    let prefix = args.text("as")?;
    let mut outcomes = Tally::default();
    for number in 0..args.number("count")? {
        let started = start(args, handles).and_then(|started| started.written.map(|()| started.future));
        if let Some(future) = outcomes.count(started)? {
            handles.keep_as(Some(&format!("{prefix}-{number}")), future);
        }
    }
    Ok(outcomes.into())
}

/// Awaits what `http-start-many` kept and reads each answer.
fn finish_many(args: &Args, handles: &mut Handles) -> Outcome {
    let prefix = args.text("handle")?;
    let mut outcomes = Tally::default();
    for number in 0..args.number("count")? {
        let future = handles.give::<FutureIncomingResponse>(&format!("{prefix}-{number}"));
        outcomes.count(future.and_then(|future| finish(args, &future)))?;
    }
    Ok(outcomes.into())
}

/// An answer as a server would give it. Nobody can be given one here, but it can be made, and its body written.
fn answer(args: &Args, handles: &mut Handles) -> Outcome {
    let response = OutgoingResponse::new(fields::named(args, "headers")?.unwrap_or_else(Fields::new));
    response.set_status_code(args.narrow("status", 200)?).map_err(|()| Failure::code("invalid-status"))?;
    let shown = json!({"status": response.status_code(), "headers": fields::entries(&response.headers())});
    let body = response.body().map_err(|()| Failure::code("no-body"))?;
    handles.keep(args, body)?;
    Ok(shown)
}

/// The stream of a body, of either direction.
fn body_stream(args: &Args, handles: &mut Handles) -> Outcome {
    let name = args.text("handle")?;
    match handles.outgoing_body(name) {
        Ok(body) => {
            let stream = body.write().map_err(|()| Failure::code("no-body"))?;
            handles.keep(args, stream)?;
        }
        Err(Failure::Script(_)) => {
            let stream = handles.incoming_body(name)?.stream().map_err(|()| Failure::code("no-body"))?;
            handles.keep(args, stream)?;
        }
        Err(failure) => return Err(failure),
    }
    Ok(Value::Null)
}
