//! A machine made of tables, and flags as texts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use customs_policy::{
    Capability, Denial, GuestPath, HostView, Layer, Origin, PathKind, Permit, Policy, PolicyError, RawGrants, Request,
    decide,
};

/// Where relative paths start.
pub const BASE: &str = "/home/me/project";

enum Node {
    Is(PathKind),
    Link(&'static str),
}

pub struct World {
    nodes: BTreeMap<PathBuf, Node>,
    env: Vec<(OsString, OsString)>,
}

impl World {
    pub fn new() -> Self {
        let dirs = [
            "/",
            "/home",
            "/home/me",
            BASE,
            "/home/me/project/data",
            "/home/me/project/data/private",
            "/home/me/project/data/sub",
            "/home/me/project/other",
            "/home/me/project/a,b",
            "/etc",
            "/etc/ssl",
            "/outside",
            "/proc",
            "/proc/self",
            "/sys",
            "/dev",
            "/tmp",
        ];
        let files = [
            "/home/me/project/data/a.txt",
            "/home/me/project/data/private/key",
            "/home/me/project/note.txt",
            "/etc/passwd",
            "/etc/ssl/cert",
            "/outside/canary",
        ];
        let links = [
            ("/home/me/project/data/leak", "/outside/canary"),
            ("/home/me/project/alias", "data"),
            ("/tmp/home", "/home/me"),
            ("/tmp/dev", "/dev"),
            ("/tmp/loop", "/tmp/loop"),
        ];
        let mut nodes = BTreeMap::new();
        nodes.extend(dirs.map(|path| (path.into(), Node::Is(PathKind::Dir))));
        nodes.extend(files.map(|path| (path.into(), Node::Is(PathKind::File))));
        nodes.extend(["/dev/null", "/home/me/project/pipe"].map(|path| (path.into(), Node::Is(PathKind::Other))));
        nodes.extend(links.map(|(path, target)| (path.into(), Node::Link(target))));
        let env = [
            ("APP_KEY", "canary-1"),
            ("APP_NOTE", "x"),
            ("PATH", "/bin"),
            ("HOME", "/home/me"),
            ("AWS_SECRET", "canary-2"),
        ];
        World { nodes, env: env.map(|(name, value)| (name.into(), value.into())).into() }
    }

    pub fn with_env(mut self, name: &[u8], value: &[u8]) -> Self {
        self.env.push((OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec())));
        self
    }

    fn walk(&self, path: &Path, budget: &mut u32) -> Result<PathBuf, String> {
        let mut real = PathBuf::from("/");
        for component in path.components() {
            match component {
                Component::Normal(name) => real.push(name),
                Component::ParentDir => drop(real.pop()),
                _ => continue,
            }
            match self.nodes.get(&real) {
                None => return Err("no such file or directory".to_owned()),
                Some(Node::Is(_)) => {}
                Some(Node::Link(target)) => {
                    *budget = budget.checked_sub(1).ok_or("too many links")?;
                    let from = real.parent().unwrap_or(Path::new("/")).join(target);
                    real = self.walk(&from, budget)?;
                }
            }
        }
        Ok(real)
    }
}

impl HostView for World {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let real = self.walk(path, &mut 40)?;
        match self.nodes.get(&real) {
            Some(Node::Is(kind)) => Ok((real, *kind)),
            _ => Err("no such file or directory".to_owned()),
        }
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        self.env.clone()
    }

    fn home(&self) -> Option<PathBuf> {
        Some("/tmp/home".into())
    }
}

/// Flags as a person writes them.
pub fn raw<S: AsRef<str>>(flags: &[S]) -> RawGrants {
    let mut raw = RawGrants::default();
    for flag in flags.iter().map(AsRef::as_ref) {
        let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
        let value = value.to_owned();
        match key {
            "--allow-read" => raw.allow_read.push(value),
            "--allow-write" => raw.allow_write.push(value),
            "--allow-env" => raw.allow_env.push(value),
            "--env" => raw.env.push(value),
            "--allow-net" => raw.allow_net.push(value),
            "--allow-http" => raw.allow_http.push(value),
            "--allow-tcp" => raw.allow_tcp.push(value),
            "--allow-udp" => raw.allow_udp.push(value),
            "--allow-listen" => raw.allow_listen.push(value),
            "--resolve" => raw.resolve.push(value),
            "--tls-roots" => raw.tls_roots = Some(value),
            "--secret" => raw.secret.push(value),
            "--deny-read" => raw.deny_read.push(value),
            "--deny-write" => raw.deny_write.push(value),
            "--deny-env" => raw.deny_env.push(value),
            "--deny-net" => raw.deny_net.push(value),
            "--dir" => raw.dir.push(value),
            "--deny-clock" => raw.deny_clock = true,
            "--trace" => raw.trace = true,
            "--deny-random" => raw.deny_random = true,
            "--dangerously-allow" => raw.dangerously_allow = true,
            "-A" => raw.allow_all = true,
            "--timeout" => raw.limits.timeout = Some(value),
            "--max-memory" => raw.limits.max_memory = Some(value),
            "--max-requests" => raw.limits.max_requests = Some(value),
            "--fuel" => raw.limits.fuel = Some(value),
            other => panic!("unknown flag {other}"),
        }
    }
    raw
}

pub fn layer<S: AsRef<str>>(flags: &[S]) -> Layer {
    Layer { raw: raw(flags), base: BASE.into(), origin: Origin::Flags }
}

pub fn try_policy<S: AsRef<str>>(flags: &[S]) -> Result<Policy, PolicyError> {
    Policy::build(&[layer(flags)], &World::new())
}

pub fn policy<S: AsRef<str>>(flags: &[S]) -> Policy {
    try_policy(flags).unwrap()
}

/// The reason for which these flags are refused.
pub fn refusal<S: AsRef<str>>(flags: &[S]) -> String {
    try_policy(flags).unwrap_err().to_string()
}

/// An answer as text: `permit`, or the denial code.
pub fn answer(result: &Result<Permit, Denial>) -> &'static str {
    match result {
        Ok(_) => "permit",
        Err(denial) => denial.code.as_str(),
    }
}

/// Decides about a path, after the open too if `host` is given.
pub fn path(policy: &Policy, capability: Capability, guest: &str, host: Option<&str>) -> &'static str {
    let guest = GuestPath::parse(guest).unwrap();
    answer(&decide(policy, &Request::Path { capability, guest: &guest, host: host.map(Path::new) }))
}

pub fn http(policy: &Policy, url: &str) -> &'static str {
    answer(&decide(policy, &Request::Http { method: "GET", url }))
}
