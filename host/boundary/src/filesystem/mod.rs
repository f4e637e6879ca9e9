//! `wasi:filesystem`: what a guest does with files and directories.
//!
//! A guest names a path relative to a descriptor. `target` decides on it as written and finds the grant it falls under; `resolve` asks
//! the kernel where it really leads and pins that; the decision is made again on the resolved path; the record is written; then
//! wasmtime-wasi's own implementation acts on the pinned directory and one name. Contents are tapped.
//!
//! What a deny rule names is known again by device and inode when it is opened under another name: a hard link, or another spelling where
//! the file system folds case.
//!
//! Not seen: what a guest does with bytes it already has; and what lies below a denied *directory* when that directory is spelled
//! differently on a file system that folds case or normalises Unicode.

mod change;
pub(crate) mod descriptor;
mod listing;
mod notes;
mod open;
pub(crate) mod resolve;
mod site;

pub(crate) use listing::Listing;

use crate::flow::{FlowId, Way};
use crate::record::Stopped;
use crate::roots::{Identity, shared};
use crate::state::View;
use crate::tape::key;
use customs_ledger::material::SourceKind;
use customs_policy::{Capability, Denial, DenialCode, GuestPath, PathEscape, Permit, Request};
use resolve::Lost;
use rustix::fd::AsFd;
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{self as wasi, ErrorCode};
use wasmtime_wasi::p2::{FsError, FsResult};

pub(crate) type Fd = Resource<Descriptor>;

/// What the guest's descriptors stand for. Keyed by table index, which is reused: entries go when the descriptor is dropped.
#[derive(Default)]
pub(crate) struct Files {
    handles: HashMap<u32, Handle>,
    pub(crate) listings: HashMap<u32, Listing>,
}

/// One descriptor.
#[derive(Clone)]
pub(crate) struct Handle {
    pub(crate) guest: GuestPath,
    /// The grant it was opened under; none for the stand-in of "/" and of the directories above a grant.
    pub(crate) mount: Option<usize>,
    /// The access record that opened it; preopens have none.
    pub(crate) access: Option<u64>,
    /// It was opened for writing, and that was decided and recorded.
    pub(crate) write: bool,
    /// Its size when it was opened: how much room reading it will take.
    pub(crate) size: u64,
    /// Which file it is, whatever its name.
    pub(crate) identity: Option<Identity>,
    reading: Option<FlowId>,
    writing: Option<FlowId>,
    /// The metadata last told about it, so that repeating `stat` adds nothing.
    told: Option<String>,
}

impl Handle {
    pub(crate) fn new(guest: GuestPath, mount: Option<usize>, access: Option<u64>, write: bool) -> Handle {
        let identity = None;
        Handle { guest, mount, access, write, size: 0, identity, reading: None, writing: None, told: None }
    }
}

/// Where a requested path falls.
pub(crate) struct Target {
    /// As the guest wrote it, made absolute.
    pub(crate) requested: String,
    /// The same, normalised without looking at the host.
    pub(crate) guest: GuestPath,
    pub(crate) permit: Permit,
    /// The grant, or none for a directory above the grants.
    pub(crate) mount: Option<usize>,
    /// The directory to resolve from, and the name to resolve there.
    pub(crate) dir: Arc<std::fs::File>,
    pub(crate) path: String,
    /// `dir` is the descriptor's own.
    pub(crate) own: bool,
}

pub(crate) fn stopped(stopped: Stopped) -> FsError {
    FsError::trap(wasmtime::Error::from(stopped))
}

/// What the guest is told. Policy refusals are `access`; what the sandbox itself would refuse is `not-permitted`, as in wasmtime-wasi.
fn error_for(code: DenialCode) -> ErrorCode {
    match code {
        DenialCode::ReadOnly | DenialCode::OutsideGrant | DenialCode::Escape => ErrorCode::NotPermitted,
        DenialCode::BadRequest => ErrorCode::Invalid,
        _ => ErrorCode::Access,
    }
}

/// The name of a guest-visible error, for the outcome record.
pub(crate) fn error_name(error: &FsError) -> &'static str {
    error.downcast_ref().map_or("trap", ErrorCode::name)
}

