//! wasi:io: input and output streams by handle (`stream-` and the WIT name), splices between two of them, pollables.

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::io::{
        poll,
        streams::{InputStream, OutputStream, StreamError},
    },
    handles::{Handle, Handles},
    outcome::{Failure, Outcome},
};

/// blocking-write-and-flush takes no more at once; the host traps on a longer one.
const BLOCKING_WRITE_LIMIT: usize = 4096;

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "stream-read" => input(args, handles).and_then(|s| args.show(&s.read(len(args)?)?)),
        "stream-blocking-read" => input(args, handles).and_then(|s| args.show(&s.blocking_read(len(args)?)?)),
        "stream-read-all" => input(args, handles).and_then(|s| args.show(&read_all(s, len(args)?)?)),
        "stream-drain" => input(args, handles).and_then(|s| Ok(drain(s, len(args)?)?.into())),
        "stream-skip" => input(args, handles).and_then(|s| Ok(s.skip(len(args)?)?.into())),
        "stream-blocking-skip" => input(args, handles).and_then(|s| Ok(s.blocking_skip(len(args)?)?.into())),
        "stream-check-write" => output(args, handles).and_then(|s| Ok(s.check_write()?.into())),
        "stream-write" => output(args, handles).and_then(|s| write(args, s)),
        "stream-blocking-write-and-flush" => {
            output(args, handles).and_then(|s| Ok(s.blocking_write_and_flush(&args.content()?)?.into()))
        }
        "stream-write-all" => output(args, handles).and_then(|s| write_all(s, &args.content()?)),
        "stream-write-zeroes" => output(args, handles).and_then(|s| write_zeroes(args, s)),
        "stream-blocking-write-zeroes-and-flush" => {
            output(args, handles).and_then(|s| Ok(s.blocking_write_zeroes_and_flush(len(args)?)?.into()))
        }
        "stream-splice" => {
            output(args, handles).and_then(|s| Ok(s.splice(handles.input(args.text("from")?)?, len(args)?)?.into()))
        }
        "stream-blocking-splice" => output(args, handles)
            .and_then(|s| Ok(s.blocking_splice(handles.input(args.text("from")?)?, len(args)?)?.into())),
        "stream-splice-all" => output(args, handles)
            .and_then(|s| Ok(splice_all(s, handles.input(args.text("from")?)?, len(args)?)?.into())),
        "stream-flush" => output(args, handles).and_then(|s| Ok(s.flush()?.into())),
        "stream-blocking-flush" => output(args, handles).and_then(|s| Ok(s.blocking_flush()?.into())),
        "subscribe" | "stream-subscribe" => subscribe(args, handles),
        "pollable-ready" => pollable(args, handles, |p| json!(p.ready())),
        "pollable-block" => pollable(args, handles, |p| {
            p.block();
            Value::Null
        }),
        "poll" => poll_many(args, handles),
        _ => return None,
    })
}

fn input<'h>(args: &Args, handles: &'h Handles) -> Result<&'h InputStream, Failure> {
    handles.input(args.text("handle")?)
}

fn output<'h>(args: &Args, handles: &'h Handles) -> Result<&'h OutputStream, Failure> {
    handles.output(args.text("handle")?)
}

fn len(args: &Args) -> Result<u64, Failure> {
    args.number_or("len", 65536)
}

/// To the end of the stream, in pieces of `piece` bytes.
pub fn read_all(stream: &InputStream, piece: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(piece) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads to the end of the stream and keeps nothing. Gives how much there was.
fn drain(stream: &InputStream, piece: u64) -> Result<u64, Failure> {
    let mut total = 0;
    loop {
        match stream.blocking_read(piece) {
            Ok(part) => total += part.len() as u64,
            Err(StreamError::Closed) => return Ok(total),
            Err(error) => return Err(error.into()),
        }
    }
}

/// From one stream into the other until one of them ends. Gives how much went over; `closed` where it was the output
/// that ended.
pub fn splice_all(to: &OutputStream, from: &InputStream, piece: u64) -> Result<u64, Failure> {
    let mut total = 0;
    loop {
        match to.blocking_splice(from, piece) {
            Ok(spliced) => total += spliced,
            Err(StreamError::Closed) => {
                to.blocking_flush()?;
                return Ok(total);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// In pieces as large as one call may be.
pub fn write_all(stream: &OutputStream, bytes: &[u8]) -> Outcome {
    for part in bytes.chunks(BLOCKING_WRITE_LIMIT) {
        stream.blocking_write_and_flush(part)?;
    }
    Ok(bytes.len().into())
}

/// Waits for the stream to take anything, then writes all at once. `unchecked` writes without asking.
fn write(args: &Args, stream: &OutputStream) -> Outcome {
    let content = args.content()?;
    if !args.flag("unchecked", false)? {
        wait_for_room(stream)?;
    }
    stream.write(&content)?;
    Ok(content.len().into())
}

fn write_zeroes(args: &Args, stream: &OutputStream) -> Outcome {
    if !args.flag("unchecked", false)? {
        wait_for_room(stream)?;
    }
    Ok(stream.write_zeroes(len(args)?)?.into())
}

fn wait_for_room(stream: &OutputStream) -> Result<(), Failure> {
    while stream.check_write()? == 0 {
        stream.subscribe().block();
    }
    Ok(())
}

fn subscribe(args: &Args, handles: &mut Handles) -> Outcome {
    let name = args.text("handle")?;
    let pollable = match handles.any(name)? {
        Handle::Input(stream) => stream.subscribe(),
        Handle::Output(stream) => stream.subscribe(),
        Handle::Tcp(socket) => socket.subscribe(),
        Handle::Udp(socket) => socket.subscribe(),
        Handle::DatagramsIn(stream) => stream.subscribe(),
        Handle::DatagramsOut(stream) => stream.subscribe(),
        Handle::Addresses(stream) => stream.subscribe(),
        Handle::Exchange(future) => future.subscribe(),
        _ => return Err(Failure::script(format!("{name:?} cannot be waited for"))),
    };
    handles.keep(args, pollable)?;
    Ok(Value::Null)
}

fn pollable(args: &Args, handles: &Handles, act: impl Fn(&poll::Pollable) -> Value) -> Outcome {
    handles.pollable(args.text("handle")?).map(act)
}

fn poll_many(args: &Args, handles: &Handles) -> Outcome {
    let mut pollables = Vec::new();
    for name in args.list("handles")? {
        pollables.push(handles.pollable(name.as_str().ok_or_else(|| args.wrong("handles", "names"))?)?);
    }
    Ok(poll::poll(&pollables).into())
}
