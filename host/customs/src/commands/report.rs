//! `customs report`: what a ledger says, for people, scripts, code scanning and browsers.

use super::shown_name;
use crate::cli::{Report, ReportFormat};
use crate::exit::{Exit, Fault};
use crate::{machine, output};
use customs_ledger::verify;
use customs_report::Story;
use std::io::{BufReader, Read as _, Seek as _};

/// The report goes to stdout. A ledger that is not sound is told of all the same, and the exit code is that of `verify`.
pub(crate) fn run(args: &Report) -> Result<Exit, Fault> {
    let mut file = machine::open(&args.ledger)?;
    let unreadable = |e: &std::io::Error| Fault::Refused(format!("{}: {}", args.ledger.display(), machine::plain(e)));
    // Both readings see the same part of a ledger that is still being written.
    let length = file.metadata().map_err(|e| unreadable(&e))?.len();
    let verdict = verify(BufReader::new((&file).take(length)), None).map_err(|e| unreadable(&e))?;
    file.rewind().map_err(|e| unreadable(&e))?;
    let name = shown_name(&args.ledger);
    let story = Story::read((&file).take(length), verdict, &name)
        .map_err(|why| Fault::Refused(format!("{}: {why}", args.ledger.display())))?;
    let report = match args.output {
        ReportFormat::Text => customs_report::text(&story),
        ReportFormat::Json => customs_report::json(&story),
        ReportFormat::Sarif => customs_report::sarif(&story),
        ReportFormat::Html => customs_report::html(&story),
    };
    output::result(&report)?;
    Ok(if story.is_sound() { Exit::Returned } else { Exit::Error })
}