impl View<'_> {
    /// Every change of a descriptor's entry goes through here.
    pub(crate) fn adopt(&mut self, descriptor: Descriptor, handle: Handle) -> FsResult<Fd> {
        let fd = self.table.push(descriptor)?;
        self.guard.files.handles.insert(fd.rep(), handle);
        Ok(fd)
    }

    pub(crate) fn handle(&self, fd: &Fd) -> FsResult<&Handle> {
        self.guard.files.handles.get(&fd.rep()).ok_or_else(|| ErrorCode::BadDescriptor.into())
    }

    pub(crate) fn handle_mut(&mut self, fd: &Fd) -> FsResult<&mut Handle> {
        self.guard.files.handles.get_mut(&fd.rep()).ok_or_else(|| ErrorCode::BadDescriptor.into())
    }

    /// Refuses: the record, and the error for the guest.
    pub(crate) fn refuse(&self, denial: &Denial, op: &'static str, requested: &str, resolved: Option<&str>) -> FsError {
        match self.guard.recorder.deny(denial, op, requested, resolved) {
            Ok(()) => error_for(denial.code).into(),
            Err(e) => stopped(e),
        }
    }

    /// Decides on a path as the guest wrote it.
    pub(crate) fn target(&self, fd: &Fd, guest_rel: &str, cap: Capability, op: &'static str) -> FsResult<Target> {
        self.guard.recorder.labelled(|labels| labels.about(guest_rel));
        let handle = self.handle(fd)?;
        let dir = match self.table.get(fd)? {
            Descriptor::Dir(dir) => dir,
            Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
        };
        let base = handle.guest.as_str();
        let requested = if guest_rel.starts_with('/') {
            guest_rel.to_owned()
        } else {
            format!("{}/{guest_rel}", if base == "/" { "" } else { base })
        };
        let guest = match handle.guest.join(guest_rel) {
            Ok(guest) => guest,
            Err(PathEscape::Absolute | PathEscape::Climbs) => {
                return Err(self.refuse(&Denial::escape(cap), op, &requested, None));
            }
            Err(PathEscape::Invalid) => {
                return Err(self.refuse(&Denial::new(cap, DenialCode::BadRequest), op, &requested, None));
            }
        };
        let permit = match self.decide(&Request::Path { capability: cap, guest: &guest, host: None }) {
            Ok(permit) => permit,
            Err(denial) => return Err(self.refuse(&denial, op, &requested, None)),
        };
        let mount = permit.mount();
        let root = mount.and_then(|at| self.guard.roots.mounts.get(at));
        let Some(root) = root else {
            let dir = shared(&self.guard.roots.sentinel);
            return Ok(Target { requested, guest, permit, mount: None, dir, path: ".".to_owned(), own: false });
        };
        let own = handle.mount == mount && root.file.is_none();
        let (dir, path) = if own {
            (shared(dir), guest_rel.to_owned())
        } else {
            let here = root.file.as_deref().unwrap_or(".");
            let rest = guest.strip_prefix(&root.guest).filter(|rest| !rest.is_empty()).unwrap_or(here);
            let slash = if guest_rel.ends_with('/') { "/" } else { "" };
            (shared(&root.dir), format!("{rest}{slash}"))
        };
        Ok(Target { requested, guest, permit, mount, dir, path, own })
    }

    /// Decides again, on where a path really leads.
    pub(crate) fn settle(
        &self,
        target: &Target,
        cap: Capability,
        op: &'static str,
        real: Option<(GuestPath, std::path::PathBuf)>,
    ) -> FsResult<(GuestPath, Permit)> {
        let Some((real, host)) = real else {
            return Err(self.lost(Lost::Outside, target, cap, op, None));
        };
        match self.decide(&Request::Path { capability: cap, guest: &real, host: Some(&host) }) {
            // The longest grant decides: a link from one grant into another grant's place is decided by the other.
            Ok(permit) => Ok((real, permit)),
            Err(denial) => Err(self.refuse(&denial, op, &target.requested, Some(real.as_str()))),
        }
    }

    /// The error for a name that leads nowhere, recorded as what it is: a refusal, or an allowed access that failed.
    pub(crate) fn lost(
        &self,
        lost: Lost,
        target: &Target,
        cap: Capability,
        op: &'static str,
        access: Option<u64>,
    ) -> FsError {
        match lost {
            Lost::Outside => self.refuse(&Denial::outside(cap), op, &target.requested, Some("outside")),
            Lost::Special => self.refuse(&Denial::special(cap), op, &target.requested, Some(target.guest.as_str())),
            Lost::Os(errno) => {
                let error = FsError::from(std::io::Error::from(errno));
                let recorder = &self.guard.recorder;
                let of = match access {
                    Some(of) => Ok(of),
                    None => recorder.allow(&target.permit, op, &target.requested, Some(target.guest.as_str()), false),
                };
                match of.and_then(|of| recorder.outcome(of, Some(error_name(&error)))) {
                    Ok(()) => error,
                    Err(e) => stopped(e),
                }
            }
        }
    }

    /// Records how an access ended and passes the result on.
    pub(crate) fn ended<T>(&self, of: u64, result: FsResult<T>) -> FsResult<T> {
        let error = result.as_ref().err().map(error_name);
        self.guard.recorder.outcome(of, error).map_err(stopped)?;
        result
    }

    /// Tells metadata: a source of its own kind.
    pub(crate) fn tell_stat(&self, of: u64, path: &GuestPath, text: &str) -> FsResult<()> {
        self.guard.recorder.whole(of, Way::In(SourceKind::Metadata), path.as_str(), text.as_bytes()).map_err(stopped)
    }

    /// Guest path of something open under grant `mount`.
    pub(crate) fn real(&self, target: &Target, mount: usize, fd: impl AsFd) -> Option<(GuestPath, std::path::PathBuf)> {
        let find = || self.guard.roots.guest_path(mount, fd.as_fd());
        self.guard.recorder.tape().effect(key!("fs.real", target.requested), find)
    }
}

/// Metadata as text, so that a size or a time can be found again in what the tool says.
pub(crate) fn stat_text(stat: &wasi::DescriptorStat) -> String {
    let time = |t: &Option<wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime>| {
        t.as_ref().map_or_else(|| "null".to_owned(), |t| format!("{}.{:09}", t.seconds, t.nanoseconds))
    };
    let kind = match stat.type_ {
        wasi::DescriptorType::RegularFile => "regular-file",
        wasi::DescriptorType::Directory => "directory",
        wasi::DescriptorType::SymbolicLink => "symbolic-link",
        _ => "other",
    };
    format!(
        "{{\"type\":\"{kind}\",\"links\":{},\"size\":{},\"accessed\":{},\"modified\":{},\"changed\":{}}}",
        stat.link_count,
        stat.size,
        time(&stat.data_access_timestamp),
        time(&stat.data_modification_timestamp),
        time(&stat.status_change_timestamp),
    )
}
