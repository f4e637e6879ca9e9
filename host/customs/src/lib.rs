//! customs: run MCP tools that you do not trust.
//!
//! This room talks to people. `cli` says what can be written on the command line, `machine` is the only place that asks the machine for
//! something by name, `commands` has one file for each verb, `show` turns what the engine and the ledger say into text or JSON. What is
//! granted is decided in `customs-policy`, what crosses is seen in `customs-boundary`, what runs is run by `customs-engine`.

mod arguments;
mod cli;
mod commands;
mod exit;
mod grants;
mod machine;
mod output;
mod show;
mod signals;

pub use exit::{Exit, Fault};

use clap::Parser as _;
use cli::{Cli, Command, PolicyCommand};

/// Parses the command line, runs the command, and says with which code to exit.
#[must_use]
pub fn main() -> std::process::ExitCode {
    signals::outlive_file_size_limit();
    if let Some(code) = commands::compile::intercept() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap writes help to stdout and errors to stderr, and knows which is which.
            let failed = error.print().is_err();
            let usage = if error.use_stderr() || failed { Exit::Usage } else { Exit::Returned };
            return usage.into();
        }
    };
    match guarded(|| dispatch(cli)) {
        Ok(exit) => exit.into(),
        Err(fault) => {
            output::complain(&fault);
            fault.exit().into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Fault> {
    match cli.command {
        Command::Run(run) => commands::run::run(&run),
        Command::Serve(serve) => commands::serve::run(&serve),
        Command::Replay(replay) => commands::replay::run(&replay),
        Command::Inspect(inspect) => commands::inspect::run(&inspect),
        Command::Verify(verify) => commands::verify::run(&verify),
        Command::Report(report) => commands::report::run(&report),
        Command::Scan(scan) => commands::scan::run(&scan),
        Command::Why(why) => commands::why::run(&why),
        Command::Policy(PolicyCommand::Check(check)) => commands::policy::check(&check),
        Command::Policy(PolicyCommand::Show(show)) => commands::policy::show(&show),
        Command::Policy(PolicyCommand::Diff(diff)) => commands::policy::diff::run(&diff),
        Command::Policy(PolicyCommand::Least(least)) => commands::policy::least::run(&least),
        Command::Policy(PolicyCommand::Import(import)) => commands::policy::import::run(&import),
        Command::New(new) => commands::new::run(&new),
        Command::Docs(docs) => commands::docs::run(&docs),
    }
}

/// A panic is a bug of ours. It ends the call: what was recorded stays recorded, the ledger is left unclosed, and the person gets one
/// sentence instead of a backtrace.
fn guarded(work: impl FnOnce() -> Result<Exit, Fault>) -> Result<Exit, Fault> {
    let place = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let seen = std::sync::Arc::clone(&place);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let (Ok(mut place), Some(location)) = (seen.lock(), info.location()) {
            *place = format!(" at {}:{}", location.file(), location.line());
        }
    }));
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    std::panic::set_hook(before);
    done.unwrap_or_else(|_| {
        let place = place.lock().map(|place| place.clone()).unwrap_or_default();
        Err(Fault::Internal(format!("customs has a bug{place}: nothing more was done; please report it")))
    })
}

#[cfg(test)]
mod tests {
    use super::{Exit, Fault, guarded};

    #[test]
    fn a_panic_of_ours_is_a_fault_with_a_place_and_a_result_is_passed_on() {
        let Err(Fault::Internal(why)) = guarded(|| panic!("guest text \u{1b}[31m")) else { panic!("not a fault") };
        assert!(why.contains("lib.rs:") && !why.contains("guest text"), "{why}");
        assert_eq!(guarded(|| Ok(Exit::Error)), Ok(Exit::Error));
    }
}
