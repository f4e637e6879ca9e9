//! What the file system answers, as it is noted on a tape.

use super::Fd;
use super::resolve::{Lost, Opened, Place};
use crate::state::View;
use crate::tape::Answer;
use crate::tape::wire::{Failure, Wire, nothing};
use customs_policy::GuestPath;
use rustix::fs::FileType;
use rustix::io::Errno;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue,
};

const CODES: [ErrorCode; 37] = [
    ErrorCode::Access,
    ErrorCode::WouldBlock,
    ErrorCode::Already,
    ErrorCode::BadDescriptor,
    ErrorCode::Busy,
    ErrorCode::Deadlock,
    ErrorCode::Quota,
    ErrorCode::Exist,
    ErrorCode::FileTooLarge,
    ErrorCode::IllegalByteSequence,
    ErrorCode::InProgress,
    ErrorCode::Interrupted,
    ErrorCode::Invalid,
    ErrorCode::Io,
    ErrorCode::IsDirectory,
    ErrorCode::Loop,
    ErrorCode::TooManyLinks,
    ErrorCode::MessageSize,
    ErrorCode::NameTooLong,
    ErrorCode::NoDevice,
    ErrorCode::NoEntry,
    ErrorCode::NoLock,
    ErrorCode::InsufficientMemory,
    ErrorCode::InsufficientSpace,
    ErrorCode::NotDirectory,
    ErrorCode::NotEmpty,
    ErrorCode::NotRecoverable,
    ErrorCode::Unsupported,
    ErrorCode::NoTty,
    ErrorCode::NoSuchDevice,
    ErrorCode::Overflow,
    ErrorCode::NotPermitted,
    ErrorCode::Pipe,
    ErrorCode::ReadOnly,
    ErrorCode::InvalidSeek,
    ErrorCode::TextFileBusy,
    ErrorCode::CrossDevice,
];

impl Failure for FsError {
    fn write(&self) -> String {
        super::error_name(self).to_owned()
    }

    fn read(code: &str) -> Option<Self> {
        match CODES.iter().find(|one| one.name() == code) {
            Some(code) => Some((*code).into()),
            None => Some(FsError::trap(wasmtime::format_err!("it ended by an error of the host"))),
        }
    }

    /// Documented: what a replay does not have is an input or output error.
    fn absent() -> Self {
        ErrorCode::Io.into()
    }
}

impl Failure for Lost {
    fn write(&self) -> String {
        match self {
            Lost::Outside => "outside".to_owned(),
            Lost::Special => "special".to_owned(),
            Lost::Os(errno) => errno.raw_os_error().to_string(),
        }
    }

    fn read(code: &str) -> Option<Self> {
        Some(match code {
            "outside" => Lost::Outside,
            "special" => Lost::Special,
            number => Lost::Os(Errno::from_raw_os_error(number.parse().ok()?)),
        })
    }

    fn absent() -> Self {
        Lost::Os(Errno::IO)
    }
}

impl Wire for Opened {
    fn write(&self) -> Answer {
        ((self.directory, self.size), (self.identity, self.direct)).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let ((directory, size), (identity, direct)) = Wire::read(answer)?;
        Some(Opened { fd: nothing().ok()?, directory, size, identity, direct })
    }
}

impl Wire for Place {
    fn write(&self) -> Answer {
        (self.parent.is_some(), self.name.clone()).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let (parent, name): (bool, String) = Wire::read(answer)?;
        let parent = if parent { Some(nothing().ok()?) } else { None };
        Some(Place { parent, name })
    }
}

/// The guest's name for something and the host's; the host's bytes need not be text.
impl Wire for (GuestPath, PathBuf) {
    fn write(&self) -> Answer {
        (self.0.as_str().to_owned(), bytes::Bytes::copy_from_slice(self.1.as_os_str().as_bytes())).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let (guest, host): (String, bytes::Bytes) = Wire::read(answer)?;
        Some((GuestPath::parse(&guest).ok()?, PathBuf::from(OsString::from_vec(host.to_vec()))))
    }
}

impl Wire for FileType {
    fn write(&self) -> Answer {
        Answer::Number(u64::from(self.as_raw_mode()))
    }

    fn read(answer: &Answer) -> Option<Self> {
        u32::read(answer).map(FileType::from_raw_mode)
    }
}

const TYPES: [DescriptorType; 8] = [
    DescriptorType::Unknown,
    DescriptorType::BlockDevice,
    DescriptorType::CharacterDevice,
    DescriptorType::Directory,
    DescriptorType::Fifo,
    DescriptorType::SymbolicLink,
    DescriptorType::RegularFile,
    DescriptorType::Socket,
];

impl Wire for DescriptorType {
    fn write(&self) -> Answer {
        TYPES.iter().position(|one| one == self).unwrap_or(0).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        TYPES.get(usize::read(answer)?).copied()
    }
}

const FLAGS: [DescriptorFlags; 6] = [
    DescriptorFlags::READ,
    DescriptorFlags::WRITE,
    DescriptorFlags::FILE_INTEGRITY_SYNC,
    DescriptorFlags::DATA_INTEGRITY_SYNC,
    DescriptorFlags::REQUESTED_WRITE_SYNC,
    DescriptorFlags::MUTATE_DIRECTORY,
];

impl Wire for DescriptorFlags {
    fn write(&self) -> Answer {
        FLAGS.map(|one| self.contains(one)).to_vec().write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let set = Vec::<bool>::read(answer)?;
        Some(
            FLAGS
                .into_iter()
                .zip(set)
                .filter(|(_, set)| *set)
                .fold(DescriptorFlags::empty(), |all, (one, _)| all | one),
        )
    }
}

impl Wire for DescriptorStat {
    fn write(&self) -> Answer {
        let times = (self.data_access_timestamp, (self.data_modification_timestamp, self.status_change_timestamp));
        ((self.type_, self.link_count), (self.size, times)).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let ((type_, link_count), (size, times)) = Wire::read(answer)?;
        let (data_access_timestamp, (data_modification_timestamp, status_change_timestamp)) = times;
        Some(DescriptorStat {
            type_,
            link_count,
            size,
            data_access_timestamp,
            data_modification_timestamp,
            status_change_timestamp,
        })
    }
}

impl Wire for MetadataHashValue {
    fn write(&self) -> Answer {
        (self.lower, self.upper).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let (lower, upper) = Wire::read(answer)?;
        Some(MetadataHashValue { lower, upper })
    }
}

impl Wire for DirectoryEntry {
    fn write(&self) -> Answer {
        (self.type_, self.name.clone()).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let (type_, name) = Wire::read(answer)?;
        Some(DirectoryEntry { type_, name })
    }
}

impl View<'_> {
    /// The guest's name of a descriptor, for a key.
    pub(super) fn named(&self, fd: &Fd) -> String {
        self.guard.files.handles.get(&fd.rep()).map_or_else(String::new, |handle| handle.guest.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_and_an_unknown_one_ends_the_call() {
        for code in CODES {
            assert_eq!(FsError::read(code.name()).unwrap().downcast_ref(), Some(&code));
        }
        assert!(FsError::read("what").unwrap().downcast_ref().is_none());
    }
}
