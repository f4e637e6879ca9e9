//! What the boundary saw of one call, reduced to what can be compared with another call: never words of the answer.

use customs_audit::decoys::HOME;
use customs_engine::{Ending, Report};
use customs_ledger::Ledger;
use customs_policy::Capability;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One access, allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) capability: Capability,
    pub(super) operation: String,
    /// What it was about: a path as it resolved, a method and URL, a name, an end.
    pub(super) target: String,
    pub(super) allowed: bool,
    /// An argument of the call names it.
    pub(super) asked: bool,
}

/// A call as it was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) accesses: Vec<Access>,
    pub(super) report: Report,
    pub(super) named: Named,
    /// The same for the least policy, where that is wanted.
    pub(super) needs: Vec<customs_policy::least::Access>,
}

impl Seen {
    /// Takes the accesses from the call's own ledger: the report has those that were refused, the ledger has all.
    pub(super) fn of(ledger: &Ledger, report: Report, arguments: &Map<String, Value>) -> Seen {
        let named = Named::of(arguments);
        let records = ledger.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let accesses = records.filter_map(|record| access(&record, &named)).collect();
        Seen { accesses, report, named, needs: Vec::new() }
    }

    /// No argument names what this access is about.
    pub(super) fn is_own(&self, access: &customs_policy::least::Access) -> bool {
        let names = |target: &str| self.named.names(access.capability, target);
        !names(&access.requested) && !access.resolved.as_deref().is_some_and(names)
    }

    /// Something outside may be another now.
    pub(super) fn changed_files(&self) -> bool {
        self.accesses.iter().any(|access| access.allowed && access.capability == Capability::FsWrite)
    }

    /// What kind of ending it was, with the limit where it was one.
    pub(super) fn ending(&self) -> String {
        match &self.report.ending {
            Ending::Limit { limit, .. } => format!("limit {limit}"),
            other => other.kind().to_owned(),
        }
    }

    /// Everything that it did, each once, with how often, as another call can be compared with.
    pub(super) fn behaviours(&self) -> BTreeMap<Deed, Count> {
        let mut all: BTreeMap<Deed, Count> = BTreeMap::new();
        for access in &self.accesses {
            let count = all.entry(Deed::of(access)).or_default();
            // All variables are handed over at once, with a record for each.
            let once = access.capability == Capability::EnvGet && access.allowed && count.allowed > 0;
            if access.allowed {
                count.allowed += u64::from(!once);
            } else {
                count.denied += 1;
            }
        }
        all
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) allowed: u64,
    pub(super) denied: u64,
}

/// What a tool asks for that asks for a variable: WASI gives all of them at once.
const ENVIRONMENT: &str = "all variables";

/// A kind of access: what differs by chance, or because an argument says so, is taken out of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Deed {
    pub(super) capability: Capability,
    /// Only where it tells changes apart: creating, removing, renaming.
    pub(super) operation: String,
    pub(super) target: String,
    pub(super) asked: bool,
}

impl Deed {
    fn of(access: &Access) -> Deed {
        let operation = if access.capability == Capability::FsWrite { access.operation.clone() } else { String::new() };
        if access.capability == Capability::EnvGet && access.allowed {
            return Deed { capability: access.capability, operation, target: ENVIRONMENT.to_owned(), asked: false };
        }
        let target = if access.asked { String::new() } else { plain(access.capability, &access.target) };
        Deed { capability: access.capability, operation, target, asked: access.asked }
    }
}

/// A target without what is another in every call: the query of a URL, and numbers of three and more digits in a path, such as times.
fn plain(capability: Capability, target: &str) -> String {
    match capability {
        Capability::HttpRequest => {
            let end = target.find(['?', '#']).unwrap_or(target.len());
            target.get(..end).unwrap_or(target).to_owned()
        }
        Capability::FsRead | Capability::FsWrite | Capability::FsList | Capability::FsStat => numbers(target),
        _ => target.to_owned(),
    }
}

pub(super) fn numbers(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut digits = String::new();
    for c in path.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        plain.push_str(if digits.len() >= 3 { "#" } else { &digits });
        digits.clear();
        if c != '\0' {
            plain.push(c);
        }
    }
    plain
}

