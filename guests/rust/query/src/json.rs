//! Objects in an array, or one after the other. Only one of them is in memory at a time, and of that only the texts.

use crate::scan::{Counted, Each, Fault, MAX_COLUMNS, MAX_ROW_BYTES, Scanned, malformed};
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, de::IoRead, error::Category, value::RawValue};
use std::{cell::Cell, collections::HashMap, fmt, io::BufReader, rc::Rc};

pub const BUFFER: usize = 64 << 10;

pub fn array(file: Counted, at: &[String], each: Each<'_>) -> Result<Scanned, Fault> {
    let mut rows = Rows::of(&file, each);
    let mut text = Deserializer::new(IoRead::new(BufReader::with_capacity(BUFFER, file)));
    let outcome = Below { at, rows: &mut rows }.deserialize(&mut text).and_then(|()| text.end());
    rows.finish(outcome)
}

pub fn lines(file: Counted, each: Each<'_>) -> Result<Scanned, Fault> {
    let mut rows = Rows::of(&file, each);
    let mut text = Deserializer::new(IoRead::new(BufReader::with_capacity(BUFFER, file)));
    let outcome = loop {
        match text.end() {
            Ok(()) => break Ok(()),
            // Not the end: another object.
            Err(error) if error.is_syntax() => {}
            Err(error) => break Err(error),
        }
        if let Err(error) = text.deserialize_any(Object { rows: &mut rows }) {
            break Err(error);
        }
    };
    rows.finish(outcome)
}

/// Who takes the rows, and the columns that they have had.
struct Rows<'a> {
    each: Each<'a>,
    scanned: Scanned,
    places: HashMap<String, usize>,
    /// Why it ended before its end, where that was not the text's fault.
    ended: Option<Fault>,
    read: Rc<Cell<u64>>,
    row_began: Rc<Cell<u64>>,
}

impl<'a> Rows<'a> {
    fn of(file: &Counted, each: Each<'a>) -> Self {
        let (read, row_began) = (file.read(), Rc::clone(&file.row_began));
        Self { each, scanned: Scanned::default(), places: HashMap::new(), ended: None, read, row_began }
    }

    fn place(&mut self, name: String) -> Option<usize> {
        if let Some(at) = self.places.get(&name) {
            return Some(*at);
        }
        let at = self.places.len();
        if at >= MAX_COLUMNS {
            return None;
        }
        self.scanned.names.push(name.clone());
        self.places.insert(name, at);
        Some(at)
    }

    /// False where no more rows are wanted.
    fn take(&mut self, row: &[Option<String>]) -> bool {
        self.scanned.rows += 1;
        self.row_began.set(self.read.get());
        match (self.each)(&self.scanned.names, row) {
            Ok(flow) => self.scanned.stopped = flow.is_break(),
            Err(error) => self.ended = Some(error.into()),
        }
        !self.scanned.stopped && self.ended.is_none()
    }

    fn finish(self, outcome: serde_json::Result<()>) -> Result<Scanned, Fault> {
        if let Some(fault) = self.ended {
            return Err(fault);
        }
        let row = self.scanned.rows + 1;
        match outcome {
            _ if self.scanned.stopped => Ok(self.scanned),
            Ok(()) => Ok(self.scanned),
            Err(error) if error.classify() == Category::Io => {
                let error = std::io::Error::from(error);
                if error.kind() == std::io::ErrorKind::FileTooLarge {
                    return Err(malformed(
                        row,
                        format!("a row, or what stands around them, of more than {} MiB", MAX_ROW_BYTES >> 20),
                    ));
                }
                Err(Fault::Read(error))
            }
            Err(error) if error.is_eof() => Err(malformed(row, "the text ends in the middle")),
            Err(error) => Err(malformed(row, error.to_string())),
        }
    }
}

/// Goes down to where the array is.
struct Below<'a, 'b> {
    at: &'a [String],
    rows: &'a mut Rows<'b>,
}

impl<'de> DeserializeSeed<'de> for Below<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, text: D) -> Result<(), D::Error> {
        text.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.first() {
            Some(key) => write!(f, "an object with {key:?}"),
            None => f.write_str("an array of objects"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, rest)) = self.at.split_first() else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == *wanted && !found {
                found = true;
                map.next_value_seed(Below { at: rest, rows: self.rows })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom(format_args!("at: there is no {wanted:?}"))) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if !self.at.is_empty() {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        while items.next_element_seed(Object { rows: self.rows })?.is_some() {}
        Ok(())
    }
}

/// One row.
struct Object<'a, 'b> {
    rows: &'a mut Rows<'b>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, text: D) -> Result<(), D::Error> {
        text.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut row = vec![None; self.rows.scanned.names.len()];
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value::<Box<RawValue>>()?;
            let Some(at) = self.rows.place(key) else {
                return Err(A::Error::custom(format_args!("more than {MAX_COLUMNS} columns")));
            };
            if at >= row.len() {
                row.resize(at + 1, None);
            }
            row[at] = cell(value.get()).map_err(A::Error::custom)?;
        }
        // An error is the only way to leave an array before its end; `finish` knows that it was meant.
        if self.rows.take(&row) { Ok(()) } else { Err(A::Error::custom("enough")) }
    }
}

/// A text without its quotes; numbers, arrays and objects as they stand.
fn cell(raw: &str) -> serde_json::Result<Option<String>> {
    Ok(match raw.as_bytes().first() {
        Some(b'"') => Some(serde_json::from_str(raw)?).filter(|text: &String| !text.is_empty()),
        Some(b'n') => None,
        _ => Some(raw.to_owned()),
    })
}
