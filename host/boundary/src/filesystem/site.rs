//! Operations on names: create, remove, rename, link, and what is known about a name without opening it.

use super::resolve::{self, Follow, Lost, Place};
use super::{Fd, Target, stopped};
use crate::state::View;
use crate::tape::key;
use customs_policy::{Capability, GuestPath, Permit, Request};
use rustix::fd::AsFd;
use rustix::io::Errno;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, Dir};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::{FsPerms, OpenMode};

/// A decided place, ready to act on: a pinned directory in the table and one name in it.
pub(crate) struct Site {
    dir: Resource<Descriptor>,
    /// `dir` was pushed for this operation.
    temporary: bool,
    pub(crate) name: String,
    pub(crate) real: GuestPath,
    pub(crate) permit: Permit,
    pub(crate) requested: String,
}

impl Site {
    pub(crate) fn dir(&self) -> Fd {
        Resource::new_borrow(self.dir.rep())
    }
}

/// How an operation that follows no links fails on one with a slash behind its name, with the errors that wasmtime-wasi gives.
fn slashed(op: &str) -> Option<Errno> {
    match op {
        "stat-at" | "metadata-hash-at" | "set-times-at" => None,
        "create-directory-at" | "symlink-at" => Some(Errno::EXIST),
        "link-at" => Some(Errno::PERM),
        "readlink-at" | "remove-directory-at" => Some(Errno::INVAL),
        "unlink-file-at" => Some(Errno::ISDIR),
        _ => Some(Errno::NOTDIR),
    }
}

impl View<'_> {
    /// Decides on the real parent and the name in it.
    pub(crate) fn settle_place(
        &self,
        target: &Target,
        place: &Place,
        cap: Capability,
        op: &'static str,
    ) -> FsResult<(GuestPath, Permit)> {
        let parent = place.parent(target.dir.as_fd());
        let name = place.name.trim_end_matches('/');
        let find = || target.mount.and_then(|at| self.guard.roots.guest_place(at, parent, name));
        let real = self.guard.recorder.tape().effect(key!("fs.place", target.requested, op), find);
        self.settle(target, cap, op, real)
    }

    /// Decides on a name below a descriptor and pins its directory.
    pub(crate) fn site(
        &mut self,
        fd: &Fd,
        guest_path: &str,
        cap: Capability,
        op: &'static str,
        follow: bool,
    ) -> FsResult<Site> {
        let target = self.target(fd, guest_path, cap, op)?;
        if target.mount.is_none() {
            let dir = self.table.push(Descriptor::Dir(self.guard.roots.sentinel.clone()))?;
            let Target { requested, guest, permit, .. } = target;
            return Ok(Site { dir, temporary: true, name: ".".to_owned(), real: guest, permit, requested });
        }
        let base = target.dir.as_fd();
        let links = if follow { Follow::Yes } else { Follow::No };
        let tape = self.guard.recorder.tape();
        let mut place = tape
            .effect(key!("fs.locate", target.requested, op), || resolve::locate(base, &target.path, links))
            .map_err(|lost| self.lost(lost, &target, cap, op, None))?;
        let (real, permit) = self.settle_place(&target, &place, cap, op)?;
        // Removing or renaming a name leaves the file behind its other names alone; what is told about it or changed on it does not.
        if self.guard.roots.denies_any() && matches!(op, "stat-at" | "metadata-hash-at" | "set-times-at") {
            let bare = place.name.trim_end_matches('/');
            let look = || resolve::look(place.parent(base), bare);
            if let Ok(Some((_, identity))) = tape.effect(key!("fs.look", real, op), look) {
                self.not_denied(identity, cap, op, &target.requested, &real)?;
            }
        }
        if !follow && place.name.ends_with('/') {
            // With a slash behind it a link could stand for what it leads to, which was not decided on. What only looks, or sets times, is
            // about the link itself all the same; the others fail, as they do without us.
            let link = tape.effect(key!("fs.is-link", real, op), || resolve::is_link(place.parent(base), &place.name));
            match slashed(op) {
                None if link || cap == Capability::FsStat => {
                    place.name.truncate(place.name.trim_end_matches('/').len());
                }
                Some(errno) if link => return Err(self.lost(Lost::Os(errno), &target, cap, op, None)),
                _ => {}
            }
        }
        let (dir, temporary) = match place.parent {
            None if target.own => (Resource::new_borrow(fd.rep()), false),
            parent => {
                let root = permit.mount().and_then(|at| self.guard.roots.mounts.get(at));
                let writable = root.is_some_and(|root| root.writable);
                let (perms, mode) = if writable {
                    (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE)
                } else {
                    (FsPerms::ReadOnly, OpenMode::READ)
                };
                let from = target.mount.and_then(|at| self.guard.roots.mounts.get(at));
                let dir = match (parent, from) {
                    (Some(parent), _) => Dir::new(std::fs::File::from(parent), perms, mode, true),
                    (None, Some(root)) => root.dir.clone(),
                    (None, None) => self.guard.roots.sentinel.clone(),
                };
                (self.table.push(Descriptor::Dir(dir))?, true)
            }
        };
        Ok(Site { dir, temporary, name: place.name, real, permit, requested: target.requested })
    }

    /// Removes what `site` pushed.
    pub(crate) fn leave(&mut self, site: Site) -> FsResult<()> {
        if site.temporary {
            self.table.delete(Resource::<Descriptor>::new_own(site.dir.rep()))?;
        }
        Ok(())
    }

    /// A place that is about to be moved or removed must not hold something that another rule protects: after the move the rule would
    /// look for it under its old name.
    pub(crate) fn unprotected(&self, site: &Site, op: &'static str) -> FsResult<()> {
        match self.decide(&Request::Move { guest: &site.real, host: None }) {
            Ok(_) => Ok(()),
            Err(denial) => Err(self.refuse(&denial, op, &site.requested, Some(site.real.as_str()))),
        }
    }

    /// Records that a site is about to be used.
    pub(crate) fn enter(&self, site: &Site, op: &'static str, effect: bool) -> FsResult<u64> {
        let recorder = &self.guard.recorder;
        recorder.allow(&site.permit, op, &site.requested, Some(site.real.as_str()), effect).map_err(stopped)
    }
}
