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
    let done = match cli.command {
        Command::Run(run) => commands::run::run(&run),
        Command::Inspect(inspect) => commands::inspect::run(&inspect),
        Command::Verify(verify) => commands::verify::run(&verify),
        Command::Why(why) => commands::why::run(&why),
        Command::Policy(PolicyCommand::Check(check)) => commands::policy::check(&check),
        Command::Policy(PolicyCommand::Show(show)) => commands::policy::show(&show),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(fault) => {
            output::complain(&fault);
            fault.exit().into()
        }
    }
}