fn access(record: &Value, named: &Named) -> Option<Access> {
    if record.get("event").and_then(Value::as_str) != Some("access") {
        return None;
    }
    let word = |key: &str| record.get(key).and_then(Value::as_str);
    let capability: Capability = word("cap")?.parse().ok()?;
    let requested = word("requested")?;
    let resolved = word("resolved").filter(|path| path.starts_with('/'));
    let target = match capability {
        // Where it really leads: a link is another name.
        Capability::FsRead | Capability::FsWrite | Capability::FsList | Capability::FsStat => {
            resolved.unwrap_or(requested)
        }
        _ => requested,
    };
    // Either name of it will do.
    let asked = named.names(capability, target) || named.names(capability, requested);
    Some(Access {
        capability,
        operation: word("op").unwrap_or_default().to_owned(),
        target: target.to_owned(),
        allowed: word("decision") == Some("allow"),
        asked,
    })
}

/// From about this length on a ledger has only the start of a name.
const CUT: usize = 1_000;
/// A part of a path of so many characters stands in an argument for no other reason.
const LONG_PART: usize = 16;
/// Shortest text of an argument that can name something.
const SHORTEST: usize = 3;

/// What the arguments of a call can be said to name.
#[derive(Debug)]
pub(super) struct Named {
    /// Every text of them, as it is and with escapes undone.
    texts: Vec<String>,
    /// The same as absolute paths, or as the end of one.
    paths: Vec<String>,
    /// The same, letters and digits alone.
    letters: Vec<String>,
}

impl Named {
    pub(super) fn of(arguments: &Map<String, Value>) -> Named {
        let mut texts = Vec::new();
        leaves(&Value::Object(arguments.clone()), &mut texts, 0);
        let undone: Vec<String> = texts.iter().filter(|text| text.contains('%')).map(|text| percent(text)).collect();
        texts.extend(undone);
        let paths = texts.iter().map(|text| normal(text)).filter(|path| path.len() > 1).collect();
        let letters = texts.iter().map(|text| letters(text)).filter(|text| text.len() >= SHORTEST).collect();
        Named { texts, paths, letters }
    }

    pub(super) fn names(&self, capability: Capability, target: &str) -> bool {
        match capability {
            Capability::EnvGet => self.texts.iter().any(|text| text == target),
            Capability::FsRead | Capability::FsWrite | Capability::FsList | Capability::FsStat => self.path(target),
            Capability::HttpRequest => host(target).is_some_and(|host| self.has(host)),
            Capability::DnsLookup => self.has(target),
            Capability::TcpConnect | Capability::TcpListen | Capability::UdpSend => {
                self.has(target.rsplit_once(':').map_or(target, |(host, _)| host))
            }
            _ => false,
        }
    }

    fn has(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        name.len() >= SHORTEST && self.texts.iter().any(|text| text.to_ascii_lowercase().contains(&name))
    }

    /// A path is named where an argument is it, is its end, is a folder above it, has it somewhere in it, or has a part of it in it that nobody
    /// has by chance.
    fn path(&self, target: &str) -> bool {
        let plain = normal(target);
        let is_it = |path: &String| match path.strip_prefix('/') {
            Some(_) => plain == *path || plain.starts_with(&format!("{path}/")),
            None => plain.ends_with(&format!("/{path}")) || plain.contains(&format!("/{path}/")),
        };
        let has_it = |text: &String| {
            !text.is_empty() && (target.ends_with(&format!("/{text}")) || target.len() > 4 && text.contains(target))
        };
        // A long name is the argument's, whatever stands around it; the ledger has only the start of a very long one.
        let part = |part: &str| part.len() >= LONG_PART && self.texts.iter().any(|text| text.contains(part));
        // Of such a name the ledger has the start only.
        let long = target.len() >= CUT && self.texts.iter().any(|text| text.len() >= CUT);
        if long || self.paths.iter().any(is_it) || self.texts.iter().any(has_it) || target.split('/').any(part) {
            return true;
        }
        let name = target.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem });
        let stem = letters(stem);
        // A title that became a file's name: all of it, or as much as fits into a name.
        let named = |text: &String| text.contains(&stem) || stem.starts_with(text.as_str()) && text.len() >= 8;
        stem.len() > SHORTEST && self.letters.iter().any(named)
    }
}

