//! Files and directories: from what was done with a path to the grant it needs.
//!
//! A file that was read or written in place needs a grant of that file. A directory is needed where its names were listed, where
//! something in it was created, removed or moved, and where what was looked for is not there: only what exists can be granted. A directory
//! that was only looked at is seen above any grant below it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::access::{Access, Question, is_path};
use super::spell::{grant, host_text, inside};
use super::{Line, Options, Unmet, Why};
use crate::capability::Capability;
use crate::decide::{Request, decide, longest};
use crate::guest_path::GuestPath;
use crate::mounts::{Mount, MountKind};
use crate::policy::Policy;
use crate::raw::{HostView, PathKind};

const NOT_THERE: &str = "what was looked for is not there; only a directory that exists can be granted";
const NAMES: &str = "names in it were made, moved or removed";
const LINK: &str = "a link in it was looked at";
const LISTED: &str = "its names were listed";
const BEFORE: &str = "made in these runs, so the directory that was there before is granted";

/// What one access needs.
enum Need {
    /// The thing itself, whatever it is.
    Here { write: bool },
    /// The directory and all below it.
    Tree { write: bool, note: &'static str },
    /// Something at, above or below it.
    Seen,
}

/// A grant in the making.
struct Wanted {
    real: PathBuf,
    mount: usize,
    write: bool,
    why: Why,
}

/// A directory that is granted.
pub(super) struct Tree {
    pub(super) guest: GuestPath,
    pub(super) real: PathBuf,
    pub(super) write: bool,
}

struct Paths<'a> {
    policy: &'a Policy,
    host: &'a dyn HostView,
    /// Names that these runs made.
    made: BTreeSet<GuestPath>,
    files: BTreeMap<GuestPath, Wanted>,
    trees: BTreeMap<GuestPath, Wanted>,
}

