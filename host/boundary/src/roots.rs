//! The directories behind the grants, opened once for a tool and shared by its calls. This is the one place of the crate that opens
//! host paths by name.

use cap_std::ambient_authority;
use cap_std::fs::Dir as CapDir;
use customs_policy::{GuestPath, MountKind, Policy};
use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime_wasi::filesystem::Dir as WasiDir;
use wasmtime_wasi::{FsPerms, OpenMode};

/// An open grant.
pub(crate) struct Root {
    pub(crate) dir: WasiDir,
    /// Host path of `dir`: the grant's own, or its parent's where the grant is one file.
    pub(crate) host: PathBuf,
    /// Guest path of the grant: of `dir`, or of the one file.
    pub(crate) guest: GuestPath,
    pub(crate) writable: bool,
    /// Where the grant is one file, its name on the host, which need not be the guest's.
    pub(crate) file: Option<String>,
}

/// The grants of a policy, open. Index equals the policy's mount index.
pub struct Roots {
    pub(crate) mounts: Vec<Root>,
    /// An empty directory that stands for "/": without it a guest's libc refuses absolute paths by itself and no attempt is seen.
    pub(crate) sentinel: WasiDir,
    /// What deny rules name, by device and inode: a hard link or another spelling is another name for the same file.
    denied: HashMap<Identity, (Arc<str>, bool)>,
    /// The same in the order of the rules.
    identities: Vec<Option<Identity>>,
}

/// Device and inode.
pub type Identity = (u64, u64);

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Roots").field("mounts", &self.mounts.len()).finish_non_exhaustive()
    }
}

/// A directory behind a grant could not be opened.
#[derive(Debug)]
pub struct RootError(String);

impl std::fmt::Display for RootError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RootError {}

fn open(path: &Path, rule: &str) -> Result<std::fs::File, RootError> {
    let dir = CapDir::open_ambient_dir(path, ambient_authority())
        .map_err(|e| RootError(format!("{rule}: the directory cannot be opened: {e}")))?;
    let file = dir.into_std_file();
    // The policy was built on the canonical path: what is open must be that very place.
    match host_path(file.as_fd()) {
        Some(real) if real == path => Ok(file),
        _ => Err(RootError(format!("{rule}: the directory changed while it was opened"))),
    }
}

fn wasi_dir(file: std::fs::File, writable: bool) -> WasiDir {
    if writable {
        WasiDir::new(file, FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE, true)
    } else {
        WasiDir::new(file, FsPerms::ReadOnly, OpenMode::READ, true)
    }
}

impl Root {
    fn guest_path(&self, host: PathBuf) -> Option<(GuestPath, PathBuf)> {
        let rest = host.strip_prefix(&self.host).ok()?.to_str()?;
        let guest = match &self.file {
            Some(name) if name == rest => self.guest.clone(),
            Some(_) => return None,
            None => self.guest.join(rest).ok()?,
        };
        Some((guest, host))
    }
}

impl Roots {
    /// Opens what the policy grants. `empty` is an empty directory.
    pub fn open(policy: &Policy, empty: std::fs::File) -> Result<Roots, RootError> {
        crate::filesystem::resolve::probe(empty.as_fd()).map_err(|e| {
            RootError(format!("this system cannot confine file access (openat2: {e}); Linux 5.6 or newer is needed"))
        })?;
        let mut mounts = Vec::new();
        for mount in policy.mounts() {
            let (host, file) = if mount.kind == MountKind::File {
                match (mount.host.parent(), mount.host.file_name().and_then(|name| name.to_str())) {
                    (Some(host), Some(name)) => (host, Some(name.to_owned())),
                    _ => return Err(RootError(format!("{}: not a file in a directory", mount.rule))),
                }
            } else {
                (mount.host.as_path(), None)
            };
            let dir = wasi_dir(open(host, &mount.rule)?, mount.writable);
            let (host, guest) = (host.to_path_buf(), mount.guest.clone());
            mounts.push(Root { dir, host, guest, writable: mount.writable, file });
        }
        let mut denied: HashMap<Identity, (Arc<str>, bool)> = HashMap::new();
        let mut identities = Vec::new();
        for (path, rule, reading) in policy.denied_hosts() {
            // What is not there yet has no identity; its name is denied all the same.
            let identity = rustix::fs::stat(path).ok().map(|stat| (stat.st_dev, stat.st_ino));
            identities.push(identity);
            let Some(identity) = identity else { continue };
            let known = denied.entry(identity).or_insert_with(|| (Arc::clone(rule), reading));
            known.1 |= reading;
        }
        Ok(Roots { mounts, sentinel: wasi_dir(empty, false), denied, identities })
    }

