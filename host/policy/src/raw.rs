//! What the person wrote, before it means anything. The command line and the policy file both fill these in; only
//! [`crate::Policy::build`] reads them, and nothing after it sees them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// What the policy has to ask about the machine. The program answers for real, tests with tables.
pub trait HostView {
    /// The real path behind `path` (absolute), and what it is. The error is a sentence such as `no such file or directory`.
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String>;
    /// The environment of the program.
    fn env(&self) -> Vec<(OsString, OsString)>;
    /// The home directory of the person, if there is one.
    fn home(&self) -> Option<PathBuf>;
}

/// What a host path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A device, pipe, socket or anything else.
    Other,
}

macro_rules! raw_grants {
    ($($(#[$doc:meta])* $key:literal $field:ident: $kind:ty,)*) => {
        /// The grants and denials of one layer, each entry as it was written.
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct RawGrants {
            $($(#[$doc])* pub $field: $kind,)*
            /// The limits that were given.
            pub limits: RawLimits,
        }

        impl RawGrants {
            /// The keys of a policy file that hold grants and denials: the flags without their dashes.
            pub const KEYS: &[&str] = &[$($key,)*];
        }

        impl fmt::Debug for RawGrants {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Values of variables are secrets until shown otherwise, also in a debug line.
                let hidden = RawGrants {
                    env: self.env.iter().map(|entry| hide_value(entry)).collect(),
                    ..self.clone()
                };
                f.debug_struct("RawGrants")$(.field(stringify!($field), &hidden.$field))*.field("limits", &hidden.limits).finish()
            }
        }
    };
}

raw_grants! {
    /// `HOST[::GUEST]`, comma lists.
    "allow-read" allow_read: Vec<String>,
    /// `HOST[::GUEST]`, comma lists; read and write.
    "allow-write" allow_write: Vec<String>,
    /// `NAME` or `PREFIX*`, comma lists.
    "allow-env" allow_env: Vec<String>,
    /// `NAME=VALUE`, one each.
    "env" env: Vec<String>,
    /// `[scheme://]host[:port]`, comma lists.
    "allow-net" allow_net: Vec<String>,
    /// `METHOD URL-PREFIX`, one each.
    "allow-http" allow_http: Vec<String>,
    /// `host:port`, comma lists.
    "allow-tcp" allow_tcp: Vec<String>,
    /// `host:port`, comma lists.
    "allow-udp" allow_udp: Vec<String>,
    /// `ADDRESS:PORT`, comma lists.
    "allow-listen" allow_listen: Vec<String>,
    /// `NAME=ADDRESS`, comma lists.
    "resolve" resolve: Vec<String>,
    /// A file of certificates, PEM. A later layer replaces an earlier one.
    "tls-roots" tls_roots: Option<String>,
    /// `NAME@ORIGIN`, comma lists.
    "secret" secret: Vec<String>,
    /// Host or guest paths, comma lists.
    "deny-read" deny_read: Vec<String>,
    /// Host or guest paths, comma lists.
    "deny-write" deny_write: Vec<String>,
    /// `NAME` or `PREFIX*`, comma lists.
    "deny-env" deny_env: Vec<String>,
    /// `[scheme://]host[:port]` or an address range, comma lists.
    "deny-net" deny_net: Vec<String>,
    /// `HOST[::GUEST][::ro|rw]`, one each and never split at commas.
    "dir" dir: Vec<String>,
    /// What is to be done where a source is seen in a sink.
    "flow" flow: Vec<RawFlow>,
    /// A fixed clock instead of the real one.
    "deny-clock" deny_clock: bool,
    /// A seeded generator instead of real random numbers.
    "deny-random" deny_random: bool,
    /// Grants that give everything away are meant.
    "dangerously-allow" dangerously_allow: bool,
    /// `-A`: everything, and it is meant.
    "allow-all" allow_all: bool,
    /// The tool's data is followed, so that flow rules act on what it computed.
    "trace" trace: bool,
}

/// A flow rule as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawFlow {
    /// A class, a kind, `KIND:NAME` or `*`.
    pub from: String,
    /// A kind, `KIND:NAME` or `*`.
    pub to: String,
    /// `allow`, `warn`, `redact` or `block`; its key is `do`.
    pub action: String,
}

impl RawFlow {
    /// The rule on one line: `flow secret -> return: redact`.
    pub(crate) fn text(&self) -> String {
        format!("flow {} -> {}: {}", self.from, self.to, self.action)
    }
}

/// The limits of one layer as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawLimits {
    /// `30s`
    pub timeout: Option<String>,
    /// `256MiB`
    pub max_memory: Option<String>,
    /// `8MiB`
    pub max_output: Option<String>,
    /// `64MiB`
    pub max_input: Option<String>,
    /// `64MiB`
    pub max_file_write: Option<String>,
    /// `100`
    pub max_requests: Option<String>,
    /// A number of instructions; none by default.
    pub fuel: Option<String>,
}

impl RawLimits {
    /// The keys of a policy file that hold limits.
    pub const KEYS: &[&str] =
        &["timeout", "max-memory", "max-output", "max-input", "max-file-write", "max-requests", "fuel"];

    /// The limit with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        match key {
            "timeout" => self.timeout.as_deref(),
            "max-memory" => self.max_memory.as_deref(),
            "max-output" => self.max_output.as_deref(),
            "max-input" => self.max_input.as_deref(),
            "max-file-write" => self.max_file_write.as_deref(),
            "max-requests" => self.max_requests.as_deref(),
            "fuel" => self.fuel.as_deref(),
            _ => None,
        }
    }

    /// The place of the limit with this key.
    pub(crate) fn slot(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match key {
            "timeout" => &mut self.timeout,
            "max-memory" => &mut self.max_memory,
            "max-output" => &mut self.max_output,
            "max-input" => &mut self.max_input,
            "max-file-write" => &mut self.max_file_write,
            "max-requests" => &mut self.max_requests,
            "fuel" => &mut self.fuel,
            _ => return None,
        })
    }
}

