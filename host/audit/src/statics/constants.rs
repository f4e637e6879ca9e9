//! Texts that a compiler put into the code: short ones are stored to memory as numbers, `i64.const` and `i64.store` with an offset, often with an overlap.

use wasmparser::Operator;

/// Stores of one function that are looked at.
const MAX_STORES: usize = 4_096;
/// The shortest text worth a look: shorter ones are numbers.
const MIN_TEXT: usize = 8;

/// Constants stored in one function, with their offsets.
#[derive(Debug, Default)]
pub(super) struct Constants {
    last: Option<u64>,
    /// Offset and bytes, in groups: what follows each other without a branch in between.
    stores: Vec<(u64, Vec<u8>)>,
    groups: Vec<Vec<(u64, Vec<u8>)>>,
    seen: usize,
}

impl Constants {
    pub(super) fn see(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::I64Const { value } => self.last = Some(value.cast_unsigned()),
            Operator::I32Const { value } => self.last = Some(u64::from(value.cast_unsigned())),
            Operator::I64Store { memarg } => self.store(memarg.offset, 8),
            Operator::I32Store { memarg } | Operator::I64Store32 { memarg } => self.store(memarg.offset, 4),
            Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => self.store(memarg.offset, 2),
            Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => self.store(memarg.offset, 1),
            Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::End
            | Operator::Br { .. }
            | Operator::Return => {
                self.last = None;
                self.end_group();
            }
            // An address may be computed between a constant and its store, but what a store takes stands right before it.
            _ => self.last = None,
        }
    }

    fn store(&mut self, offset: u64, length: usize) {
        let Some(value) = self.last.take() else { return };
        if self.seen >= MAX_STORES {
            return;
        }
        self.seen += 1;
        let bytes = value.to_le_bytes().into_iter().take(length).collect();
        self.stores.push((offset, bytes));
    }

    fn end_group(&mut self) {
        if !self.stores.is_empty() {
            self.groups.push(std::mem::take(&mut self.stores));
        }
    }

    /// Whatever stands together, long enough to be a text.
    pub(super) fn texts(mut self) -> Vec<Vec<u8>> {
        self.end_group();
        let mut texts = Vec::new();
        for mut group in self.groups {
            group.sort_by_key(|(offset, _)| *offset);
            let mut text: Vec<u8> = Vec::new();
            let mut start = 0_u64;
            for (offset, bytes) in group {
                let end = start.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
                if text.is_empty() || offset > end {
                    keep(&mut texts, std::mem::take(&mut text));
                    start = offset;
                    text = bytes;
                } else {
                    // Where two overlap they agree, or are of different texts; the later one is taken.
                    let at = usize::try_from(offset - start).unwrap_or(usize::MAX).min(text.len());
                    text.truncate(at);
                    text.extend(bytes);
                }
            }
            keep(&mut texts, text);
        }
        texts
    }
}

fn keep(texts: &mut Vec<Vec<u8>>, text: Vec<u8>) {
    // Mostly zeros are numbers.
    let zeros = text.iter().filter(|byte| **byte == 0).count();
    if text.len() >= MIN_TEXT && zeros * 2 < text.len() {
        texts.push(text);
    }
}
