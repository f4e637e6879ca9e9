//! `--deny-read` and `--deny-write`: matched on the guest's name, on the host path it maps to, and on the host path it
//! turned out to be, whichever comes first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::entry::{Entry, Split, entries};
use crate::error::PolicyError;
use crate::guest_path::GuestPath;
use crate::host_path::{bytes, check_written, covers, covers_joined, joined_covers, lexical, spellings};
use crate::raw::{HostView, Layer};

/// One denied path.
#[derive(Debug, Clone)]
pub(crate) struct PathDeny {
    /// Every spelling of the host path; absolute and plain.
    hosts: Vec<Box<[u8]>>,
    /// The same text as a guest path, if it is absolute.
    guest: Option<GuestPath>,
    /// Whether reading is denied too.
    pub(crate) reading: bool,
    pub(crate) rule: Arc<str>,
    /// As written, to be written again.
    pub(crate) written: String,
}

/// What is being asked about: the guest's name, where its mount is and what is left below it, and the real path if known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) guest: &'a GuestPath,
    pub(crate) mapped: Option<(&'a [u8], &'a str)>,
    pub(crate) real: Option<&'a [u8]>,
}

impl PathDeny {
    pub(crate) fn build(layers: &[Layer], host: &dyn HostView) -> Result<Vec<PathDeny>, PolicyError> {
        let mut denies = Vec::new();
        for (key, reading) in [("deny-read", true), ("deny-write", false)] {
            for entry in entries(layers, key, Split::Commas)? {
                denies.push(PathDeny::parse(&entry, reading, host)?);
            }
        }
        Ok(denies)
    }

    fn parse(entry: &Entry<'_>, reading: bool, host: &dyn HostView) -> Result<PathDeny, PolicyError> {
        check_written(entry.text).map_err(|reason| entry.error(reason))?;
        if entry.text.contains("::") {
            return Err(entry.error("a deny rule names one path, without ::"));
        }
        let hosts = spellings(&entry.layer.base, entry.text, host);
        let guest = if entry.text.starts_with('/') { lexical(&entry.layer.base, entry.text) } else { PathBuf::new() };
        Ok(PathDeny {
            hosts: hosts.iter().map(|path| bytes(path).into()).collect(),
            guest: guest.to_str().and_then(|text| GuestPath::parse(text).ok()),
            reading,
            rule: entry.rule(),
            written: entry.text.to_owned(),
        })
    }

    /// Every spelling of the host path.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        use std::os::unix::ffi::OsStrExt as _;
        self.hosts.iter().map(|host| Path::new(std::ffi::OsStr::from_bytes(host)))
    }

    /// The guest path that it names, if it is one.
    pub(crate) fn guest(&self) -> Option<&GuestPath> {
        self.guest.as_ref()
    }

    /// Whether the place is the denied path or below it.
    pub(crate) fn covers(&self, place: &Place<'_>) -> bool {
        self.guest.as_ref().is_some_and(|guest| place.guest.starts_with(guest))
            || self.hosts.iter().any(|denied| {
                place.mapped.is_some_and(|(base, rest)| covers_joined(denied, base, rest.as_bytes()))
                    || place.real.is_some_and(|real| covers(denied, real))
            })
    }

    /// Whether the denied path is below the place, so that moving the place would give it another name.
    pub(crate) fn is_below(&self, place: &Place<'_>) -> bool {
        self.guest.as_ref().is_some_and(|guest| guest.starts_with(place.guest))
            || self.hosts.iter().any(|denied| {
                place.mapped.is_some_and(|(base, rest)| joined_covers(base, rest.as_bytes(), denied))
                    || place.real.is_some_and(|real| covers(real, denied))
            })
    }

    /// For the policy's digest.
    pub(crate) fn line(&self) -> Vec<u8> {
        let guest = self.guest.as_ref().map_or("", GuestPath::as_str);
        let mut line = format!("path deny {} {guest}", if self.reading { "all" } else { "changes" }).into_bytes();
        for denied in &self.hosts {
            line.push(0);
            line.extend_from_slice(denied);
        }
        line
    }
}
