//! `customs policy least`: learn mode. Ledgers of real runs in, the smallest policy that lets them pass out.

use crate::cli::{Format, Limits, PolicyLeast};
use crate::exit::{Exit, Fault};
use crate::grants::{build, read_policy};
use crate::machine::{self, Machine};
use crate::output;
use customs_ledger::{Escaped, Verdict, hex, verify};
use customs_policy::least::{Access, Least, Measured, Options, Told, of};
use customs_policy::{Layer, Policy, RawGrants};
use customs_report::Accesses;
use serde_json::{Value, json};
use std::io::{BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

pub(crate) fn run(args: &PolicyLeast) -> Result<Exit, Fault> {
    let ledgers = args.ledgers.iter().map(|path| read(path)).collect::<Result<Vec<Accesses>, Fault>>()?;
    let Some(first) = ledgers.first() else { return Err(Fault::Refused("name a ledger".to_owned())) };
    if let Some(other) = ledgers.iter().find(|ledger| ledger.component != first.component) {
        return Err(Fault::Refused(format!(
            "these ledgers are of {} and of {}; learn a policy for each",
            Escaped(&first.component),
            Escaped(&other.component)
        )));
    }
    let policy = policy(args, &ledgers)?;
    let alone = ledgers.len() == 1;
    let mut accesses: Vec<Access> = ledgers.iter().flat_map(|ledger| ledger.accesses.iter().cloned()).collect();
    if !alone {
        // A number says nothing where there are several ledgers.
        accesses.iter_mut().for_each(|access| access.seq = 0);
    }
    let measured = ledgers.iter().fold(Measured::default(), |sum, ledger| sum.or_more(&ledger.measured));
    let base = match &args.write {
        Some(path) => machine::parent(path)?.2.parent().unwrap_or(Path::new("/")).to_path_buf(),
        None => machine::canonical(&machine::working_directory()?).unwrap_or_else(|| PathBuf::from("/")),
    };
    let options = Options { base, generalize: args.generalize };
    let least = of(&policy, &accesses, &measured, &options, &Machine).map_err(Fault::refused)?;
    let toml = toml(&least, &ledgers, first);
    if let Some(path) = &args.write {
        write(path, &toml)?;
    }
    match args.output {
        Format::Json => output::result(&format!("{}\n", object(&least, &ledgers, first, &toml)))?,
        Format::Text if args.write.is_none() => output::result(&toml)?,
        Format::Text => {}
    }
    for told in least.unmet.iter().take(20) {
        let Told { capability, requested, reason, .. } = told;
        output::person(&format!("warning  {capability}  {}  is not in it: {}\n", Escaped(requested), Escaped(reason)));
    }
    Ok(if least.unmet.is_empty() { Exit::Returned } else { Exit::Error })
}

/// The accesses of a ledger. One that was changed says nothing about what ran.
fn read(path: &Path) -> Result<Accesses, Fault> {
    let shown = path.display().to_string();
    let unreadable = |e: &std::io::Error| Fault::Refused(format!("{shown}: {}", machine::plain(e)));
    let mut file = machine::open(path)?;
    let length = file.metadata().map_err(|e| unreadable(&e))?.len();
    let verdict = verify(BufReader::new((&file).take(length)), None).map_err(|e| unreadable(&e))?;
    match verdict.verdict {
        Verdict::Ok => {}
        Verdict::Unclosed | Verdict::Torn => {
            output::person(&format!(
                "warning  {}: {}: more may have happened\n",
                Escaped(&shown),
                Escaped(&verdict.detail)
            ));
        }
        Verdict::Altered { .. } | Verdict::Mismatch => {
            return Err(Fault::Refused(format!("{shown}: {}: no policy is made from it", verdict.detail)));
        }
    }
    file.rewind().map_err(|e| unreadable(&e))?;
    let found = Accesses::read((&file).take(length));
    if found.sha256.is_empty() {
        return Err(Fault::Refused(format!("{shown}: this is not a ledger")));
    }
    for (count, what) in [
        (found.malformed, "records do not have the form of their kind and were left out"),
        (found.left_out, "accesses past the first 300000 were left out"),
    ] {
        if count > 0 {
            output::person(&format!("warning  {}: {count} {what}\n", Escaped(&shown)));
        }
    }
    Ok(found)
}

/// The policy of these runs: as given here, or as the ledger has it.
fn policy(args: &PolicyLeast, ledgers: &[Accesses]) -> Result<Policy, Fault> {
    let flags = args.grants.raw(&args.limits);
    let given = args.policy.is_some() || args.grants.raw(&Limits::default()) != RawGrants::default();
    if given {
        let layer = args.policy.as_ref().map(|path| layer(args, path, ledgers)).transpose()?.flatten();
        let policy = build(layer, flags)?;
        if ledgers.iter().any(|ledger| ledger.policy != hex(&policy.digest())) {
            output::person(
                "warning  this is not the policy that these runs had: what it does not allow is not granted\n",
            );
        }
        return Ok(policy);
    }
    let Some(first) = ledgers.first() else { return Err(Fault::Refused("name a ledger".to_owned())) };
    if ledgers.iter().any(|ledger| ledger.policy != first.policy) {
        return Err(Fault::Refused(
            "these runs had different policies; give the one to stay inside of, with --policy or as flags".to_owned(),
        ));
    }
    if first.grants_cut {
        return Err(Fault::Refused(
            "the ledger does not have all grants of the run; give --policy or the flags".to_owned(),
        ));
    }
    let mut raw = RawGrants::of_texts(first.grants.iter().map(String::as_str)).map_err(Fault::Refused)?;
    raw.limits = flags.limits;
    let policy = build(None::<Layer>, raw).map_err(|fault| {
        Fault::Refused(format!("the grants in the ledger do not make a policy here: {}", fault.sentence()))
    })?;
    if hex(&policy.digest()) != first.policy {
        output::person(
            "warning  the ledger does not say from where its paths start, or which limits there were: they are read from here. \
             Give --policy, or the flags of the run, to be sure\n",
        );
    }
    Ok(policy)
}

/// The table of the file that is for this component.
fn layer(args: &PolicyLeast, path: &Path, ledgers: &[Accesses]) -> Result<Option<Layer>, Fault> {
    let read = read_policy(path)?;
    let component = ledgers.first().map_or("", |ledger| ledger.component.as_str());
    let stem = component.strip_suffix(".wasm").unwrap_or(component);
    let tools = &read.file.tools;
    let names_it = |written: &str| Path::new(written).file_name().is_some_and(|name| name == component);
    let by_component = tools.iter().find(|(_, entry)| entry.component.as_deref().is_some_and(names_it));
    let own = by_component.or_else(|| tools.iter().find(|(name, _)| *name == stem)).map(|(name, _)| name.as_str());
    let chosen = args.tool.as_deref().or(own);
    let (name, _) = match read.entry(chosen, None)? {
        Some(found) => found,
        None => return Ok(None),
    };
    Ok(read.layer(name))
}

fn table(component: &str) -> &str {
    component.strip_suffix(".wasm").unwrap_or(component)
}

fn toml(least: &Least, ledgers: &[Accesses], first: &Accesses) -> String {
    let calls: u64 = ledgers.iter().map(|ledger| ledger.calls).sum();
    let plural = if calls == 1 { "call" } else { "calls" };
    let mut tools: Vec<&str> = ledgers.iter().flat_map(|ledger| ledger.tools.iter().map(String::as_str)).collect();
    tools.sort_unstable();
    tools.dedup();
    let mut notes = vec![
        format!("The least that {calls} {plural} of {} needed ({}).", first.component, tools.join(", ")),
        "What these calls did not do is not in it: learn from runs that do what the tool is for.".to_owned(),
    ];
    if ledgers.iter().all(|ledger| ledger.sha256 == first.sha256) {
        notes.push(format!("To accept these bytes only: sha256 = \"{}\"", first.sha256));
    }
    let mut text = least.toml(table(&first.component), &notes);
    if let Some(flags) = least.flags().filter(|flags| !flags.is_empty()) {
        text.push_str(&format!("# As flags: {flags}\n"));
    }
    text
}

fn object(least: &Least, ledgers: &[Accesses], first: &Accesses, toml: &str) -> Value {
    let told = |told: &Told| {
        json!({"capability": told.capability.as_str(), "operation": told.operation, "requested": told.requested,
            "reason": told.reason, "count": told.count, "seq": told.seq})
    };
    let lines: Vec<Value> = least
        .lines
        .iter()
        .map(|line| {
            let capabilities: Vec<&str> = line.capabilities.iter().map(|capability| capability.as_str()).collect();
            json!({"key": line.key, "value": line.text, "carried": line.carried, "capabilities": capabilities,
                "count": line.count, "seq": line.seq, "note": line.note})
        })
        .collect();
    json!({
        "schema": "customs.policy-least/1",
        "component": {"name": first.component, "sha256": first.sha256},
        "calls": ledgers.iter().map(|ledger| ledger.calls).sum::<u64>(),
        "lines": lines,
        "denied": least.denied.iter().map(told).collect::<Vec<Value>>(),
        "unmet": least.unmet.iter().map(told).collect::<Vec<Value>>(),
        "flags": least.flags(),
        "toml": toml,
    })
}

/// A new file: a policy that somebody wrote is never written over.
fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let (dir, name, _) = machine::parent(path)?;
    let refuse = |e: std::io::Error| Fault::Refused(format!("{}: {}", path.display(), machine::plain(&e)));
    let mut options = cap_std::fs::OpenOptions::new();
    let mut file = dir.open_with(&name, options.write(true).create_new(true)).map_err(refuse)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(refuse)
}
