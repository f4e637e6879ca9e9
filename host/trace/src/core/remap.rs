//! Indices of the original module to those of the rewritten one. Only defined globals move: the globals with labels
//! are imported before them.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Remap {
    pub(crate) imported_globals: u32,
    pub(crate) added_globals: u32,
}

impl Remap {
    /// Nothing moves.
    pub(crate) const NONE: Self = Self { imported_globals: 0, added_globals: 0 };
}

impl Reencode for Remap {
    type Error = Infallible;

    fn global_index(&mut self, global: u32) -> Result<u32, Error<Infallible>> {
        Ok(if global < self.imported_globals { global } else { global.saturating_add(self.added_globals) })
    }
}
