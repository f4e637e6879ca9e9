//! How much of a file may be kept at once.

use crate::exports::customs::query::tables::QueryError;

/// A quarter of the memory that a call has by default: texts are moved while they are kept, and the answer is written from them.
const KEPT: usize = 64 << 20;

/// What a cell costs beside its text.
const CELL: usize = 32;

/// Bytes that may still be kept.
pub struct Budget {
    left: usize,
}

impl Budget {
    pub fn new() -> Self {
        Self { left: KEPT }
    }

    pub fn take(&mut self, cells: &[Option<String>]) -> Result<(), QueryError> {
        let Some(left) = self.left.checked_sub(size(cells)) else {
            let advice = "ask for fewer columns, rows or groups";
            return Err(QueryError::TooLarge(format!("more than {} MiB would have to be kept: {advice}", KEPT >> 20)));
        };
        self.left = left;
        Ok(())
    }

    pub fn give_back(&mut self, cells: &[Option<String>]) {
        self.left += size(cells);
    }
}

fn size(cells: &[Option<String>]) -> usize {
    cells.iter().map(|cell| CELL + cell.as_ref().map_or(0, String::len)).sum()
}
