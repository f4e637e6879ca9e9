//! Values with a sign between them, as RFC 4180 has it and as programs write it: quotes around what holds the sign, doubled inside; any
//! end of line; a byte order mark; semicolons where commas are for decimals.

use crate::scan::{Counted, Each, Fault, MAX_COLUMNS, MAX_ROW_BYTES, Scanned, malformed};
use std::io::{BufRead, BufReader};

const BUFFER: usize = 64 << 10;

pub fn scan(file: Counted, delimiter: Option<u8>, each: Each<'_>) -> Result<Scanned, Fault> {
    // The bound on rows is kept here: a buffer would hide where one begins.
    let (read, began) = (file.read(), std::rc::Rc::clone(&file.row_began));
    let mut input = BufReader::with_capacity(BUFFER, file);
    let start = input.fill_buf().map_err(Fault::Read)?;
    let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let delimiter = delimiter.unwrap_or_else(|| delimiter_of(&start[mark..]));
    input.consume(mark);
    let mut records = Records { input, delimiter, line: 1 };
    let Some(names) = records.next()? else { return Err(malformed(1, "there is no line with names of columns")) };
    let names: Vec<String> = names.into_iter().map(Option::unwrap_or_default).collect();
    let mut scanned = Scanned { names, ..Scanned::default() };
    if scanned.names.len() > MAX_COLUMNS {
        return Err(malformed(1, format!("more than {MAX_COLUMNS} columns")));
    }
    loop {
        began.set(read.get());
        let line = records.line;
        let Some(row) = records.next()? else { break };
        if row.len() > scanned.names.len() {
            return Err(malformed(line, format!("{} values for {} columns", row.len(), scanned.names.len())));
        }
        scanned.rows += 1;
        if each(&scanned.names, &row)?.is_break() {
            scanned.stopped = true;
            break;
        }
    }
    Ok(scanned)
}

/// A semicolon where the first line has some and no comma outside of quotes.
fn delimiter_of(start: &[u8]) -> u8 {
    let mut quoted = false;
    let (mut commas, mut semicolons) = (0, 0);
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' if !quoted => commas += 1,
            b';' if !quoted => semicolons += 1,
            _ => {}
        }
    }
    if commas == 0 && semicolons > 0 { b';' } else { b',' }
}

struct Records<R> {
    input: R,
    delimiter: u8,
    line: u64,
}

#[derive(PartialEq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote inside of quotes: the end, or one half of a quote.
    Quote,
}

impl<R: BufRead> Records<R> {
    fn next(&mut self) -> Result<Option<Vec<Option<String>>>, Fault> {
        let (mut cells, mut cell, mut state) = (Vec::new(), Vec::new(), State::Start);
        let (began, mut length) = (self.line, 0_u64);
        loop {
            let buffer = self.input.fill_buf().map_err(Fault::Read)?;
            if buffer.is_empty() {
                if state == State::Quoted {
                    return Err(malformed(began, "a quote is opened and never closed"));
                }
                if cells.is_empty() && cell.is_empty() && state == State::Start {
                    return Ok(None);
                }
                cells.push(finished(&mut cell));
                return Ok(Some(cells));
            }
            let mut used = 0;
            let mut ended = false;
            for byte in buffer {
                used += 1;
                let byte = *byte;
                match state {
                    State::Quoted => match byte {
                        b'"' => state = State::Quote,
                        _ => cell.push(byte),
                    },
                    State::Quote if byte == b'"' => {
                        cell.push(b'"');
                        state = State::Quoted;
                    }
                    _ if byte == 0 => return Err(malformed(self.line, "a zero byte, which no text has")),
                    _ if byte == self.delimiter => {
                        cells.push(finished(&mut cell));
                        if cells.len() > MAX_COLUMNS {
                            return Err(malformed(began, format!("more than {MAX_COLUMNS} values")));
                        }
                        state = State::Start;
                    }
                    _ if byte == b'\n' => {
                        self.line += 1;
                        if cells.is_empty() && cell.is_empty() && state == State::Start {
                            // An empty line.
                            continue;
                        }
                        cells.push(finished(&mut cell));
                        ended = true;
                        break;
                    }
                    _ if byte == b'\r' => {}
                    State::Quote => return Err(malformed(self.line, "something stands behind a closing quote")),
                    State::Start if byte == b'"' => state = State::Quoted,
                    _ => {
                        cell.push(byte);
                        state = State::Plain;
                    }
                }
                if byte == b'\n' && state == State::Quoted {
                    self.line += 1;
                }
            }
            self.input.consume(used);
            if ended {
                return Ok(Some(cells));
            }
            length += used as u64;
            if length > MAX_ROW_BYTES {
                return Err(malformed(began, format!("a row of more than {} MiB", MAX_ROW_BYTES >> 20)));
            }
        }
    }
}

/// What is no UTF-8 becomes U+FFFD. An empty cell has no value.
fn finished(cell: &mut Vec<u8>) -> Option<String> {
    let bytes = std::mem::take(cell);
    let text = String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Some(text).filter(|text| !text.is_empty())
}
