//! Where text leaves the program. stdout carries the result and nothing else; stderr carries what a person should see. Guest text is
//! escaped before it gets here.

use crate::exit::Fault;
use customs_ledger::Escaped;
use std::io::{self, IsTerminal as _, Write as _};

/// Writes a result. A reader that has gone is no error of ours.
pub(crate) fn result(text: &str) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(e) => Err(Fault::Internal(format!("the result could not be written: {e}"))),
    }
}

/// Writes lines for a person. Where stderr is gone nobody reads them, and the exit code still tells.
pub(crate) fn person(text: &str) {
    let mut err = io::stderr().lock();
    err.write_all(text.as_bytes()).and_then(|()| err.flush()).ok();
}

/// The one sentence of a command that failed.
pub(crate) fn complain(fault: &Fault) {
    let label = match fault {
        Fault::Refused(_) => "error",
        Fault::Internal(_) => "fault",
    };
    person(&format!("{}    {}\n", paint(label, Colour::Red), Escaped(fault.sentence())));
}

pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Colour for meaning, on stderr, for people who see it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Colour {
    Red,
    Yellow,
    Dim,
}

/// Whether stderr has colours.
pub(crate) fn is_coloured() -> bool {
    stderr_is_terminal() && !crate::machine::no_colour()
}

pub(crate) fn paint(text: &str, colour: Colour) -> String {
    if !is_coloured() {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Red => 31,
        Colour::Yellow => 33,
        Colour::Dim => 2,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
