//! How much a search may cost, and what it had to leave undone.

/// Limits of one search. All have a reason to be where they are; raise them for an audit, not for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many encodings on top of each other are undone. Each level multiplies the views by about ten.
    pub depth: u8,
    /// Bytes that views of the sinks may have together (what leads back from them counts a quarter): a floor, so much for each byte of the sinks, and a ceiling.
    pub view_floor: usize,
    pub view_factor: usize,
    pub view_ceiling: usize,
    /// Bytes that views of the sources may have together, and how long a source may be to have any: settings and keys, not archives.
    pub source_views: usize,
    pub source_longest: usize,
    /// Ranges that a finding lists, each way.
    pub places: usize,
    /// Findings of one search. More are a storm, and nobody reads them.
    pub findings: usize,
    /// Comparisons, in bytes, for each byte of sources and sinks. Only texts that repeat themselves in spite of everything reach it.
    pub work: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            depth: 3,
            view_floor: 384 << 10,
            view_factor: 20,
            view_ceiling: 32 << 20,
            source_views: 4 << 20,
            source_longest: 256 << 10,
            places: 64,
            findings: 1_000,
            work: 128,
        }
    }
}

impl Budget {
    /// Room for views of sinks with so many bytes.
    pub(crate) fn view_room(&self, sinks: usize) -> usize {
        self.view_floor.saturating_add(sinks.saturating_mul(self.view_factor)).min(self.view_ceiling)
    }
}

/// What a search did, and what it left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes that were searched: sources, sinks, views of each, public bytes.
    pub source_bytes: u64,
    pub sink_bytes: u64,
    pub view_bytes: u64,
    pub public_bytes: u64,
    /// Bytes that were compared where something agreed.
    pub compared: u64,
    /// Views that had no room or not enough.
    pub views_cut: u64,
    /// Places that were found and not kept, and rare bytes that stood too often to keep all their places.
    pub places_cut: u64,
    pub entries_cut: u64,
    pub findings_cut: u64,
    /// Searches that ended because the work ran out.
    pub exhausted: u64,
    /// Matches that were left out because four or more unrelated sources have them and they read like text.
    pub common: u64,
}

impl Work {
    /// Whether nothing was left.
    pub(crate) fn is_complete(&self) -> bool {
        self.views_cut + self.places_cut + self.entries_cut + self.findings_cut + self.exhausted == 0
    }
}
