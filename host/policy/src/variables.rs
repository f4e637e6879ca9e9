//! Environment variables: names and patterns, and the values the guest will see.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use crate::entry::{Entry, Split, entries};
use crate::error::PolicyError;
use crate::raw::Layer;

/// The largest value of a variable. The kernel's own limit for one string of an environment; more is a mistake or an attack
/// on whoever has to show it.
pub const MAX_VALUE: usize = 128 * 1024;

/// A variable that the guest sees.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value; a secret until shown otherwise.
    pub value: String,
    /// The rule that granted it.
    pub rule: Arc<str>,
    /// Whether the value is the host's, not one written in a flag or file.
    pub from_host: bool,
}

impl fmt::Debug for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvVar({}=… by {:?})", self.name, self.rule)
    }
}

/// A name, or `PREFIX*`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NamePattern {
    text: String,
    is_prefix: bool,
}

impl NamePattern {
    fn parse(entry: &Entry<'_>) -> Result<NamePattern, PolicyError> {
        let (text, is_prefix) = match entry.text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (entry.text, false),
        };
        if text.contains('*') {
            return Err(entry.error("* can only stand at the end of a name"));
        }
        check_name(entry, text)?;
        Ok(NamePattern { text: text.to_owned(), is_prefix })
    }

    /// Bytes, exactly: on this system variables that differ in case are different variables.
    fn matches(&self, name: &[u8]) -> bool {
        if self.is_prefix { name.starts_with(self.text.as_bytes()) } else { name == self.text.as_bytes() }
    }

    fn is_everything(&self) -> bool {
        self.is_prefix && self.text.is_empty()
    }
}

fn check_name(entry: &Entry<'_>, name: &str) -> Result<(), PolicyError> {
    if name.contains('=') {
        return Err(entry.error("the name of a variable has no ="));
    }
    if name.contains('\0') {
        return Err(entry.error("the name of a variable has no NUL byte"));
    }
    Ok(())
}

/// The rules about variables, and what they come to on this host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    allows: Vec<(NamePattern, Arc<str>)>,
    denies: Vec<(NamePattern, Arc<str>)>,
    literals: BTreeMap<String, Arc<str>>,
    /// Sorted by name.
    pub(crate) visible: Vec<EnvVar>,
    /// Granted by name, unset on the host.
    pub(crate) absent: Vec<String>,
    /// Granted, but not text.
    pub(crate) skipped: Vec<String>,
}

impl Variables {
    /// `withheld` are the names of secrets that the guest must not hold.
    pub(crate) fn build(
        layers: &[Layer],
        host: Vec<(OsString, OsString)>,
        dangerous: bool,
        withheld: &[&str],
    ) -> Result<Variables, PolicyError> {
        let mut variables = Variables::default();
        let granted = entries(layers, "allow-env", Split::Commas)?;
        for entry in &granted {
            let pattern = NamePattern::parse(entry)?;
            if pattern.is_everything() && !dangerous {
                return Err(entry.error("* is every variable; that needs --dangerously-allow"));
            }
            if !pattern.is_prefix && withheld.contains(&pattern.text.as_str()) {
                return Err(entry.error("it is also a secret, which the guest never holds; grant one of the two"));
            }
            variables.allows.push((pattern, entry.rule()));
        }
        if layers.iter().any(|layer| layer.raw.allow_all) {
            variables.allows.push((NamePattern { text: String::new(), is_prefix: true }, Arc::from("-A")));
        }
        for entry in entries(layers, "deny-env", Split::Commas)? {
            variables.denies.push((NamePattern::parse(&entry)?, entry.rule()));
        }
        let mut visible = variables.take_literals(layers, withheld)?;
        variables.take_host(host, withheld, &mut visible)?;
        for (pattern, _) in &variables.allows {
            let seen = visible.contains_key(&pattern.text) || variables.skipped.contains(&pattern.text);
            if !pattern.is_prefix && !seen && variables.denied(pattern.text.as_bytes()).is_none() {
                variables.absent.push(pattern.text.clone());
            }
        }
        variables.absent.sort_unstable();
        variables.absent.dedup();
        variables.visible = visible.into_values().collect();
        Ok(variables)
    }

