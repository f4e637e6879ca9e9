//! Directories and files that the guest sees, from `--allow-read`, `--allow-write`, `--dir` and `-A`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::entry::{Entry, Split, entries};
use crate::error::{PolicyError, shown};
use crate::guest_path::GuestPath;
use crate::host_path::{bytes, check_written, covers};
use crate::raw::{HostView, Layer, PathKind};

/// What a mount is on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountKind {
    /// A directory and everything below it.
    Dir,
    /// One file.
    File,
}

/// A host directory or file under its guest name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where the guest sees it.
    pub guest: GuestPath,
    /// Where it is; canonical.
    pub host: PathBuf,
    /// What it is.
    pub kind: MountKind,
    /// Whether it may be changed.
    pub writable: bool,
    /// The rule as written.
    pub rule: Arc<str>,
    /// The host path as written, for suggestions.
    pub(crate) written: String,
}

/// Trees that are the machine itself.
const SYSTEM_TREES: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The mounts sorted by guest path, the grants as canonical texts, and warnings.
#[derive(Debug, Default)]
pub(crate) struct Mounts {
    pub(crate) mounts: Vec<Mount>,
    pub(crate) grants: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl Mounts {
    pub(crate) fn build(layers: &[Layer], host: &dyn HostView, dangerous: bool) -> Result<Mounts, PolicyError> {
        let home = host.home().map(|home| host.canonical(&home).map_or(home, |(real, _)| real));
        let mut built = Mounts::default();
        let mut places: BTreeMap<GuestPath, Mount> = BTreeMap::new();
        if layers.iter().any(|layer| layer.raw.allow_all) {
            places.insert(GuestPath::root(), everything());
        }
        for (key, split) in [("allow-read", Split::Commas), ("allow-write", Split::Commas), ("dir", Split::Whole)] {
            for entry in entries(layers, key, split)? {
                let mount = parse(&entry, host)?;
                if let Some(what) = dangerous_tree(&mount.host, home.as_deref()) {
                    if !dangerous {
                        return Err(
                            entry.error(format!("this grants {what}; if that is meant, add --dangerously-allow"))
                        );
                    }
                    built.warnings.push(format!("{} grants {what}", shown(&mount.rule)));
                }
                built.grants.push(grant_text(&entry, &mount));
                match places.entry(mount.guest.clone()) {
                    Place::Vacant(place) => {
                        place.insert(mount);
                    }
                    Place::Occupied(mut place) => merge(place.get_mut(), mount, &entry)?,
                }
            }
        }
        built.mounts = places.into_values().collect();
        Ok(built)
    }
}

/// The mount of `-A`.
fn everything() -> Mount {
    Mount {
        guest: GuestPath::root(),
        host: PathBuf::from("/"),
        kind: MountKind::Dir,
        writable: true,
        rule: Arc::from("-A"),
        written: "/".to_owned(),
    }
}

fn parse(entry: &Entry<'_>, host: &dyn HostView) -> Result<Mount, PolicyError> {
    let mut parts: Vec<&str> = entry.text.split("::").collect();
    let mut writable = entry.key == "allow-write";
    if entry.key == "dir" && parts.len() > 1 {
        match parts.last() {
            Some(&"ro") => parts.truncate(parts.len() - 1),
            Some(&"rw") => {
                writable = true;
                parts.truncate(parts.len() - 1);
            }
            _ => {}
        }
    }
    let (written, guest) = match parts.as_slice() {
        [written] => (*written, None),
        [written, guest] => (*written, Some(*guest)),
        _ if entry.key == "dir" => return Err(entry.error("write HOST, HOST::GUEST, or either with ::ro or ::rw")),
        _ => return Err(entry.error("write HOST or HOST::GUEST")),
    };
    check_written(written).map_err(|reason| entry.error(reason))?;
    let guest = match guest {
        Some(text) => GuestPath::parse(text).map_err(|reason| entry.error(reason.to_string()))?,
        None => guest_name(written).map_err(|reason| entry.error(reason))?,
    };
    let (real, kind) = host
        .canonical(&entry.layer.base.join(written))
        .map_err(|reason| entry.error(format!("{}: {reason}", shown(written))))?;
    let kind = match kind {
        PathKind::Dir => MountKind::Dir,
        PathKind::File if written.ends_with('/') => {
            return Err(entry.error("this is a file; write it without the slash at the end"));
        }
        PathKind::File if guest.is_root() => return Err(entry.error("a file cannot be the guest's /")),
        PathKind::File => MountKind::File,
        PathKind::Other => return Err(entry.error("this is neither a regular file nor a directory")),
    };
    Ok(Mount { guest, host: real, kind, writable, rule: entry.rule(), written: written.to_owned() })
}

/// The guest path that goes without saying: the path as written, from `/`.
pub(crate) fn guest_name(written: &str) -> Result<GuestPath, String> {
    let mut guest = String::new();
    for component in Path::new(written).components() {
        match component {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => {
                return Err("with .. in it the guest's name is unclear; add it as ::/name".to_owned());
            }
            Component::Normal(name) => {
                guest.push('/');
                guest.push_str(&name.to_string_lossy());
            }
        }
    }
    match guest.as_str() {
        "" if written.starts_with('/') => Ok(GuestPath::root()),
        "" => Err("the guest's name is unclear; add it as ::/name, or ::/ for the root".to_owned()),
        _ => GuestPath::parse(&guest).map_err(|reason| reason.to_string()),
    }
}

/// What a grant of this path would give away that nobody grants by accident.
fn dangerous_tree(real: &Path, home: Option<&Path>) -> Option<&'static str> {
    if real == Path::new("/") {
        return Some("the whole file system");
    }
    if SYSTEM_TREES.iter().any(|tree| covers(tree.as_bytes(), bytes(real))) {
        return Some("system files (/proc, /sys, /dev)");
    }
    match home {
        Some(home) if home == real => Some("the home directory"),
        // With the home directory at / every path would be "above" nothing; only real parents of it count.
        Some(home) if covers(bytes(real), bytes(home)) => Some("the home directory and what is beside it"),
        _ => None,
    }
}

fn grant_text(entry: &Entry<'_>, mount: &Mount) -> String {
    match (entry.key, mount.writable) {
        ("dir", true) => format!("--dir={}::{}::rw", mount.written, mount.guest),
        ("dir", false) => format!("--dir={}::{}::ro", mount.written, mount.guest),
        (key, _) => format!("--{key}={}::{}", mount.written, mount.guest),
    }
}

/// Two grants for one guest path: the wider counts, if they mean the same place.
fn merge(old: &mut Mount, new: Mount, entry: &Entry<'_>) -> Result<(), PolicyError> {
    if old.host != new.host {
        return Err(entry.error(format!(
            "the guest path {} would be both {} and {}",
            shown(new.guest.as_str()),
            shown(&old.host.to_string_lossy()),
            shown(&new.host.to_string_lossy())
        )));
    }
    if new.writable && !old.writable {
        *old = new;
    }
    Ok(())
}
