//! Policies of other hosts, brought into ours. What cannot be carried over is not guessed at: it is told, with its line.
//!
//! One format so far: the policy files of Wassette (`policy.yaml`, version 1). They are read by a strict reader of our own:
//! libraries for YAML understand far more than such a file needs, and what two of them read differently would be two policies.

mod yaml;

use std::fmt::Write as _;

use crate::error::PolicyError;
use crate::host::HostPattern;
use crate::least::{key as toml_key, plain, quoted};
use crate::net_deny::range_like;
use crate::origin::OriginPattern;
use crate::raw::{RawGrants, RawLimits};
use yaml::{Node, Value};

/// The largest file that is read.
pub const MAX_BYTES: usize = 1 << 20;

/// A policy of another host, as far as it could be carried over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// What it grants, forbids and limits.
    pub raw: RawGrants,
    /// What could not be carried over, with its line: not granted.
    pub left: Vec<Left>,
    /// What means something else here, and is no wider.
    pub notes: Vec<Left>,
}

/// Something told about a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    pub line: usize,
    pub what: String,
}

/// Reads a policy of Wassette. `name` is what messages call the file.
pub fn wassette(bytes: &[u8], name: &str) -> Result<Imported, PolicyError> {
    if bytes.len() > MAX_BYTES {
        return Err(PolicyError::new(name, "the policy file is larger than 1 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::new(name, "the policy file is not UTF-8"))?;
    let node = yaml::parse(text).map_err(|wrong| PolicyError::new(format!("{name}:{}", wrong.line), wrong.why))?;
    let refuse = |line: usize, why: &str| PolicyError::new(format!("{name}:{line}"), why);
    let Value::Map(top) = &node.value else {
        return Err(refuse(node.line, "this is not a policy of Wassette: it has no version and permissions"));
    };
    let Some((_, permissions)) = top.iter().find(|(key, _)| key == "permissions") else {
        return Err(refuse(node.line, "this is not a policy of Wassette: permissions are missing"));
    };
    match top.iter().find(|(key, _)| key == "version") {
        Some((_, Node { value: Value::Text(version), .. })) if version.starts_with("1.") || version == "1" => {}
        Some((_, version)) => return Err(refuse(version.line, "only version 1 of this format is known")),
        None => return Err(refuse(node.line, "this is not a policy of Wassette: the version is missing")),
    }
    let mut found = Imported::default();
    for (key, node) in top {
        if !["version", "description", "permissions", "$schema"].contains(&key.as_str()) {
            found.leave(node.line, format!("{key}: not a key of this format that is known"));
        }
    }
    for (key, node) in map(permissions) {
        match key.as_str() {
            "storage" => found.lists(node, "storage", Imported::storage),
            "network" => found.lists(node, "network", Imported::network),
            "environment" => found.lists(node, "environment", Imported::environment),
            "resources" => found.resources(node),
            "runtime" => found.runtime(node),
            _ if matches!(node.value, Value::Nothing) => {}
            _ => found.leave(node.line, format!("{key}: customs has nothing of the kind")),
        }
    }
    found.left.sort();
    found.notes.sort();
    Ok(found)
}

fn map(node: &Node) -> &[(String, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    map(node).iter().find(|(own, _)| own == key).map(|(_, value)| value)
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match &field(node, key)?.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// `access: [read, write]`.
fn access(node: &Node) -> Option<(bool, bool)> {
    let Value::List(words) = &field(node, "access")?.value else { return None };
    let known = |word: &Node| matches!(&word.value, Value::Text(text) if text == "read" || text == "write");
    let has = |name: &str| words.iter().any(|word| matches!(&word.value, Value::Text(text) if text == name));
    (!words.is_empty() && words.iter().all(known)).then(|| (has("read"), has("write")))
}

impl Imported {
    fn leave(&mut self, line: usize, what: impl Into<String>) {
        self.left.push(Left { line, what: what.into() });
    }

    fn note(&mut self, line: usize, what: impl Into<String>) {
        self.notes.push(Left { line, what: what.into() });
    }

    /// `allow` and `deny`.
    fn lists(&mut self, node: &Node, area: &str, take: fn(&mut Imported, &Node, bool)) {
        for (key, list) in map(node) {
            match (key.as_str(), &list.value) {
                ("allow" | "deny", Value::List(items)) => items.iter().for_each(|item| take(self, item, key == "deny")),
                (_, Value::Nothing) => {}
                _ => self.leave(list.line, format!("{area}.{key}: not a list of this format")),
            }
        }
    }

    fn storage(&mut self, node: &Node, deny: bool) {
        let (Some(uri), Some((read, write))) = (text(node, "uri"), access(node)) else {
            return self.leave(node.line, "storage: an entry without uri and access");
        };
        let Some(path) = uri.strip_prefix("fs://") else {
            return self.leave(node.line, format!("{uri}: only fs:// is known"));
        };
        let bare = path.strip_suffix("/**").unwrap_or(path);
        let bare = if bare.is_empty() && path.starts_with('/') { "/" } else { bare };
        if bare.contains('*') || bare.is_empty() {
            return self.leave(
                node.line,
                format!("{uri}: a grant is a file or a directory with all below it, without other patterns"),
            );
        }
        let written = if bare.starts_with('/') { bare.to_owned() } else { format!("./{bare}") };
        if written.contains([',', '~', '$']) || written.contains("::") || written.split('/').any(|part| part == "..") {
            return self.leave(node.line, format!("{uri}: no entry can say this path"));
        }
        match (deny, read, write) {
            (true, true, write) => {
                if !write {
                    self.note(node.line, format!("{uri}: deny-read forbids changes too"));
                }
                self.raw.deny_read.push(written);
            }
            (true, false, _) => self.raw.deny_write.push(written),
            (false, true, true) => self.raw.allow_write.push(written),
            (false, true, false) => self.raw.allow_read.push(written),
            (false, false, _) => self.leave(
                node.line,
                format!("{uri}: writing without reading; if reading is harmless, allow-write = [\"{written}\"]"),
            ),
        }
    }

    fn network(&mut self, node: &Node, deny: bool) {
        let list = |found: &mut Imported, text: &str| {
            if deny { found.raw.deny_net.push(text.to_owned()) } else { found.raw.allow_net.push(text.to_owned()) }
        };
        if let Some(range) = text(node, "cidr") {
            return match range_like(range) {
                Some(_) if deny => list(self, range),
                _ => self.leave(node.line, format!("{range}: a range can be denied and not allowed; name the hosts")),
            };
        }
        if field(node, "defaults").is_some() {
            return self.leave(node.line, "defaults: a list of common hosts; name those that the tool needs");
        }
        let Some(host) = text(node, "host") else {
            return self.leave(node.line, "network: an entry without host or cidr");
        };
        match OriginPattern::parse(host) {
            Err(reason) => self.leave(node.line, format!("{host}: {reason}")),
            Ok(_) if deny => list(self, host),
            Ok(origin) if origin.host == HostPattern::Any || origin.host.too_wide().is_some() => {
                self.leave(node.line, format!("{host}: too wide; name the hosts that the tool needs"));
            }
            Ok(_) => {
                if !host.contains("://") {
                    self.note(
                        node.line,
                        format!("{host}: https on its usual port; write http://{host} or a port where that is meant"),
                    );
                }
                list(self, host);
            }
        }
    }

    fn environment(&mut self, node: &Node, deny: bool) {
        match text(node, "key") {
            Some(name) if !name.is_empty() && !name.contains([',', '*', '=']) && name.trim() == name => {
                if field(node, "value").is_some() {
                    return self.leave(node.line, format!("{name}: a value; write env = [\"{name}=...\"]"));
                }
                if deny { self.raw.deny_env.push(name.to_owned()) } else { self.raw.allow_env.push(name.to_owned()) }
            }
            _ => self.leave(node.line, "environment: an entry without the name of one variable"),
        }
    }

    fn resources(&mut self, node: &Node) {
        for (key, value) in map(node) {
            match (key.as_str(), &value.value) {
                ("limits", Value::Map(_)) => self.resources(value),
                ("memory", Value::Text(text)) => match memory(text) {
                    Some(size) => self.raw.limits.max_memory = Some(size),
                    None => self.leave(value.line, format!("memory {text}: not a size that is known")),
                },
                (_, Value::Nothing) => {}
                (_, Value::Text(text)) => {
                    self.leave(
                        value.line,
                        format!("{key} {text}: customs limits time (timeout) and instructions (fuel) instead"),
                    );
                }
                _ => self.leave(value.line, format!("{key}: not a limit that is known")),
            }
        }
    }

    fn runtime(&mut self, node: &Node) {
        for (key, value) in map(node) {
            match key.as_str() {
                "wasm" => {
                    for (key, value) in map(value) {
                        match key.as_str() {
                            "engine" => {}
                            "wasi" => self.wasi(value),
                            _ => self.leave(value.line, format!("runtime.wasm.{key}: customs has nothing of the kind")),
                        }
                    }
                }
                _ if matches!(value.value, Value::Nothing) => {}
                _ => self.leave(value.line, format!("runtime.{key}: a tool of customs is a component, no container")),
            }
        }
    }

    fn wasi(&mut self, node: &Node) {
        for (key, value) in map(node) {
            match (key.as_str(), &value.value) {
                ("preopens", Value::List(all)) => all.iter().for_each(|one| self.preopen(one)),
                ("inherit_env", Value::Text(text)) if text == "false" => {}
                ("inherit_env", _) => {
                    self.leave(value.line, "inherit_env: every variable; name those that the tool needs in allow-env");
                }
                (_, Value::Nothing) => {}
                _ => self.leave(value.line, format!("runtime.wasm.wasi.{key}: customs has nothing of the kind")),
            }
        }
    }

    fn preopen(&mut self, node: &Node) {
        let (Some(host), Some(guest), Some((read, write))) =
            (text(node, "host_path"), text(node, "guest_path"), access(node))
        else {
            return self.leave(node.line, "preopens: an entry without host_path, guest_path and access");
        };
        let host = host.strip_prefix("fs://").unwrap_or(host);
        let written = format!("{host}::{guest}");
        let sound = guest.starts_with('/') && !written.contains([',', '*']) && written.matches("::").count() == 1;
        match (sound, read, write) {
            (true, true, true) => self.raw.allow_write.push(written),
            (true, true, false) => self.raw.allow_read.push(written),
            _ => self.leave(node.line, format!("preopen {written}: no entry can say this")),
        }
    }

    /// A table of `customs.toml`: what was carried over, and what was not as comments.
    #[must_use]
    pub fn toml(&self, table: &str, from: &str) -> String {
        let mut out =
            format!("# Carried over from {} by customs policy import. Read it before you rely on it.\n", plain(from));
        for left in &self.left {
            let _ = writeln!(out, "# not carried over, line {}: {}", left.line, plain(&left.what));
        }
        for note in &self.notes {
            let _ = writeln!(out, "# line {}: {}", note.line, plain(&note.what));
        }
        let _ = writeln!(out, "[tool.{}]", toml_key(table));
        for key in RawGrants::KEYS {
            let list: Vec<String> = self.raw.list(key).unwrap_or_default().iter().map(|text| quoted(text)).collect();
            if !list.is_empty() {
                let _ = writeln!(out, "{key} = [{}]", list.join(", "));
            }
        }
        for key in RawLimits::KEYS {
            if let Some(value) = self.raw.limits.get(key) {
                let _ = writeln!(out, "{key} = {}", quoted(value));
            }
        }
        out
    }
}

/// Megabytes where there is no unit; `512Mi` and `512M` otherwise.
fn memory(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "" | "M" => "MB",
        "Ki" => "KiB",
        "Mi" => "MiB",
        "Gi" => "GiB",
        "G" => "GB",
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| format!("{number}{unit}"))
}
