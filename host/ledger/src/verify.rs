//! The verifier: is this file what a ledger wrote, whole and unchanged?
//!
//! `customs verify` calls it with a file that anybody may have written. It streams, keeps one line at a time, and answers with the first
//! thing that is wrong. Torn is not altered: a cut last line is what a killed writer leaves, anything else is not.
//!
//! A record's own bytes are vouched for by the `prev` of the next. When the two disagree, either may have been changed, and the record
//! after them usually settles which; only then is a third line looked at.

use crate::chain::Chain;
use crate::digest::{hex, sha256};
use crate::read::{Line, Lines, TOO_LONG};
use crate::record::{self, Fields, Links};
use std::io::{self, Read};

/// The answer, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Whole, closed and unchanged (and the one that `head` names, if given).
    Ok,
    /// Unchanged as far as it goes, without a `close`: the run was stopped, or the end was cut off.
    Unclosed,
    /// The last line is cut, everything before it is good.
    Torn,
    /// Record `seq` is not as it was written, or should not be there.
    Altered { seq: u64 },
    /// A sound ledger, and not the one that `head` names.
    Mismatch,
}

impl Verdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unclosed => "unclosed",
            Self::Torn => "torn",
            Self::Altered { .. } => "altered",
            Self::Mismatch => "mismatch",
        }
    }
}

/// What `verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub verdict: Verdict,
    /// Good records from the start, `close` not counted.
    pub events: u64,
    /// SHA-256 of the last good line.
    pub head: [u8; 32],
    /// One sentence for a person.
    pub detail: String,
}

/// Verifies a ledger, against the head kept elsewhere if there is one. Fails only where the file cannot be read.
pub fn verify(reader: impl Read, head: Option<[u8; 32]>) -> Result<Report, io::Error> {
    let mut walk = Walk { chain: Chain::new(), older: Chain::new().hex, closed: false, head };
    let mut lines = Lines::new(reader);
    loop {
        let fault = match lines.next()? {
            Line::None => return Ok(walk.whole()),
            Line::Whole(_) | Line::Torn | Line::TooLong if walk.closed => walk.at_next("follows the close record"),
            Line::TooLong => walk.at_next(TOO_LONG),
            Line::Torn => {
                let detail = format!("the last line is cut; the {} records before it are good", walk.chain.seq);
                return Ok(walk.report(Verdict::Torn, detail));
            }
            Line::Whole(line) => match walk.take(line) {
                Ok(()) => continue,
                Err(Broken::Here(why)) => walk.at_next(why),
                Err(Broken::Link(link)) => {
                    let after = match lines.next()? {
                        Line::Whole(next) => prev_of(next),
                        Line::Torn | Line::TooLong | Line::None => None,
                    };
                    walk.settle(&link, after.as_deref())
                }
            },
        };
        let detail = format!("record {} {}", fault.seq, fault.why);
        return Ok(walk.report(Verdict::Altered { seq: fault.seq }, detail));
    }
}

struct Walk {
    chain: Chain,
    /// The hash before the last: the `prev` that the last good record has.
    older: [u8; 64],
    closed: bool,
    head: Option<[u8; 32]>,
}

struct Fault {
    seq: u64,
    why: &'static str,
}

enum Broken {
    /// The line itself is wrong.
    Here(&'static str),
    /// The line is a record that does not follow the one before it.
    Link(Link),
}

/// A well-formed record that does not fit where it stands.
struct Link {
    seq: u64,
    prev: String,
    closes: bool,
    line: Vec<u8>,
}

impl Walk {
    fn take(&mut self, line: &[u8]) -> Result<(), Broken> {
        let fields = record::parse(line).map_err(Broken::Here)?;
        let links = record::links(&fields).map_err(Broken::Here)?;
        if links.seq != self.chain.seq || links.prev.as_bytes() != self.chain.hex {
            let closes = links.event == "close";
            return Err(Broken::Link(Link {
                seq: links.seq,
                prev: links.prev.to_owned(),
                closes,
                line: line.to_vec(),
            }));
        }
        self.judge(&links, &fields, line).map_err(Broken::Here)?;
        self.older = self.chain.hex;
        self.chain.advance(line);
        Ok(())
    }

