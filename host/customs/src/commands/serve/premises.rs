//! What the protocol does not know: files and people.

use super::granting::Given;
use super::kitchen::{Kitchen, Served};
use super::written::with_grants;
use crate::commands::shown_name;
use crate::exit::Fault;
use crate::grants::{Read, read_policy_bytes};
use crate::machine::{self, Stamp};
use crate::{output, show};
use customs_engine::Report;
use customs_engine::load::read_component;
use customs_ledger::{hex, run_id};
use customs_policy::file::MAX_BYTES;
use customs_serve::{Ground, Hold, Proposal, Renewed, Subject};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the model reads of a component whose bytes are not those that it was shown.
const CHANGED: &str = "the component changed since it was listed; it is not run";
/// And of one that nobody can tell that of.
const UNREADABLE: &str = "the component cannot be read any more; it is not run until it can";
/// What cannot be enforced is looked at again so soon: what it lacks may be somewhere that is not watched.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Lines that are remembered, to be told once.
const MAX_TOLD: usize = 10_000;

/// The machine as it was last looked at.
pub(super) struct Premises {
    kitchen: Kitchen,
    policy: Option<PathBuf>,
    seen: Mutex<Seen>,
    /// Each line once, because clients keep what we say in their logs.
    told: Mutex<BTreeSet<String>>,
}

struct Seen {
    stamp: Option<Stamp>,
    bytes: Vec<u8>,
    /// Where the policy file really is.
    real: Option<PathBuf>,
    served: Vec<Served>,
    /// Why nothing is run, and when that was last looked at.
    refused: Option<(String, Instant)>,
}

impl Premises {
    /// Reads the policy and makes everything that is to be served.
    pub(super) async fn new(kitchen: Kitchen, policy: Option<PathBuf>) -> Result<Premises, Fault> {
        let seen = Premises::look(&kitchen, policy.as_deref(), &[]).await?;
        Ok(Premises { kitchen, policy, seen: Mutex::new(seen), told: Mutex::default() })
    }

