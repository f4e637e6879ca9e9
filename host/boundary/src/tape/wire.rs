//! How what an effect gives becomes an [`Answer`], and an answer that again. What a recording holds in place of the right shape is taken as
//! nothing: a recording may be hostile.

use super::Answer;
use bytes::Bytes;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::{StreamError, StreamResult};

/// Something that an effect gives.
pub(crate) trait Wire: Sized {
    fn write(&self) -> Answer;
    fn read(answer: &Answer) -> Option<Self>;
}

/// What a guest gets where the recording has no answer.
pub(crate) trait Absent: Sized {
    fn absent() -> Self;
}

/// How an effect fails. `absent` is the code that says that it is not in the recording.
pub(crate) trait Failure: Sized {
    fn write(&self) -> String;
    fn read(code: &str) -> Option<Self>;
    fn absent() -> Self;
}

impl<T: Wire, E: Failure> Wire for Result<T, E> {
    fn write(&self) -> Answer {
        match self {
            Ok(given) => given.write(),
            Err(failure) => Answer::Failed(failure.write()),
        }
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Failed(code) => E::read(code).map(Err),
            answer => T::read(answer).map(Ok),
        }
    }
}

impl<T, E: Failure> Absent for Result<T, E> {
    fn absent() -> Self {
        Err(E::absent())
    }
}

impl Wire for () {
    fn write(&self) -> Answer {
        Answer::Unit
    }

    fn read(answer: &Answer) -> Option<Self> {
        matches!(answer, Answer::Unit).then_some(())
    }
}

impl<T> Absent for Option<T> {
    fn absent() -> Self {
        None
    }
}

impl Absent for () {
    fn absent() -> Self {}
}

impl Wire for bool {
    fn write(&self) -> Answer {
        Answer::Flag(*self)
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl Absent for bool {
    fn absent() -> Self {
        false
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Wire for $number {
            fn write(&self) -> Answer {
                Answer::Number(u64::try_from(*self).unwrap_or(u64::MAX))
            }

            fn read(answer: &Answer) -> Option<Self> {
                match answer {
                    Answer::Number(number) => <$number>::try_from(*number).ok(),
                    _ => None,
                }
            }
        })*
    };
}

numbers! { u8 u16 u32 u64 usize }

impl Wire for String {
    fn write(&self) -> Answer {
        Answer::Text(self.clone())
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Wire for Bytes {
    fn write(&self) -> Answer {
        Answer::Bytes(self.clone())
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self) -> Answer {
        Answer::List(self.iter().map(Wire::write).collect())
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::List(parts) => parts.iter().map(T::read).collect(),
            _ => None,
        }
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self) -> Answer {
        Answer::List(self.iter().map(Wire::write).collect())
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::List(parts) => match parts.as_slice() {
                [] => Some(None),
                [one] => T::read(one).map(Some),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self) -> Answer {
        Answer::List(vec![self.0.write(), self.1.write()])
    }

    fn read(answer: &Answer) -> Option<Self> {
        match answer {
            Answer::List(parts) => match parts.as_slice() {
                [a, b] => Some((A::read(a)?, B::read(b)?)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Wire for Datetime {
    fn write(&self) -> Answer {
        (self.seconds, self.nanoseconds).write()
    }

    fn read(answer: &Answer) -> Option<Self> {
        let (seconds, nanoseconds) = Wire::read(answer)?;
        Some(Datetime { seconds, nanoseconds })
    }
}

/// An error of ours or of wasmtime: the call ends by it.
impl Failure for wasmtime::Error {
    fn write(&self) -> String {
        "trap".to_owned()
    }

    fn read(_: &str) -> Option<Self> {
        Some(wasmtime::format_err!("it ended by an error of the host in the recording"))
    }

    fn absent() -> Self {
        wasmtime::format_err!("not in the recording")
    }
}

/// How a stream failed. A guest may ask what stood behind it, so the system's number and the interface's word are kept.
impl Failure for StreamError {
    fn write(&self) -> String {
        match self {
            StreamError::Closed => "closed".to_owned(),
            StreamError::Trap(_) => "trap".to_owned(),
            StreamError::LastOperationFailed(error) => {
                if let Some(number) = error.downcast_ref().and_then(std::io::Error::raw_os_error) {
                    format!("os {number}")
                } else if let Some(http) = error.downcast_ref::<wasmtime_wasi_http::Error>() {
                    format!("http {}", crate::network::code(http))
                } else {
                    "failed".to_owned()
                }
            }
        }
    }

    fn read(code: &str) -> Option<Self> {
        let failed = match code.split_once(' ') {
            Some(("os", number)) => std::io::Error::from_raw_os_error(number.parse().ok()?).into(),
            Some(("http", code)) => crate::network::error(code)?.into(),
            _ => match code {
                "closed" => return Some(StreamError::Closed),
                "failed" => wasmtime::format_err!("input or output failed"),
                _ => return Some(StreamError::Trap(wasmtime::format_err!("it ended by an error of the host"))),
            },
        };
        Some(StreamError::LastOperationFailed(failed))
    }

    fn absent() -> Self {
        StreamError::LastOperationFailed(wasmtime::format_err!("not in the recording"))
    }
}

/// A file of nothing for descriptors of a replay: should an effect be forgotten, it finds this.
pub(crate) fn nothing() -> std::io::Result<std::os::fd::OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags};
    let fd = rustix::fs::memfd_create("replay", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(fd)
}

/// A chunk of a stream, in a form that cannot be mistaken for a failure.
pub(crate) type Chunk = StreamResult<Bytes>;

#[cfg(test)]
mod tests {
    use super::*;

    fn same<T: Wire + PartialEq + std::fmt::Debug>(given: T) {
        assert_eq!(T::read(&given.write()).as_ref(), Some(&given));
    }

    #[test]
    fn what_is_noted_is_read_back() {
        same(());
        same(true);
        same(7_u64);
        same("a\u{0}b".to_owned());
        same(Bytes::from_static(b"\xff\x00"));
        same(vec![1_u32, 2]);
        same(Some(Some(1_u8)));
        same::<Option<Option<u8>>>(Some(None));
        same((1_u8, vec!["x".to_owned()]));
    }

    #[test]
    fn another_shape_is_nothing() {
        assert_eq!(u8::read(&Answer::Number(256)), None);
        assert_eq!(bool::read(&Answer::Number(1)), None);
        assert_eq!(<(u8, u8)>::read(&Answer::List(vec![Answer::Number(1)])), None);
        assert_eq!(Vec::<u8>::read(&Answer::List(vec![Answer::Number(1), Answer::Unit])), None);
        assert_eq!(<Option<u8>>::read(&Answer::Never), None);
    }

    #[test]
    fn streams_fail_again_as_they_did() {
        for code in ["closed", "os 28", "http http-response-incomplete", "failed", "trap"] {
            assert_eq!(StreamError::read(code).map(|e| Failure::write(&e)).as_deref(), Some(code));
        }
        assert!(StreamError::read("os x").is_none() && StreamError::read("http x").is_none());
    }

    #[test]
    fn nothing_can_be_written_into() {
        let fd = nothing().unwrap();
        assert!(rustix::io::write(&fd, b"x").is_err());
        assert!(rustix::fs::openat(&fd, "x", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).is_err());
    }
}