    /// The grants of a policy on a replay: nothing is opened, and there is nothing behind them. `identities` is what [`Roots::identities`]
    /// gave in the run.
    pub fn of_recording(policy: &Policy, identities: &[Option<Identity>]) -> Result<Roots, RootError> {
        let nothing = || {
            let fd = crate::tape::wire::nothing();
            fd.map(std::fs::File::from).map_err(|e| RootError(format!("no memory file can be made: {e}")))
        };
        let empty = wasi_dir(nothing()?, false);
        let mount = |mount: &customs_policy::Mount| {
            let (host, file) = match (mount.kind, mount.host.parent(), mount.host.file_name().and_then(|n| n.to_str()))
            {
                (MountKind::File, Some(host), Some(name)) => (host, Some(name.to_owned())),
                _ => (mount.host.as_path(), None),
            };
            let (dir, guest, writable) = (empty.clone(), mount.guest.clone(), mount.writable);
            Root { dir, host: host.to_path_buf(), guest, writable, file }
        };
        let mounts = policy.mounts().iter().map(mount).collect();
        let mut denied: HashMap<Identity, (Arc<str>, bool)> = HashMap::new();
        for ((_, rule, reading), identity) in policy.denied_hosts().zip(identities) {
            let Some(identity) = identity else { continue };
            denied.entry(*identity).or_insert_with(|| (Arc::clone(rule), reading)).1 |= reading;
        }
        Ok(Roots { mounts, sentinel: empty.clone(), denied, identities: identities.to_vec() })
    }

    /// What the deny rules named when the grants were opened, rule by rule.
    #[must_use]
    pub fn identities(&self) -> &[Option<Identity>] {
        &self.identities
    }

    /// Whether there is anything to know again: looking costs a system call.
    pub(crate) fn denies_any(&self) -> bool {
        !self.denied.is_empty()
    }

    /// The rule that denies the thing itself, under whatever name it was opened.
    pub(crate) fn denied(&self, identity: Identity, write: bool) -> Option<&Arc<str>> {
        let (rule, reading) = self.denied.get(&identity)?;
        (write || *reading).then_some(rule)
    }

    /// The guest's name for an open file or directory of mount `index`, and the host's; `None` where it lies outside.
    pub(crate) fn guest_path(&self, index: usize, fd: BorrowedFd<'_>) -> Option<(GuestPath, PathBuf)> {
        self.mounts.get(index)?.guest_path(host_path(fd)?)
    }

    /// The same for a name in an open directory, whether it exists or not. "." is the directory itself.
    pub(crate) fn guest_place(&self, index: usize, parent: BorrowedFd<'_>, name: &str) -> Option<(GuestPath, PathBuf)> {
        let parent = host_path(parent)?;
        self.mounts.get(index)?.guest_path(if name == "." { parent } else { parent.join(name) })
    }
}

/// Where an open descriptor really is, as the kernel knows it.
pub(crate) fn host_path(fd: BorrowedFd<'_>) -> Option<PathBuf> {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let path = rustix::fs::readlinkat(rustix::fs::CWD, link, Vec::new()).ok()?;
    Some(PathBuf::from(std::ffi::OsString::from(path.into_string().ok()?)))
}

/// A shared handle on a directory.
pub(crate) fn shared(dir: &WasiDir) -> Arc<std::fs::File> {
    Arc::clone(&dir.dir)
}
