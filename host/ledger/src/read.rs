//! Reading a ledger back, line by line in bounded memory. Reports and replays call `read`; `verify` uses the lines.
//!
//! `read` gives the records and does not judge the chain: that is `verify`'s question, and a report on an altered ledger says so itself.

use crate::record;
use serde_json::Value;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// A line from a file that anybody may have written.
pub(crate) enum Line<'l> {
    /// A line that ended, without its newline.
    Whole(&'l [u8]),
    /// The last line, which did not end.
    Torn,
    /// A line longer than any that we write. Nothing after it was read.
    TooLong,
    /// There are no more.
    None,
}

pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Lines<R> {
        Lines { reader: BufReader::with_capacity(64 << 10, reader), line: Vec::new() }
    }

    pub(crate) fn next(&mut self) -> io::Result<Line<'_>> {
        self.line.clear();
        // One byte for the newline, one that shows that the line goes on.
        let limit = crate::MAX_LINE as u64 + 1;
        self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        Ok(match self.line.split_last() {
            None => Line::None,
            Some((b'\n', line)) => Line::Whole(line),
            Some(_) if self.line.len() > crate::MAX_LINE => Line::TooLong,
            Some(_) => Line::Torn,
        })
    }
}

/// Why reading stopped.
#[derive(Debug)]
pub enum ReadError {
    /// The file could not be read.
    Io(io::Error),
    /// The last line is cut: the writer was stopped in it. Everything before it has been given.
    Torn,
    /// The line where record `seq` should be is not a record.
    Malformed { seq: u64, why: &'static str },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => write!(f, "the ledger cannot be read: {e}"),
            Self::Torn => f.write_str("the ledger's last line is cut"),
            Self::Malformed { seq, why } => write!(f, "record {seq} of the ledger {why}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// The records of a ledger in order, each with its seq. Ends after the first error.
pub struct Records<R> {
    lines: Lines<R>,
    seq: u64,
    over: bool,
}

/// Reads a ledger's records.
pub fn read<R: Read>(reader: R) -> Records<R> {
    Records { lines: Lines::new(reader), seq: 0, over: false }
}

impl<R: Read> Records<R> {
    fn step(&mut self) -> Result<Option<(u64, Value)>, ReadError> {
        let seq = self.seq;
        let malformed = |why| ReadError::Malformed { seq, why };
        let line = match self.lines.next().map_err(ReadError::Io)? {
            Line::None => return Ok(None),
            Line::Torn => return Err(ReadError::Torn),
            Line::TooLong => return Err(malformed(TOO_LONG)),
            Line::Whole(line) => line,
        };
        let fields = record::parse(line).map_err(malformed)?;
        if record::links(&fields).map_err(malformed)?.seq != seq {
            return Err(malformed("does not follow the one before it"));
        }
        self.seq += 1;
        Ok(Some((seq, Value::Object(fields))))
    }
}

pub(crate) const TOO_LONG: &str = "is longer than any line that is written";

impl<R: Read> Iterator for Records<R> {
    type Item = Result<(u64, Value), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.step().transpose();
        self.over = !matches!(item, Some(Ok(_)));
        item
    }
}

impl<R> fmt::Debug for Records<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").field("seq", &self.seq).finish_non_exhaustive()
    }
}
