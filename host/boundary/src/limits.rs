//! Limits on what a guest's memories and tables may grow to: by the sum over all of a call, not for each object.

use crate::record::{Recorder, Stop};
use wasmtime::ResourceLimiter;

/// Table elements in all tables of a call. CPython has 12,000.
const MAX_TABLE_ELEMENTS: usize = 200_000;
/// Core instances, memories and tables of one component. componentize-js and -py components have fewer than ten of each.
const MAX_INSTANCES: usize = 100;
const MAX_MEMORIES: usize = 32;
const MAX_TABLES: usize = 100;

/// What a traced component has besides: one page for reports.
const REPORTS: u64 = 64 << 10;

pub(crate) struct MemoryLimits {
    recorder: Recorder,
    max_memory: u64,
    memory: u64,
    peak: u64,
    /// Every byte of memory is there twice, once for its label.
    shadow: bool,
    table_elements: usize,
}

impl MemoryLimits {
    pub(crate) fn new(recorder: Recorder) -> Self {
        let max_memory = recorder.policy().limits().max_memory;
        MemoryLimits { recorder, max_memory, memory: 0, peak: 0, shadow: false, table_elements: 0 }
    }

    /// A traced component has a shadow of its memory, of the same size: its limit is the one without it.
    pub(crate) fn with_shadow(&mut self) {
        self.shadow = true;
    }

    /// Bytes as the guest has them: without shadow and reports.
    fn of_guest(&self, bytes: u64) -> u64 {
        if self.shadow { bytes.saturating_sub(REPORTS) / 2 } else { bytes }
    }

    pub(crate) fn peak(&self) -> u64 {
        self.of_guest(self.peak)
    }

    fn stop(&self, limit: &'static str, observed: String) -> wasmtime::Error {
        wasmtime::Error::from(self.recorder.stop(Stop::Limit { limit, observed }))
    }
}

impl ResourceLimiter for MemoryLimits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|max| desired > max) {
            // The guest's own bound: it gets -1, as without us.
            return Ok(false);
        }
        let grown = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        // While guest and shadow grow one after the other, only one of them has grown.
        if self.of_guest(grown) > self.max_memory {
            let grown = self.of_guest(grown);
            return Err(self.stop("memory", format!("{grown} bytes, the limit is {}", self.max_memory)));
        }
        self.memory = grown;
        self.peak = self.peak.max(grown);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|max| desired > max) {
            return Ok(false);
        }
        let grown = self.table_elements.saturating_add(desired.saturating_sub(current));
        if grown > MAX_TABLE_ELEMENTS {
            return Err(self.stop("table", format!("{grown} elements, the limit is {MAX_TABLE_ELEMENTS}")));
        }
        self.table_elements = grown;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}
