//! Operations that change what is at a name: create, remove, link, rename. The place is decided on and pinned before (`site`); what is
//! pinned goes again however the operation ends.

use super::site::Site;
use super::{Fd, error_name, stopped};
use crate::flow::Way;
use crate::state::View;
use crate::tape::key;
use customs_ledger::material::SinkKind;
use customs_policy::{Capability, GuestPath};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{self, HostDescriptor};

/// A change at one name.
pub(super) enum Change {
    CreateDirectory,
    RemoveDirectory,
    RemoveFile,
    Link { target: String },
    Times { follow: bool, access: types::NewTimestamp, modify: types::NewTimestamp },
}

impl View<'_> {
    /// An operation that changes something at a name.
    pub(super) async fn change_at(&mut self, fd: &Fd, path: &str, op: &'static str, change: Change) -> FsResult<()> {
        let follow = matches!(change, Change::Times { follow: true, .. });
        let site = self.site(fd, path, Capability::FsWrite, op, follow)?;
        if matches!(change, Change::RemoveDirectory | Change::RemoveFile) {
            let refused = self.unprotected(&site, op);
            if refused.is_err() {
                self.leave(site)?;
                return refused;
            }
        }
        let of = self.enter(&site, op, true)?;
        let (dir, name) = (site.dir(), site.name.clone());
        let tape = self.guard.recorder.tape().clone();
        let mut inner = self.inner_files();
        let doing = async {
            match change {
                Change::CreateDirectory => inner.create_directory_at(dir, name).await,
                Change::RemoveDirectory => inner.remove_directory_at(dir, name).await,
                Change::RemoveFile => inner.unlink_file_at(dir, name).await,
                Change::Link { ref target } => inner.symlink_at(dir, target.clone(), name).await,
                // The site is the end of every link: what is changed is what was decided.
                Change::Times { access, modify, .. } => {
                    inner.set_times_at(dir, types::PathFlags::empty(), name, access, modify).await
                }
            }
        };
        let result = tape.later(key!("fs.change", site.real, op), doing).await;
        if result.is_ok() {
            match &change {
                Change::CreateDirectory => self.name_sink(of, &site.real)?,
                Change::Link { target } => {
                    self.name_sink(of, &site.real)?;
                    let label = format!("{}#target", site.real);
                    let way = Way::Out(SinkKind::File);
                    self.guard.recorder.labelled(|labels| labels.place(labels.bytes_of("old-path")));
                    self.guard.recorder.whole(of, way, &label, target.as_bytes()).map_err(stopped)?;
                }
                _ => {}
            }
        }
        self.leave(site)?;
        self.ended(of, result)
    }

    /// Two names: where something is and where it is to be.
    pub(super) async fn move_at(
        &mut self,
        from: (&Fd, &str),
        to: (&Fd, &str),
        op: &'static str,
        rename: bool,
    ) -> FsResult<()> {
        let cap = Capability::FsWrite;
        let old = self.site(from.0, from.1, cap, op, false)?;
        let new = match self.site(to.0, to.1, cap, op, false) {
            Ok(new) => new,
            Err(e) => {
                self.leave(old)?;
                return Err(e);
            }
        };
        let refused = self.unprotected(&old, op).and_then(|()| self.unprotected(&new, op));
        if refused.is_err() {
            self.leave(old)?;
            self.leave(new)?;
            return refused;
        }
        let first = self.enter(&old, op, false)?;
        let of = self.enter(&new, op, true)?;
        let (old_dir, old_name) = (old.dir(), old.name.clone());
        let (new_dir, new_name) = (new.dir(), new.name.clone());
        let tape = self.guard.recorder.tape().clone();
        let mut inner = self.inner_files();
        let doing = async {
            if rename {
                inner.rename_at(old_dir, old_name, new_dir, new_name).await
            } else {
                inner.link_at(old_dir, types::PathFlags::empty(), old_name, new_dir, new_name).await
            }
        };
        let result = tape.later(key!("fs.move", old.real, new.real, op), doing).await;
        if result.is_ok() {
            self.name_sink(of, &new.real)?;
            if rename {
                self.renamed(&old.real, &new);
            }
        }
        let error = result.as_ref().err().map(error_name);
        self.guard.recorder.outcome(first, error).map_err(stopped)?;
        self.leave(old)?;
        self.leave(new)?;
        self.ended(of, result)
    }

    /// What is open at or below a name that was moved goes by its new name from now on: in records, and where a rule names it.
    fn renamed(&mut self, old: &GuestPath, new: &Site) {
        for handle in self.guard.files.handles.values_mut() {
            if let Some(Ok(moved)) = handle.guest.strip_prefix(old).map(|rest| new.real.join(rest)) {
                handle.guest = moved;
                handle.mount = new.permit.mount();
            }
        }
    }
}
