//! `customs policy import`: a policy of another host as a table of `customs.toml`, on standard output.

use crate::cli::PolicyImport;
use crate::exit::{Exit, Fault};
use crate::{machine, output};
use customs_ledger::Escaped;
use customs_policy::import::{MAX_BYTES, wassette};

/// What could not be carried over is a comment in the table, and a warning here: the exit code is 1 then.
pub(crate) fn run(args: &PolicyImport) -> Result<Exit, Fault> {
    let shown = args.file.display().to_string();
    let bytes = machine::read(&args.file, MAX_BYTES as u64)?;
    let found = wassette(&bytes, &shown).map_err(Fault::refused)?;
    let directory = machine::canonical(&args.file).and_then(|real| {
        real.parent().and_then(|parent| parent.file_name()).map(|name| name.to_string_lossy().into_owned())
    });
    let table = args.tool.clone().or(directory).unwrap_or_else(|| "tool".to_owned());
    if table.is_empty() || table.chars().any(char::is_control) {
        return Err(Fault::Refused("--tool: the name of a table is a text without control characters".to_owned()));
    }
    output::result(&found.toml(&table, &shown))?;
    for left in &found.left {
        output::person(&format!("warning  line {} is not carried over: {}\n", left.line, Escaped(&left.what)));
    }
    Ok(if found.left.is_empty() { Exit::Returned } else { Exit::Error })
}
