//! wasi:cli: the standard streams, the terminals behind them, and exit.

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::{
        cli::{exit, stderr, stdin, stdout, terminal_stderr, terminal_stdin, terminal_stdout},
        io::streams::OutputStream,
    },
    handles::Handles,
    ops::streams,
    outcome::{Failure, Outcome},
};

const MIB: usize = 1 << 20;

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "stdin" => stdin(args, handles),
        "stdout" => standard(args, handles, stdout::get_stdout()),
        "stderr" => standard(args, handles, stderr::get_stderr()),
        "flood" => flood(args),
        "terminals" => Ok(json!({
            "stdin": terminal_stdin::get_terminal_stdin().is_some(),
            "stdout": terminal_stdout::get_terminal_stdout().is_some(),
            "stderr": terminal_stderr::get_terminal_stderr().is_some(),
        })),
        "exit" => args.flag("ok", true).map(|ok| {
            exit::exit(if ok { Ok(()) } else { Err(()) });
            Value::Null
        }),
        "exit-with-code" => args.narrow("code", 0).map(|code| {
            exit::exit_with_code(code);
            Value::Null
        }),
        _ => return None,
    })
}

/// Reads up to `len` bytes, or all where `len` is left out. With `as` it only keeps the stream.
fn stdin(args: &Args, handles: &mut Handles) -> Outcome {
    let stream = stdin::get_stdin();
    if args.get("as").is_some() {
        handles.keep(args, stream)?;
        return Ok(Value::Null);
    }
    match args.number_or_none("len")? {
        Some(len) => args.show(&stream.blocking_read(len)?),
        None => args.show(&streams::read_all(&stream, 65536)?),
    }
}

/// Writes the content. With `as` it only keeps the stream.
fn standard(args: &Args, handles: &mut Handles, stream: OutputStream) -> Outcome {
    if args.get("as").is_some() {
        handles.keep(args, stream)?;
        return Ok(Value::Null);
    }
    streams::write_all(&stream, &args.content()?)
}

/// `mib` MiB of lines to standard output, or to standard error where `to` says so.
fn flood(args: &Args) -> Outcome {
    let stream = match args.text_or_none("to")?.unwrap_or("stdout") {
        "stdout" => stdout::get_stdout(),
        "stderr" => stderr::get_stderr(),
        _ => return Err(Failure::script("flood: to is stdout or stderr")),
    };
    let line = [b"flood ".repeat(10).as_slice(), b"end\n"].concat();
    let part = line.repeat(MIB / line.len());
    let mib = args.number_or("mib", 1)?;
    for _ in 0..mib {
        streams::write_all(&stream, &part)?;
    }
    Ok(mib.into())
}
