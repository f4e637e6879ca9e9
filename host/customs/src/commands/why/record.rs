//! `customs why LEDGER --seq N`: one record explained, from the ledger alone.

use crate::cli::{Format, Limits, Why};
use crate::exit::{Exit, Fault};
use crate::grants::build;
use crate::machine::{self, Machine};
use crate::output;
use customs_ledger::{Escaped, Verdict, verify};
use customs_policy::least::beyond;
use customs_policy::{Policy, RawGrants};
use std::io::{BufReader, Read as _, Seek as _};
use std::path::Path;

pub(super) fn run(args: &Why, path: &Path, seq: u64) -> Result<Exit, Fault> {
    if args.policy.is_some() || args.grants.raw(&Limits::default()) != RawGrants::default() {
        return Err(Fault::Refused(
            "a record is explained by its ledger; grants and --policy belong to a question such as --read PATH"
                .to_owned(),
        ));
    }
    let mut file = machine::open(path)?;
    let shown = path.display().to_string();
    let unreadable = |e: &std::io::Error| Fault::Refused(format!("{shown}: {}", machine::plain(e)));
    // All readings see the same part of a ledger that is still being written.
    let length = file.metadata().map_err(|e| unreadable(&e))?.len();
    let verdict = verify(BufReader::new((&file).take(length)), None).map_err(|e| unreadable(&e))?;
    file.rewind().map_err(|e| unreadable(&e))?;
    let second = machine::open(path)?;
    let found = customs_report::Why::read((&file).take(length), second.take(length), seq);
    let why = found.ok_or_else(|| Fault::Refused(format!("{shown}: there is no record {seq}")))?;
    if verdict.verdict != Verdict::Ok {
        output::person(&format!("warning  {}: {}\n", Escaped(&shown), Escaped(&verdict.detail)));
    }
    let denied = why.access().filter(|access| access.denied.is_some());
    let policy = policy(why.grants())?;
    let suggestion = denied.and_then(|access| {
        let missing = beyond(&policy, std::slice::from_ref(&access), &Machine);
        missing.into_iter().next().and_then(|missing| missing.suggestion)
    });
    output::result(&match args.output {
        Format::Text => why.text(suggestion.as_deref()),
        Format::Json => why.json(suggestion.as_deref()),
    })?;
    Ok(if verdict.verdict == Verdict::Ok { Exit::Returned } else { Exit::Error })
}

/// The policy of the run as far as its grants still make one here; otherwise one that grants nothing.
fn policy(grants: &[String]) -> Result<Policy, Fault> {
    let raw = RawGrants::of_texts(grants.iter().map(String::as_str)).unwrap_or_default();
    build(None, raw).or_else(|_| build(None, RawGrants::default()))
}