/// The host of `GET https://host:port/path`.
pub(super) fn host(request: &str) -> Option<&str> {
    let url = request.split_once(' ').map_or(request, |(_, url)| url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(
        authority
            .rsplit_once(':')
            .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
            .map_or(authority, |(host, _)| host),
    )
}

fn leaves(value: &Value, texts: &mut Vec<String>, depth: usize) {
    const DEEPEST: usize = 64;
    const MOST: usize = 10_000;
    if depth > DEEPEST || texts.len() > MOST {
        return;
    }
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts, depth + 1)),
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            // Keys of a map are the caller's words too; those of a record are the schema's, and name nothing that is asked for.
            if depth > 0 {
                texts.push(key.clone());
            }
            leaves(member, texts, depth + 1);
        }),
        _ => {}
    }
}

/// A text as a path: `.` and `..` are taken out, `~` is the home; what climbs out of a relative one ends at the root.
fn normal(text: &str) -> String {
    let text = text.split('\0').next().unwrap_or_default().trim();
    let text = text.strip_prefix("file://").unwrap_or(text).replace('\\', "/");
    let (text, absolute) = match text.strip_prefix("~/") {
        Some(rest) => (format!("{HOME}/{rest}"), true),
        None => {
            let absolute = text.starts_with('/');
            (text, absolute)
        }
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if absolute { format!("/{joined}") } else { joined }
}

fn percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| *byte == b'%') {
            Some(undone) => {
                out.push(undone);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(arguments: &Value) -> Named {
        Named::of(arguments.as_object().unwrap())
    }

    #[test]
    fn audit_a_path_that_an_argument_names_in_some_way_is_asked_for_and_its_neighbour_is_not() {
        let path = |argument: &str, target: &str| named(&json!({"p": argument})).names(Capability::FsRead, target);
        for (argument, target) in [
            ("/etc/passwd", "/etc/passwd"),
            ("../../../../etc/passwd", "/etc/passwd"),
            ("..\\..\\etc\\passwd", "/etc/passwd"),
            ("%2e%2e%2fetc%2fpasswd", "/etc/passwd"),
            ("file:///etc/passwd", "/etc/passwd"),
            ("/etc/passwd\0.md", "/etc/passwd"),
            ("; cat /etc/passwd", "/etc/passwd"),
            ("~/.ssh/id_rsa", "/home/dev/.ssh/id_rsa"),
            ("~/.ssh", "/home/dev/.ssh/id_rsa"),
            ("shopping.md", "/data/shopping.md"),
            ("My First Note!", "/data/my-first-note.md"),
        ] {
            assert!(path(argument, target), "{argument:?} names {target}");
        }
        for (argument, target) in [
            ("/etc/hosts", "/etc/passwd"),
            ("/", "/etc/passwd"),
            ("", "/etc/passwd"),
            (".", "/home/dev/.ssh/id_rsa"),
            ("~/.sshd", "/home/dev/.ssh/id_rsa"),
            ("a", "/data/a/b"),
            ("hello", "/data/secret.txt"),
        ] {
            assert!(!path(argument, target), "{argument:?} does not name {target}");
        }
    }

    #[test]
    fn audit_a_host_that_an_argument_has_is_asked_for_and_another_is_not() {
        let net = |argument: &str, target: &str| named(&json!({"u": argument})).names(Capability::HttpRequest, target);
        assert!(net("https://api.example.com/x", "GET https://api.example.com/y"));
        assert!(!net("https://api.example.com/x", "GET https://evil.example.com/y"));
        assert!(named(&json!({"u": "x"})).paths.is_empty(), "one letter names nothing");
    }

    #[test]
    fn audit_numbers_in_names_do_not_make_another_deed() {
        assert_eq!(numbers("/tmp/log-20270101.txt"), "/tmp/log-#.txt");
        assert_eq!(numbers("/data/v12/a1"), "/data/v12/a1");
        assert_eq!(plain(Capability::HttpRequest, "GET https://a.example/x?id=12"), "GET https://a.example/x");
    }
}