    fn judge(&mut self, links: &Links<'_>, fields: &Fields, line: &[u8]) -> Result<(), &'static str> {
        match (links.seq, links.event) {
            (0, "open") => record::check(links, fields),
            (0, _) => Err("is the first and does not open the ledger"),
            (_, "open") => Err("opens the ledger a second time"),
            (_, "close") => {
                let mut written = Vec::with_capacity(line.len());
                self.chain.close_line(&mut written);
                self.closed = written == line;
                if self.closed { Ok(()) } else { Err("is not the close record that stands here") }
            }
            _ => record::check(links, fields),
        }
    }

    /// Which record to name when the one at hand does not follow the last good one. `after` is the `prev` of the line that comes next.
    fn settle(&self, link: &Link, after: Option<&str>) -> Fault {
        let here = self.chain.seq;
        let before = here.saturating_sub(1);
        // What comes after a line vouches for it; the head, kept elsewhere, does for the last one.
        let vouched = |bytes: &[u8]| match (after, self.head) {
            (Some(after), _) => after == hex(&sha256(bytes)),
            (None, Some(head)) => head == sha256(bytes),
            (None, None) => false,
        };
        if link.seq != here {
            // Two records claim the place before. A close that would fit there is believed, for it can be at one place only.
            let rival = link.seq.checked_add(1) == Some(here) && link.prev.as_bytes() == self.older;
            if rival && sha256(&link.line) != self.chain.hash && (link.closes || vouched(&link.line)) {
                return Fault { seq: before, why: "is not the one that the ledger wrote there" };
            }
            return Fault { seq: here, why: "is missing, or another stands in its place" };
        }
        let only_prev_changed = with_prev(&link.line, &self.chain.hex).is_some_and(|mended| vouched(&mended));
        let stranger = after.is_some_and(|after| after.as_bytes() == self.chain.hex);
        if here == 0 || only_prev_changed || stranger {
            return Fault { seq: here, why: "does not hold the hash of the one before it" };
        }
        Fault { seq: before, why: "is not as it was written: the next one holds another hash of it" }
    }

    fn at_next(&self, why: &'static str) -> Fault {
        Fault { seq: self.chain.seq, why }
    }

    fn whole(&self) -> Report {
        let events = self.events();
        let known = self.head.is_none_or(|head| head == self.chain.hash);
        if !known {
            let detail = if self.closed { "the ledger is sound, and its head is not the one given" } else { CUT_SHORT };
            return self.report(Verdict::Mismatch, detail.to_owned());
        }
        if !self.closed {
            return self
                .report(Verdict::Unclosed, format!("there is no close record after the {events} that are good"));
        }
        self.report(Verdict::Ok, format!("{events} records, closed and unchanged"))
    }

    fn events(&self) -> u64 {
        self.chain.seq.saturating_sub(u64::from(self.closed))
    }

    fn report(&self, verdict: Verdict, detail: String) -> Report {
        Report { verdict, events: self.events(), head: self.chain.hash, detail }
    }
}

const CUT_SHORT: &str = "the ledger has no close record, and its head is not the one given: its end was cut off";

fn prev_of(line: &[u8]) -> Option<String> {
    let fields = record::parse(line).ok()?;
    record::links(&fields).ok().map(|links| links.prev.to_owned())
}

/// The line with another `prev`, if it ends as every line that we write.
fn with_prev(line: &[u8], prev: &[u8; 64]) -> Option<Vec<u8>> {
    let start = line.strip_suffix(b"\"}")?;
    let start = start.get(..start.len().checked_sub(64)?)?;
    start.ends_with(b"\"prev\":\"").then(|| [start, prev, b"\"}"].concat())
}
