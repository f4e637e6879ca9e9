//! wasi:clocks: what time it is, and waiting.

use std::hint::black_box;

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::clocks::{monotonic_clock, wall_clock},
    handles::Handles,
    outcome::{Failure, Outcome},
};

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "wall-now" => Ok(datetime(wall_clock::now())),
        "wall-resolution" => Ok(datetime(wall_clock::resolution())),
        "mono-now" => Ok(monotonic_clock::now().into()),
        "mono-resolution" => Ok(monotonic_clock::resolution().into()),
        "sleep" => args.number("ns").and_then(|ns| wait(args, handles, monotonic_clock::subscribe_duration(ns))),
        "sleep-until" => {
            args.number("instant").and_then(|at| wait(args, handles, monotonic_clock::subscribe_instant(at)))
        }
        "spin-mono" => times(args, || {
            black_box(monotonic_clock::now());
        }),
        "zero-sleeps" => times(args, || monotonic_clock::subscribe_duration(0).block()),
        _ => return None,
    })
}

/// Waits, or with `as` keeps the pollable for later.
fn wait(args: &Args, handles: &mut Handles, pollable: monotonic_clock::Pollable) -> Outcome {
    if args.get("as").is_some() {
        handles.keep(args, pollable)?;
    } else {
        pollable.block();
    }
    Ok(Value::Null)
}

fn times(args: &Args, act: impl Fn()) -> Result<Value, Failure> {
    let times = args.number("times")?;
    (0..times).for_each(|_| act());
    Ok(times.into())
}

fn datetime(at: wall_clock::Datetime) -> Value {
    json!({"seconds": at.seconds, "nanoseconds": at.nanoseconds})
}
