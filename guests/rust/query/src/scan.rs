//! The rows of a file, one by one.

use crate::{
    csv,
    exports::customs::query::tables::{Format, Place, QueryError},
    json,
};
use std::{
    cell::Cell,
    fs::File,
    io::{self, ErrorKind, Read},
    ops::ControlFlow,
    rc::Rc,
};

/// A row, or a value of one, that is longer is no row of a table; it would have to be kept whole.
pub const MAX_ROW_BYTES: u64 = 1 << 20;
/// Names of columns are kept, and each row has a cell for each of them.
pub const MAX_COLUMNS: usize = 1000;

/// Gets the names of the columns so far and a cell for each; says whether it wants more.
pub type Each<'a> = &'a mut dyn FnMut(&[String], &[Option<String>]) -> Result<ControlFlow<()>, QueryError>;

/// A file, and how to read it.
pub struct Source {
    path: String,
    format: Format,
    at: Vec<String>,
}

/// What was read.
#[derive(Default)]
pub struct Scanned {
    pub names: Vec<String>,
    pub rows: u64,
    pub bytes: u64,
    /// It was left before its end.
    pub stopped: bool,
}

impl Source {
    pub fn of(path: String, format: Option<Format>, at: Option<String>) -> Result<Self, QueryError> {
        let end = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let format = match (format, end.as_str()) {
            (Some(format), _) => format,
            (None, "csv") => Format::Csv,
            (None, "tsv") => Format::Tsv,
            (None, "json") => Format::Json,
            (None, "jsonl" | "ndjson") => Format::JsonLines,
            _ => {
                return Err(QueryError::Invalid(format!(
                    "format: {path:?} does not say which; say csv, tsv, json or json-lines"
                )));
            }
        };
        let at = at.unwrap_or_default();
        if !at.is_empty() && (!at.starts_with('/') || format != Format::Json) {
            return Err(QueryError::Invalid(format!("at: {at:?} is no JSON Pointer into a JSON text")));
        }
        let at = at.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { path, format, at })
    }

    pub fn scan(&self, each: Each<'_>) -> Result<Scanned, QueryError> {
        let file = File::open(&self.path).map_err(|error| self.describe(&error))?;
        let read = Rc::new(Cell::new(0));
        let file = Counted { file, read: Rc::clone(&read), row_began: Rc::default() };
        let mut scanned = match self.format {
            Format::Csv => csv::scan(file, None, each),
            Format::Tsv => csv::scan(file, Some(b'\t'), each),
            Format::Json => json::array(file, &self.at, each),
            Format::JsonLines => json::lines(file, each),
        }
        .map_err(|fault| match fault {
            Fault::Told(error) => error,
            Fault::Read(error) => self.describe(&error),
        })?;
        scanned.bytes = read.get();
        Ok(scanned)
    }

    fn describe(&self, error: &io::Error) -> QueryError {
        let path = self.path.clone();
        match error.kind() {
            ErrorKind::PermissionDenied => QueryError::NotPermitted(path),
            ErrorKind::NotFound => QueryError::NotFound(path),
            ErrorKind::IsADirectory => QueryError::Invalid(format!("path: {path} is a folder")),
            _ => QueryError::Other(format!("{path}: {error}")),
        }
    }
}

impl Scanned {
    /// Complains about the first column that is nowhere. Where the file was not read to its end it may still come.
    pub fn knows(&self, columns: &[&str]) -> Result<(), QueryError> {
        let unknown = columns.iter().find(|column| !self.names.iter().any(|name| name == *column));
        match unknown {
            Some(column) if !self.stopped => {
                let some = self.names.iter().take(30).cloned().collect::<Vec<_>>().join(", ");
                Err(QueryError::Invalid(format!("no column {column:?}; there are {some}")))
            }
            _ => Ok(()),
        }
    }
}

/// Where the named columns are, as far as is known.
pub struct Places {
    names: Vec<String>,
    at: Vec<Option<usize>>,
    seen: usize,
}

impl Places {
    pub fn of(names: impl Iterator<Item = String>) -> Self {
        let names: Vec<String> = names.collect();
        Self { at: vec![None; names.len()], names, seen: 0 }
    }

    /// Looks at the columns that are new.
    pub fn learn(&mut self, names: &[String]) {
        for (index, name) in names.iter().enumerate().skip(self.seen) {
            for (own, at) in self.names.iter().zip(&mut self.at) {
                if own == name {
                    at.get_or_insert(index);
                }
            }
        }
        self.seen = names.len();
    }

    pub fn all(&self) -> &[Option<usize>] {
        &self.at
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// What ends a scan: an error to tell, or one of the file that still wants the path.
pub enum Fault {
    Told(QueryError),
    Read(io::Error),
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Self {
        Self::Told(error)
    }
}

pub fn malformed(row: u64, why: impl Into<String>) -> Fault {
    Fault::Told(QueryError::Malformed(Place { row, why: why.into() }))
}

/// Counts what is read, and stops a row that does not end.
pub struct Counted {
    file: File,
    read: Rc<Cell<u64>>,
    /// How much had been read when the present row began.
    pub row_began: Rc<Cell<u64>>,
}

impl Counted {
    pub fn read(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.read)
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Some of what was read is still in a buffer, so a row may have been given a little more than this.
        if self.read.get() - self.row_began.get() > MAX_ROW_BYTES + json::BUFFER as u64 {
            return Err(io::Error::from(ErrorKind::FileTooLarge));
        }
        let read = self.file.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}
