//! From what a call was refused to what a person is asked for.

use super::kitchen::{Kitchen, Wanted};
use crate::machine::{self, Machine};
use crate::show::text::suggestion;
use customs_boundary::DenialRow;
use customs_policy::{DenialCode, GuestPath, Layer, Mount, Origin, Policy, RawGrants};
use customs_serve::{Grant, Hold, Proposal};
use std::path::{Path, PathBuf};

/// Grants in one question. More would not be read.
const MAX_GRANTS: usize = 3;
/// Refused accesses of a call that are looked at.
const MAX_ROWS: usize = 20;

/// A grant that a person gave.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) grant: Grant,
    pub(super) hold: Hold,
}

impl Given {
    /// For the ledger's open record.
    pub(super) fn note(&self) -> String {
        format!("granted by a person when asked ({}): {}", self.hold.as_str(), self.grant.rule())
    }

    pub(super) fn all(proposal: &Proposal, hold: Hold) -> impl Iterator<Item = Given> {
        proposal.grants.iter().map(move |grant| Given { grant: grant.clone(), hold })
    }
}

/// The list that a key stands for.
pub(super) fn list<'a>(raw: &'a mut RawGrants, key: &str) -> Option<&'a mut Vec<String>> {
    Some(match key {
        "allow-read" => &mut raw.allow_read,
        "allow-write" => &mut raw.allow_write,
        "dir" => &mut raw.dir,
        "allow-env" => &mut raw.allow_env,
        "allow-net" => &mut raw.allow_net,
        "allow-tcp" => &mut raw.allow_tcp,
        "allow-udp" => &mut raw.allow_udp,
        "allow-listen" => &mut raw.allow_listen,
        "resolve" => &mut raw.resolve,
        _ => return None,
    })
}

pub(super) fn as_raw<'a>(grants: impl Iterator<Item = &'a Grant>) -> RawGrants {
    let mut raw = RawGrants::default();
    for grant in grants {
        if let Some(list) = list(&mut raw, grant.key) {
            list.push(grant.entry.clone());
        }
    }
    raw
}

/// The keys that a suggestion can have.
const KEYS: [&str; 9] =
    ["allow-read", "allow-write", "dir", "allow-env", "allow-net", "allow-tcp", "allow-udp", "allow-listen", "resolve"];

/// The smallest grant that would have allowed it.
fn smallest(row: &DenialRow, policy: &Policy) -> Option<Grant> {
    let flag = suggestion(row, policy)?;
    let (key, entry) =
        unquoted(&flag).strip_prefix("--")?.split_once('=').map(|(k, e)| (k.to_owned(), e.to_owned()))?;
    let key = *KEYS.iter().find(|known| **known == key)?;
    // The suggestion names the grant as it was written, beside a file or a directory that may not be ours.
    let entry = if row.code == DenialCode::ReadOnly { widened(row, policy, key)? } else { entry };
    Some(Grant { capability: row.capability.as_str(), requested: row.requested.clone(), key, entry })
}

/// A flag that was ready for a shell, as the program gets it.
fn unquoted(flag: &str) -> String {
    match flag.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.replace(r"'\''", "'"),
        None => flag.to_owned(),
    }
}

/// The grant that covers the path, with leave to write, by its real place.
fn widened(row: &DenialRow, policy: &Policy, key: &str) -> Option<String> {
    let path = row.resolved.as_ref().unwrap_or(&row.requested);
    let guest = GuestPath::root().join(path.trim_start_matches('/')).ok()?;
    let covering = policy.mounts().iter().filter(|mount| guest.starts_with(&mount.guest));
    let mount: &Mount = covering.max_by_key(|mount| mount.guest.as_str().len())?;
    let host = mount.host.to_str()?;
    match key {
        "allow-write" if !host.contains(',') && !host.contains("::") => Some(format!("{host}::{}", mount.guest)),
        "dir" if !host.contains("::") => Some(format!("{host}::{}::rw", mount.guest)),
        _ => None,
    }
}

impl Kitchen {
    /// What a person could grant so that these would not be refused again.
    pub(super) fn proposal(
        &self,
        rows: &[DenialRow],
        policy: &Policy,
        wanted: &Wanted,
        given: &[Given],
        policy_file: Option<&Path>,
    ) -> Option<Proposal> {
        let mut grants: Vec<Grant> = Vec::new();
        for row in rows.iter().take(MAX_ROWS) {
            let Some(grant) = smallest(row, policy) else { continue };
            if grants.iter().any(|known| known.key == grant.key && known.entry == grant.entry) {
                continue;
            }
            let mut with = grants.clone();
            with.push(grant);
            if self.would_hold(&with, row, wanted, given, policy_file) {
                grants = with;
            }
            if grants.len() == MAX_GRANTS {
                break;
            }
        }
        if grants.is_empty() {
            return None;
        }
        let lasting = wanted.layer.is_some() && policy_file.is_some_and(machine::may_replace);
        Some(Proposal { grants, lasting })
    }

    /// Whether these grants can be given and change what was said to the last of them.
    fn would_hold(
        &self,
        grants: &[Grant],
        row: &DenialRow,
        wanted: &Wanted,
        given: &[Given],
        policy_file: Option<&Path>,
    ) -> bool {
        // Alone, so that nobody's --dangerously-allow covers them too.
        let alone = Layer { raw: as_raw(grants.iter()), base: PathBuf::from("/"), origin: Origin::Flags };
        if Policy::build(&[alone], &Machine).is_err() {
            return false;
        }
        let given: Vec<Given> =
            given.iter().cloned().chain(grants.iter().map(|g| Given { grant: g.clone(), hold: Hold::Once })).collect();
        let Ok(wider) = self.policy(wanted, &given, policy_file) else { return false };
        grants.last() != smallest(row, &wider).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_flag_is_read_as_a_shell_would_read_it() {
        for (flag, wanted) in [
            ("--allow-read=/a/b", "--allow-read=/a/b"),
            ("'--allow-read=/a b'", "--allow-read=/a b"),
            (r"'--allow-read=/it'\''s'", "--allow-read=/it's"),
        ] {
            assert_eq!(unquoted(flag), wanted);
        }
    }

    #[test]
    fn each_key_of_a_suggestion_has_its_list() {
        for key in KEYS {
            let mut raw = RawGrants::default();
            list(&mut raw, key).unwrap().push("x".to_owned());
            assert_ne!(raw, RawGrants::default(), "{key}");
        }
        assert!(list(&mut RawGrants::default(), "deny-read").is_none());
    }
}
