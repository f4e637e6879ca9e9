//! What a conversion may still use.
//!
//! Small JSON can be large values and small values can be large JSON: a byte of `list<u8>` is a 40-byte value, and an object with one field
//! costs some hundred bytes of memory for eight bytes of text. So text and memory are counted apart, and each is counted before it is built.

/// How much memory the values of one call's arguments may take. wasmtime puts the same limit on what a guest may hand to the host in one call,
/// so a tool can take what it can return. Larger would let a few calls at once fill a small machine.
pub(super) const MAX_ARGUMENT_MEMORY: u64 = 128 << 20;

/// How much memory the JSON of one return may take. Twice as much, because the same content is larger as JSON: 8 MiB of text, the default
/// limit on output, may be some 400,000 small objects.
pub(super) const MAX_RETURN_MEMORY: u64 = 256 << 20;

/// A limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spent {
    Text,
    Memory,
}

#[derive(Debug)]
pub(super) struct Meter {
    text: u64,
    memory: u64,
}

impl Meter {
    pub(super) fn new(text: u64, memory: u64) -> Self {
        Meter { text, memory }
    }

    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Spent> {
        self.text = less(self.text, bytes).ok_or(Spent::Text)?;
        Ok(())
    }

    pub(super) fn memory(&mut self, bytes: usize) -> Result<(), Spent> {
        self.memory = less(self.memory, bytes).ok_or(Spent::Memory)?;
        Ok(())
    }
}

fn less(left: u64, bytes: usize) -> Option<u64> {
    left.checked_sub(u64::try_from(bytes).ok()?)
}