impl RawGrants {
    /// The list with this key; a single text is a list of one.
    pub(crate) fn list(&self, key: &str) -> Option<&[String]> {
        Some(match key {
            "allow-read" => &self.allow_read,
            "allow-write" => &self.allow_write,
            "allow-env" => &self.allow_env,
            "env" => &self.env,
            "allow-net" => &self.allow_net,
            "allow-http" => &self.allow_http,
            "allow-tcp" => &self.allow_tcp,
            "allow-udp" => &self.allow_udp,
            "allow-listen" => &self.allow_listen,
            "resolve" => &self.resolve,
            "tls-roots" => self.tls_roots.as_slice(),
            "secret" => &self.secret,
            "deny-read" => &self.deny_read,
            "deny-write" => &self.deny_write,
            "deny-env" => &self.deny_env,
            "deny-net" => &self.deny_net,
            "dir" => &self.dir,
            _ => return None,
        })
    }

    /// The place of the list with this key.
    pub(crate) fn list_slot(&mut self, key: &str) -> Option<&mut Vec<String>> {
        Some(match key {
            "allow-read" => &mut self.allow_read,
            "allow-write" => &mut self.allow_write,
            "allow-env" => &mut self.allow_env,
            "env" => &mut self.env,
            "allow-net" => &mut self.allow_net,
            "allow-http" => &mut self.allow_http,
            "allow-tcp" => &mut self.allow_tcp,
            "allow-udp" => &mut self.allow_udp,
            "allow-listen" => &mut self.allow_listen,
            "resolve" => &mut self.resolve,
            "secret" => &mut self.secret,
            "deny-read" => &mut self.deny_read,
            "deny-write" => &mut self.deny_write,
            "deny-env" => &mut self.deny_env,
            "deny-net" => &mut self.deny_net,
            "dir" => &mut self.dir,
            _ => return None,
        })
    }

    /// The place of the switch with this key.
    pub(crate) fn switch_slot(&mut self, key: &str) -> Option<&mut bool> {
        Some(match key {
            "deny-clock" => &mut self.deny_clock,
            "deny-random" => &mut self.deny_random,
            "dangerously-allow" => &mut self.dangerously_allow,
            "allow-all" => &mut self.allow_all,
            "trace" => &mut self.trace,
            _ => return None,
        })
    }
}

/// `NAME=VALUE` without the value.
pub(crate) fn hide_value(entry: &str) -> String {
    match entry.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN_VALUE}"),
        None => HIDDEN_VALUE.to_owned(),
    }
}

/// One source of grants: the command line, or one table of a policy file.
#[derive(Debug, Clone)]
pub struct Layer {
    /// What was written.
    pub raw: RawGrants,
    /// What relative host paths are relative to; absolute.
    pub base: PathBuf,
    /// Where it was written, for messages.
    pub origin: Origin,
}

/// Where a layer was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// On the command line.
    Flags,
    /// In a policy file.
    File {
        /// The file as messages name it.
        name: String,
        /// The table, such as `tool.weather`.
        table: String,
        /// The lines of its entries.
        lines: Lines,
    },
}

/// The line of each key, and of each entry of a list; counted from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(pub(crate) BTreeMap<&'static str, Vec<usize>>);

impl Lines {
    /// The line of the entry `index` under `key`, or of the key itself for an entry that has none.
    pub fn of(&self, key: &str, index: usize) -> Option<usize> {
        let lines = self.0.get(key)?;
        lines.get(index).or_else(|| lines.first()).copied()
    }
}

/// The value of a variable where a list of grants leaves it out.
pub(crate) const HIDDEN_VALUE: &str = "…";

impl RawGrants {
    /// Reads grants as [`crate::Policy::grants`] lists them and as a ledger has them. The error names the text that is none.
    pub fn of_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<RawGrants, String> {
        let mut raw = RawGrants::default();
        for text in texts {
            if !raw.take_text(text) {
                return Err(format!("{}: this is not a grant", crate::error::shown(text)));
            }
        }
        Ok(raw)
    }

    fn take_text(&mut self, text: &str) -> bool {
        if text == "-A" {
            self.allow_all = true;
            return true;
        }
        if let Some(rule) = text.strip_prefix("flow ") {
            let Some((from, rest)) = rule.split_once(" -> ") else { return false };
            let Some((to, action)) = rest.rsplit_once(": ") else { return false };
            self.flow.push(RawFlow { from: from.to_owned(), to: to.to_owned(), action: action.to_owned() });
            return true;
        }
        let Some(flag) = text.strip_prefix("--") else { return false };
        match flag.split_once('=') {
            None => self.switch_slot(flag).map(|switch| *switch = true).is_some(),
            Some(("tls-roots", path)) => {
                self.tls_roots = Some(path.to_owned());
                true
            }
            Some((key, value)) => self.list_slot(key).map(|list| list.push(value.to_owned())).is_some(),
        }
    }
}
