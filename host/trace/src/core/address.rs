//! Addresses: what is loaded gets the label of its address, as weak. Most addresses are clean when it comes to it, so
//! that the arithmetic stands behind a test. Compilers read many fields through one local: its weak label is kept, and
//! only joined where it is used again.

use wasm_encoder::{BlockType, Instruction as I, ValType as Encoded};

use super::body::Scratch;
use super::function::{Entry, Home, Tracer};
use super::width::Width;

/// Weak labels of locals that are kept: by the shadow, how deep the code stood where it was made, and the local that
/// has it in each byte of a word.
#[derive(Debug, Default)]
pub(super) struct Kept {
    known: Vec<(u32, usize, u32)>,
    /// Locals that are made for it, by the shadow.
    made: std::collections::HashMap<u32, u32>,
}

impl Kept {
    /// A shadow changed.
    pub(super) fn changed(&mut self, shadow: u32) {
        self.known.retain(|(of, _, _)| *of != shadow);
    }

    /// A frame ends, or its other half begins: what was made inside need not have been.
    pub(super) fn leave(&mut self, depth: usize) {
        self.known.retain(|(_, at, _)| *at < depth);
    }

    /// A loop begins: what is kept may change before it comes again.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

impl Tracer<'_> {
    /// The label on the stack is joined by that of an address, as weak.
    pub(super) fn join_address(&mut self, depth: usize, address: &Entry, width: Width, bytes: u32) {
        if address.is_clean() {
            return;
        }
        if let (Home::Shadow(shadow), false) = (address.home, self.around.assumed.nothing) {
            let weak = self.weak_of(shadow);
            self.put(&I::LocalGet(weak));
            self.body.narrow_weak(width, bytes);
            self.body.join(width);
            return;
        }
        let joined = self.scratch(width.ty(), Scratch::Joined);
        self.put(&I::LocalSet(joined));
        self.raw_label(depth, address);
        self.body.if_any(address.width());
        self.put(&I::LocalGet(joined));
        self.raw_label(depth, address);
        self.body.weak_word();
        self.body.narrow_weak(width, bytes);
        self.body.join(width);
        self.put(&I::LocalSet(joined));
        self.put(&I::End);
        self.put(&I::LocalGet(joined));
    }

    /// The local that keeps a shadow's label as weak.
    fn weak_of(&mut self, shadow: u32) -> u32 {
        if let Some((_, _, weak)) = self.weak.known.iter().find(|(of, _, _)| *of == shadow) {
            return *weak;
        }
        let body = &mut self.body;
        let weak = *self.weak.made.entry(shadow).or_insert_with(|| body.local(Encoded::I32));
        self.put(&I::LocalGet(shadow));
        self.put(&I::LocalTee(weak));
        self.put(&I::If(BlockType::Empty));
        self.put(&I::LocalGet(weak));
        self.body.weak_word();
        self.put(&I::LocalSet(weak));
        self.put(&I::End);
        self.weak.known.push((shadow, self.frames.len(), weak));
        weak
    }
}
