//! An answer as it is noted: few shapes, so that a recording is easy to write, to bound and to change.

use bytes::Bytes;

/// What an effect gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Unit,
    Flag(bool),
    Number(u64),
    Text(String),
    Bytes(Bytes),
    List(Vec<Answer>),
    /// It failed: a code of the interface, or our own word.
    Failed(String),
    /// It was asked, and the call ended or the guest turned away before it answered.
    Never,
}