    /// `--env NAME=VALUE`. A later layer replaces an earlier one; twice in one layer with two values is a mistake.
    fn take_literals(&mut self, layers: &[Layer], withheld: &[&str]) -> Result<BTreeMap<String, EnvVar>, PolicyError> {
        let mut visible: BTreeMap<String, EnvVar> = BTreeMap::new();
        let mut written: BTreeMap<(usize, &str), &str> = BTreeMap::new();
        let literals = entries(layers, "env", Split::Whole)?;
        for entry in &literals {
            let Some((name, value)) = entry.text.split_once('=') else {
                return Err(entry.error("write NAME=VALUE"));
            };
            if name.is_empty() {
                return Err(entry.error("the name of the variable is missing"));
            }
            check_name(entry, name)?;
            if value.contains('\0') {
                return Err(entry.error("the value has a NUL byte"));
            }
            if value.len() > MAX_VALUE {
                return Err(entry.error("the value is longer than 128 KiB"));
            }
            if withheld.contains(&name) {
                return Err(entry.error("it is also a secret, which the guest never holds; grant one of the two"));
            }
            if written.insert((entry.layer_index, name), value).is_some_and(|earlier| earlier != value) {
                return Err(entry.error("the variable is given twice with different values"));
            }
            let rule = entry.rule();
            self.literals.insert(name.to_owned(), Arc::clone(&rule));
            if self.denied(name.as_bytes()).is_none() {
                let variable = EnvVar { name: name.to_owned(), value: value.to_owned(), rule, from_host: false };
                visible.insert(name.to_owned(), variable);
            }
        }
        Ok(visible)
    }

    /// What is granted of the host's environment. The first of two equal names counts, as for `getenv`.
    fn take_host(
        &mut self,
        host: Vec<(OsString, OsString)>,
        withheld: &[&str],
        visible: &mut BTreeMap<String, EnvVar>,
    ) -> Result<(), PolicyError> {
        for (name, value) in host {
            let Some((_, rule)) = self.allows.iter().find(|(pattern, _)| pattern.matches(name.as_bytes())) else {
                continue;
            };
            if self.denied(name.as_bytes()).is_some() {
                continue;
            }
            let lossy = name.to_string_lossy().into_owned();
            if withheld.contains(&lossy.as_str()) || visible.contains_key(&lossy) || lossy.is_empty() {
                continue;
            }
            if value.len() > MAX_VALUE {
                return Err(PolicyError::new(
                    format!("--allow-env={}", crate::error::shown(&lossy)),
                    "the value of this variable on the host is longer than 128 KiB",
                ));
            }
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => {
                    let variable = EnvVar { name, value, rule: Arc::clone(rule), from_host: true };
                    visible.insert(lossy, variable);
                }
                _ => self.skipped.push(lossy),
            }
        }
        self.skipped.sort_unstable();
        self.skipped.dedup();
        Ok(())
    }

    /// The rule that denies this name.
    pub(crate) fn denied(&self, name: &[u8]) -> Option<&Arc<str>> {
        self.denies.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, rule)| rule)
    }

    /// The rule that allows this name; denials are asked first.
    pub(crate) fn allowed(&self, name: &str) -> Option<&Arc<str>> {
        self.literals
            .get(name)
            .or_else(|| self.allows.iter().find(|(pattern, _)| pattern.matches(name.as_bytes())).map(|(_, rule)| rule))
    }

    /// The patterns, for the policy's digest.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let star = |pattern: &NamePattern| if pattern.is_prefix { "*" } else { "" };
        let allows = self.allows.iter().map(move |(pattern, _)| format!("env allow {}{}", pattern.text, star(pattern)));
        let denies = self.denies.iter().map(move |(pattern, _)| format!("env deny {}{}", pattern.text, star(pattern)));
        allows.chain(denies).chain(self.literals.keys().map(|name| format!("env literal {name}")))
    }
}