    /// What is served now, with `before` what was.
    async fn look(kitchen: &Kitchen, policy: Option<&Path>, before: &[Served]) -> Result<Seen, Fault> {
        let stamp = policy.and_then(machine::stamp);
        let bytes = policy.map(|path| machine::read(path, MAX_BYTES as u64)).transpose()?.unwrap_or_default();
        let read: Option<Read> = policy.map(|path| read_policy_bytes(path, &bytes)).transpose()?;
        if read.as_ref().is_some_and(|read| read.weak) {
            output::person("warning  others may write the policy file: whoever does decides what these tools may do\n");
        }
        let real = read.as_ref().map(|read| read.real.clone());
        let mut served = Vec::new();
        for wanted in kitchen.wanted(read.as_ref())? {
            let known = before.iter().find(|known| known.wanted.path == wanted.path);
            let digest = known.map(|known| known.subject.session.program().sha256());
            match (kitchen.served(wanted.clone(), real.as_deref(), digest).await?, known) {
                (Some(new), _) => served.push(new),
                // Still listed as it was, and not run: a policy that says nothing of the new bytes has not approved them.
                (None, Some(known)) if known.wanted.name == wanted.name => {
                    known.subject.held.set(Some(CHANGED));
                    let (subject, stamp) = (Arc::clone(&known.subject), known.stamp);
                    served.push(Served { wanted, stamp, subject, given: Vec::new(), told: known.told.clone() });
                }
                (None, _) => {
                    let name = shown_name(&wanted.path);
                    return Err(Fault::Refused(format!("{name} has changed and the policy has no sha256 of it")));
                }
            }
        }
        Ok(Seen { stamp, bytes, real, served, refused: None })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subjects(&self) -> Vec<Arc<Subject>> {
        self.seen().served.iter().map(|served| Arc::clone(&served.subject)).collect()
    }

    /// Closes every ledger.
    pub(super) fn close(&self) -> Result<(), Fault> {
        self.kitchen.close_ledgers(true)
    }

    /// Closes what is not used any more. What cannot be closed is told; it is not in use.
    fn sweep(&self) {
        if let Err(fault) = self.kitchen.close_ledgers(false) {
            self.tell(fault.sentence());
        }
    }

    /// Whether the file of a component still holds the bytes that were compiled.
    fn check(&self, served: &mut Served) {
        let stamp = machine::stamp(&served.wanted.path);
        if machine::is_same(served.stamp.as_ref(), stamp.as_ref()) {
            return;
        }
        let name = shown_name(&served.wanted.path);
        let known = served.subject.session.program().sha256();
        let found = machine::open(&served.wanted.path)
            .map_err(|fault| fault.sentence().to_owned())
            .and_then(|file| read_component(file, &name, None).map_err(|e| e.to_string()));
        let before = served.subject.held.why();
        let told = match found {
            Ok(wasm) if wasm.sha256() == known => {
                // A component that was another one meanwhile stays held.
                if before != Some(UNREADABLE) {
                    served.stamp = stamp;
                    return;
                }
                served.subject.held.set(None);
                format!("{}: {name} can be read again and is what it was", served.wanted.name)
            }
            Ok(wasm) => {
                served.subject.held.set(Some(CHANGED));
                let (old, new) = (hex(&known), hex(&wasm.sha256()));
                format!(
                    "{}: {name} changed while it was served and is not run any more: it was {old} and is {new}; put this sha256 into the policy, or start again",
                    served.wanted.name
                )
            }
            Err(why) => {
                if before.is_none() {
                    served.subject.held.set(Some(UNREADABLE));
                }
                format!("{}: it is not run: {why}", served.wanted.name)
            }
        };
        if served.told != told {
            self.tell(&told);
            served.told = told;
        }
        served.stamp = stamp;
    }

    /// Whether the policy file says the same as before.
    fn same_policy(&self, seen: &mut Seen) -> bool {
        let Some(path) = &self.policy else { return true };
        let stamp = machine::stamp(path);
        if machine::is_same(seen.stamp.as_ref(), stamp.as_ref()) {
            return true;
        }
        let same = machine::read(path, MAX_BYTES as u64).is_ok_and(|bytes| bytes == seen.bytes)
            && machine::canonical(path) == seen.real;
        if same {
            seen.stamp = stamp;
        }
        same
    }

    fn renewed(&self, seen: &mut Seen) -> Renewed {
        let made = tokio::runtime::Handle::current().block_on(Premises::look(
            &self.kitchen,
            self.policy.as_deref(),
            &seen.served,
        ));
        match made {
            Ok(new) => {
                output::person(
                    "policy   changed; it is enforced from now on, and what was granted when asked is dropped\n",
                );
                *seen = new;
                Renewed::New(seen.served.iter().map(|served| Arc::clone(&served.subject)).collect())
            }
            Err(fault) => {
                let why = fault.sentence().to_owned();
                if seen.refused.as_ref().is_none_or(|(known, _)| *known != why) {
                    let what = "the policy was changed and cannot be enforced; nothing runs until it is mended";
                    self.tell(&format!("{what}: {why}"));
                }
                seen.stamp = self.policy.as_deref().and_then(machine::stamp);
                seen.refused = Some((why, Instant::now()));
                Renewed::Refused
            }
        }
    }

    fn write(&self, seen: &mut Seen, name: &str, proposal: &Proposal) -> Result<Arc<Subject>, Fault> {
        let nowhere = || Fault::Refused("there is no policy file to write it to".to_owned());
        let path = self.policy.as_deref().ok_or_else(nowhere)?;
        let real = seen.real.clone().ok_or_else(nowhere)?;
        let text = std::str::from_utf8(&seen.bytes).map_err(Fault::refused)?;
        let (text, file) = with_grants(text, name, &proposal.grants).map_err(Fault::Refused)?;
        let served = seen.served.iter_mut().find(|served| served.wanted.name == name).ok_or_else(nowhere)?;
        let base = real.parent().unwrap_or(Path::new("/")).to_path_buf();
        let mut wanted = served.wanted.clone();
        wanted.layer = file.layer(name, base);
        // Everything that can fail before the file says so.
        let policy = self.kitchen.policy(&wanted, &served.given, Some(&real))?;
        let given: Vec<Given> = served.given.iter().cloned().chain(Given::all(proposal, Hold::Always)).collect();
        let subject = self.kitchen.again(&served.subject, policy, &given)?;
        machine::replace(&real, &seen.bytes, text.as_bytes(), &run_id().map_err(Fault::internal)?)?;
        served.wanted = wanted;
        served.subject = Arc::clone(&subject);
        seen.bytes = text.into_bytes();
        seen.stamp = machine::stamp(path);
        Ok(subject)
    }
}

impl Ground for Premises {
    fn finished(&self, subject: &Subject, report: &Report) {
        if report.denials.is_empty() && report.findings.is_empty() && !report.ending.is_stop() {
            return;
        }
        let told = show::text::served(report, subject.session.policy());
        let told = subject.hidden.cover(&told);
        let mut known = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in told.lines() {
            let line = format!("{}: {line}", subject.name);
            if !known.contains(&line) {
                let _infallible = writeln!(text, "{line}");
                if known.len() < MAX_TOLD {
                    known.insert(line);
                }
            }
        }
        output::person(&text);
    }

