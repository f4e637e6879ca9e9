//! What crossed: the hash-chained record of a run.
//!
//! The way through this room:
//!
//! ```text
//!  boundary, engine --- Event ---> Ledger::append --> event.rs   one event -> one line of JSON
//!    (facts of a call,   barrier()   writer.rs          text.rs    guest text: escaped, clamped
//!     guest text)        close()        |               line.rs    the line being written
//!                                       v
//!                                    chain.rs   seq and prev: each line holds the SHA-256 of the one before
//!                                       v
//!                                     file      append-only, one writer, mode 0600
//!                                       v
//!  customs verify ----------------> verify()  --> verify.rs  ok | unclosed | torn | altered | mismatch
//!  reports, replay ---------------> read()    --> read.rs    (seq, value) one by one
//!                                                  record.rs   what a well-formed record is
//! ```
//!
//! Who calls: the boundary appends an `access` before each access and an `outcome` after it, and calls [`Ledger::barrier`] before
//! anything that has an effect outside. After the first failed write every further append fails, so nothing runs unrecorded.
//!
//! What the chain proves: a record cannot be edited, dropped, swapped or inserted without every later `prev` being rewritten too. What
//! it does not prove: who wrote the file. Keep the head ([`Head`]) elsewhere and [`verify`] detects a ledger rewritten as a whole.
//!
//! [`material`] names what the bytes are (sources, sinks, classes) and [`digest`] how they are fingerprinted; secrets are keyed per run.

mod chain;
pub mod digest;
mod error;
mod event;
mod file;
mod line;
pub mod material;
mod read;
mod record;
mod text;
mod verify;
mod writer;

pub use digest::{Digest, Hasher, RunKey, hex, run_id};
pub use error::LedgerError;
pub use event::{Access, Component, Decision, End, Event, Open, Outcome};
pub use file::create as create_private;
pub use read::{ReadError, Records, read};
pub use text::{Escaped, is_unsafe_char};
pub use verify::{Report, Verdict, verify};
pub use writer::{Counts, Head, Ledger, Rendered};

/// The format's version: the `v` of every record.
pub const VERSION: u64 = 1;

/// Longest line that is written or read, its newline not counted. Guest text is clamped, so ordinary records stay under 20 KiB; the rest
/// is room for findings and long grant lists. Larger would let a hostile ledger make a reader allocate, smaller would refuse findings.
pub const MAX_LINE: usize = 1 << 20;