pub(super) fn lines(
    policy: &Policy,
    allowed: &[&Access],
    options: &Options,
    host: &dyn HostView,
    unmet: &mut Unmet,
) -> (Vec<Line>, Vec<Tree>) {
    let allowed: Vec<&Access> = allowed.iter().copied().filter(|access| is_path(access.capability)).collect();
    let (made, fresh) = made(policy, &allowed);
    let mut paths = Paths { policy, host, made, files: BTreeMap::new(), trees: BTreeMap::new() };
    let mut seen: BTreeMap<GuestPath, Vec<&Access>> = BTreeMap::new();
    // The same access again needs nothing else.
    let mut known: BTreeMap<(Question<'_>, bool), (&Access, u64)> = BTreeMap::new();
    for (access, fresh) in allowed.iter().copied().zip(fresh) {
        let key = (access.question(), fresh);
        known.entry(key).or_insert((access, 0)).1 += 1;
    }
    for ((_, fresh), (access, count)) in known {
        let why = Why { count, ..Why::of(access) };
        let done = match access.path().filter(|_| !access.unclear) {
            None => Err("its whole name is not in the record"),
            Some(guest) => match paths.need(access, &guest, fresh) {
                Need::Here { write } => paths.here(access, &guest, write, why),
                Need::Tree { write, note } => {
                    let of = if note == LISTED { Some(guest) } else { guest.parent() };
                    paths.tree(access, &of.unwrap_or_else(GuestPath::root), write, why.noted(Some(note)))
                }
                Need::Seen => {
                    seen.entry(guest).or_default().push(access);
                    Ok(())
                }
            },
        };
        if let Err(reason) = done {
            unmet.add(access, reason);
        }
    }
    if options.generalize {
        paths.generalize();
    }
    paths.simplify();
    // From the deepest on: a grant for one is seen from all above it.
    for (guest, accesses) in seen.into_iter().rev() {
        if !paths.is_seen(&guest) {
            for access in accesses {
                if let Err(reason) = paths.show(access, &guest) {
                    unmet.add(access, reason);
                }
            }
        }
    }
    paths.simplify();
    paths.written(options, unmet)
}

/// The names that the runs made, and for each access whether it made one that was not there. An open that would make a file says so even
/// where the file is there already; that it is, is known where an earlier access found it.
fn made(policy: &Policy, allowed: &[&Access]) -> (BTreeSet<GuestPath>, Vec<bool>) {
    let mut made = BTreeSet::new();
    let mut there: BTreeSet<GuestPath> = BTreeSet::new();
    let mut fresh = Vec::new();
    for access in allowed {
        let name = access.real_path().or_else(|| access.path());
        let known = name.as_ref().is_some_and(|name| there.contains(name));
        // What a grant names was there before any run.
        let granted = name.as_ref().is_some_and(|name| policy.mounts.iter().any(|mount| mount.guest.starts_with(name)));
        let makes = access.created && !granted && !(access.operation == "open-at" && known);
        fresh.push(makes);
        let Some(name) = name else { continue };
        if makes {
            made.insert(name);
        } else if access.moves() {
            there.remove(&name);
        } else if access.error.is_none() && !made.contains(&name) {
            there.insert(name);
        }
    }
    (made, fresh)
}

impl Paths<'_> {
    fn need(&self, access: &Access, guest: &GuestPath, fresh: bool) -> Need {
        let write = access.capability == Capability::FsWrite;
        // Above the grants: any of them shows it.
        if longest(&self.policy.mounts, guest).is_none() {
            return Need::Seen;
        }
        match access.operation.as_str() {
            "read-directory" => Need::Tree { write: false, note: LISTED },
            // It is there, so nothing was made.
            "create-directory-at" if access.error.as_deref() == Some("exist") => Need::Here { write },
            _ if access.changes_names() || fresh => Need::Tree { write, note: NAMES },
            // A link is told about under its own name, in its directory.
            "readlink-at" => Need::Tree { write, note: LINK },
            _ if write || access.capability == Capability::FsRead => Need::Here { write },
            _ => match self.look(guest) {
                Some((_, PathKind::Dir, _)) => Need::Seen,
                _ => Need::Here { write },
            },
        }
    }

    /// Where the path is now, by the policy of the runs: the real path, what it is, and the mount.
    fn look(&self, guest: &GuestPath) -> Option<(PathBuf, PathKind, usize)> {
        let (index, mount, rest) = longest(&self.policy.mounts, guest)?;
        let path = if rest.is_empty() { mount.host.clone() } else { mount.host.join(rest) };
        let (real, kind) = self.host.canonical(&path).ok()?;
        Some((real, kind, index))
    }

    fn mount(&self, index: usize) -> Result<&Mount, &'static str> {
        self.policy.mounts.get(index).ok_or("its grant is not in this policy")
    }

    fn here(&mut self, access: &Access, guest: &GuestPath, write: bool, why: Why) -> Result<(), &'static str> {
        match self.look(guest) {
            Some((real, PathKind::File, index)) if !self.is_made(guest) => {
                if let Err(moved) = self.still_allowed(access, guest, &real, index) {
                    // What does not follow a link is about the link, which its directory has.
                    let above = guest.parent().filter(|_| access.operation != "open-at").ok_or(moved)?;
                    return self.tree(access, &above, write, why.noted(Some(LINK)));
                }
                let wanted = Wanted { real, mount: index, write, why };
                add(&mut self.files, guest.clone(), wanted);
                Ok(())
            }
            Some((_, PathKind::Dir, _)) if !self.is_made(guest) => self.tree(access, guest, write, why),
            _ => {
                let note = if self.is_made(guest) { BEFORE } else { NOT_THERE };
                let above = guest.parent().unwrap_or_else(GuestPath::root);
                self.tree(access, &above, write, why.noted(Some(note)))
            }
        }
    }

    fn is_made(&self, guest: &GuestPath) -> bool {
        let above = |guest: &GuestPath| std::iter::successors(Some(guest.clone()), GuestPath::parent);
        above(guest).any(|path| self.made.contains(&path))
    }

    /// A link may lead elsewhere by now; then this is another access than the one that was allowed.
    fn still_allowed(&self, access: &Access, guest: &GuestPath, real: &Path, index: usize) -> Result<(), &'static str> {
        const MOVED: &str = "it leads elsewhere now";
        let mount = self.mount(index)?;
        let named = match mount.kind {
            MountKind::File => mount.guest.clone(),
            MountKind::Dir => {
                let rest = real.strip_prefix(&mount.host).map_err(|_| MOVED)?.to_str().ok_or(MOVED)?;
                mount.guest.join(rest).map_err(|_| MOVED)?
            }
        };
        let capability = access.capability;
        let request = Request::Path { capability, guest: &named, host: Some(real) };
        let by_name = Request::Path { capability, guest, host: None };
        if decide(self.policy, &request).is_ok() && decide(self.policy, &by_name).is_ok() {
            Ok(())
        } else {
            Err("this policy does not allow it")
        }
    }

    /// A directory, or the nearest one above it that was there before these runs and holds what the path led to.
    fn tree(&mut self, access: &Access, guest: &GuestPath, write: bool, why: Why) -> Result<(), &'static str> {
        let target = access.real_path().or_else(|| access.path()).and_then(|path| self.named(&path));
        // The grant that the access fell under: nothing above its place is granted for it.
        let asked = access.path().ok_or("its whole name is not in the record")?;
        let (index, mount, _) = longest(&self.policy.mounts, &asked).ok_or("this policy does not allow it")?;
        let (mount_guest, writable) = (mount.guest.clone(), mount.writable);
        if write && !writable {
            return Err("this policy does not allow it");
        }
        let mut at = if guest.starts_with(&mount_guest) { guest.clone() } else { mount_guest.clone() };
        let mut climbed = false;
        loop {
            if let Some((real, PathKind::Dir, found)) = self.look(&at)
                && !self.is_made(&at)
                && inside(self.mount(found)?, &real)
                && target.as_ref().is_none_or(|target| target.starts_with(&real))
            {
                if found != index {
                    return Err("it lies in another grant");
                }
                let why = if climbed { why.noted(Some(BEFORE)) } else { why };
                add(&mut self.trees, at, Wanted { real, mount: index, write, why });
                return Ok(());
            }
            climbed = self.is_made(&at) || climbed;
            if at == mount_guest {
                break;
            }
            at = at.parent().unwrap_or_else(|| mount_guest.clone());
        }
        // A grant of one file: there is no directory to grant.
        match self.look(&mount_guest) {
            Some((real, PathKind::File, _)) => {
                add(&mut self.files, mount_guest, Wanted { real, mount: index, write, why });
                Ok(())
            }
            _ => Err("its directory is gone"),
        }
    }

    /// The host's name for a path, which need not exist.
    fn named(&self, guest: &GuestPath) -> Option<PathBuf> {
        let (_, mount, rest) = longest(&self.policy.mounts, guest)?;
        let path = if rest.is_empty() { mount.host.clone() } else { mount.host.join(rest) };
        let parent = path.parent().and_then(|parent| self.host.canonical(parent).ok());
        Some(match (parent, path.file_name()) {
            (Some((parent, _)), Some(name)) => parent.join(name),
            _ => path,
        })
    }

    fn is_seen(&self, guest: &GuestPath) -> bool {
        let all = || self.files.keys().chain(self.trees.keys());
        all().any(|granted| granted.starts_with(guest)) || self.covering(guest).is_some()
    }

    /// A directory was looked at, and nothing else shows it.
    fn show(&mut self, access: &Access, guest: &GuestPath) -> Result<(), &'static str> {
        let why = Why::of(access);
        if longest(&self.policy.mounts, guest).is_some() {
            return self.tree(access, guest, false, why.noted(Some("it was looked at")));
        }
        // Above the grants of the policy: one of them shows it.
        let below = self.policy.mounts.iter().position(|mount| mount.guest.starts_with(guest));
        let index = below.ok_or("this policy does not allow it")?;
        let (mount_guest, real) = {
            let mount = self.mount(index)?;
            (mount.guest.clone(), mount.host.clone())
        };
        let wanted =
            Wanted { real, mount: index, write: false, why: why.noted(Some("it shows the directories above it")) };
        match self.mount(index)?.kind {
            MountKind::File => add(&mut self.files, mount_guest, wanted),
            MountKind::Dir => add(&mut self.trees, mount_guest, wanted),
        }
        Ok(())
    }

    /// Two or more files of a directory become the directory.
    fn generalize(&mut self) {
        let mut beside: BTreeMap<GuestPath, u64> = BTreeMap::new();
        for guest in self.files.keys() {
            *beside.entry(guest.parent().unwrap_or_else(GuestPath::root)).or_default() += 1;
        }
        for (dir, files) in beside {
            let Some((real, PathKind::Dir, index)) = self.look(&dir) else { continue };
            if files < 2 || !self.mount(index).is_ok_and(|mount| inside(mount, &real)) {
                continue;
            }
            let mut why = Why::default().noted(Some("several of its files, as --generalize asks for"));
            let mut write = false;
            for (guest, wanted) in &self.files {
                if guest.parent().as_ref() == Some(&dir) {
                    why.and(wanted.why.clone());
                    write |= wanted.write;
                }
            }
            add(&mut self.trees, dir, Wanted { real, mount: index, write, why });
        }
    }

    /// The directory that covers a path most closely.
    fn covering(&self, guest: &GuestPath) -> Option<&GuestPath> {
        let above = std::iter::successors(Some(guest.clone()), GuestPath::parent);
        above.into_iter().find_map(|path| self.trees.get_key_value(&path).map(|(key, _)| key))
    }

    /// Takes out what another grant gives too.
    fn simplify(&mut self) {
        let gives = |outer: &Wanted, at: &GuestPath, inner: &Wanted, guest: &GuestPath| {
            let rest = guest.strip_prefix(at).unwrap_or_default();
            let place = if rest.is_empty() { outer.real.clone() } else { outer.real.join(rest) };
            let through_link = outer.mount == inner.mount && inner.real.starts_with(&outer.real);
            (outer.write || !inner.write) && (place == inner.real || through_link)
        };
        // Outer directories come first, so what stays is what others are compared with.
        let mut kept: BTreeMap<GuestPath, Wanted> = BTreeMap::new();
        for (guest, wanted) in std::mem::take(&mut self.trees) {
            let outer = std::iter::successors(guest.parent(), GuestPath::parent)
                .find(|path| kept.get(path).is_some_and(|outer| gives(outer, path, &wanted, &guest)));
            match outer.and_then(|path| kept.get_mut(&path)) {
                Some(outer) => outer.why.and(wanted.why),
                None => drop(kept.insert(guest, wanted)),
            }
        }
        self.trees = kept;
        for (guest, wanted) in std::mem::take(&mut self.files) {
            let outer = self.covering(&guest).cloned();
            let outer = outer.filter(|at| self.trees.get(at).is_some_and(|outer| gives(outer, at, &wanted, &guest)));
            match outer.and_then(|at| self.trees.get_mut(&at)) {
                Some(outer) => outer.why.and(wanted.why),
                None => drop(self.files.insert(guest, wanted)),
            }
        }
    }

    fn written(self, options: &Options, unmet: &mut Unmet) -> (Vec<Line>, Vec<Tree>) {
        let mut lines = Vec::new();
        let mut trees = Vec::new();
        for (guest, wanted) in self.files.iter().chain(&self.trees) {
            let entry = self.policy.mounts.get(wanted.mount).and_then(|mount| {
                let rest = guest.strip_prefix(&mount.guest).unwrap_or_default();
                let text = host_text(self.host, &options.base, mount, rest, &wanted.real)?;
                grant(&text, guest, wanted.write)
            });
            match entry {
                Some((key, text)) => {
                    lines.push(Line::grant(key, text, wanted.why.clone()));
                    if self.trees.contains_key(guest) {
                        trees.push(Tree { guest: guest.clone(), real: wanted.real.clone(), write: wanted.write });
                    }
                }
                None => {
                    let capability = if wanted.write { Capability::FsWrite } else { Capability::FsRead };
                    unmet.add(
                        &Access::allowed(capability, "open-at", guest.as_str()),
                        "no entry of a policy can name this path",
                    );
                }
            }
        }
        lines.sort_by(|one, other| (one.key, &one.text).cmp(&(other.key, &other.text)));
        (lines, trees)
    }
}

fn add(wanted: &mut BTreeMap<GuestPath, Wanted>, guest: GuestPath, new: Wanted) {
    match wanted.get_mut(&guest) {
        Some(old) => {
            old.write |= new.write;
            old.why.and(new.why);
        }
        None => drop(wanted.insert(guest, new)),
    }
}