    fn tell(&self, sentence: &str) {
        output::person(&format!("warning  {}\n", show::text::clean(sentence)));
    }

    fn moved(&self) -> bool {
        let seen = self.seen();
        let differs = |was: Option<&Stamp>, path: &Path| !machine::is_same(was, machine::stamp(path).as_ref());
        seen.refused.as_ref().is_some_and(|(_, at)| at.elapsed() >= LOOK_AGAIN)
            || self.policy.as_deref().is_some_and(|path| differs(seen.stamp.as_ref(), path))
            || seen.served.iter().any(|served| differs(served.stamp.as_ref(), &served.wanted.path))
    }

    fn renew(&self, _current: &[Arc<Subject>]) -> Renewed {
        let mut seen = self.seen();
        let renewed = if seen.refused.is_some() || !self.same_policy(&mut seen) {
            self.renewed(&mut seen)
        } else {
            seen.served.iter_mut().for_each(|served| self.check(served));
            Renewed::Same
        };
        drop(seen);
        self.sweep();
        renewed
    }

    fn proposal(&self, subject: &Subject, report: &Report) -> Option<Proposal> {
        let seen = self.seen();
        let served = seen.served.iter().find(|served| served.wanted.name == subject.name)?;
        let (policy, real) = (subject.session.policy(), seen.real.as_deref());
        self.kitchen.proposal(&report.denials, policy, &served.wanted, &served.given, real)
    }

    fn widen(&self, subject: &Arc<Subject>, proposal: &Proposal, hold: Hold) -> Result<Arc<Subject>, String> {
        let mut seen = self.seen();
        let seen = &mut *seen;
        let why = |fault: Fault| fault.sentence().to_owned();
        if hold == Hold::Always {
            return self.write(seen, &subject.name, proposal).map_err(why);
        }
        let served = seen.served.iter_mut().find(|served| served.wanted.name == subject.name);
        let served = served.ok_or_else(|| "the component is not served any more".to_owned())?;
        let given: Vec<Given> = served.given.iter().cloned().chain(Given::all(proposal, hold)).collect();
        let policy = self.kitchen.policy(&served.wanted, &given, seen.real.as_deref()).map_err(why)?;
        let wider = self.kitchen.again(subject, policy, &given).map_err(why)?;
        if hold == Hold::Session {
            served.given = given;
            served.subject = Arc::clone(&wider);
        }
        self.sweep();
        Ok(wider)
    }
}
