//! A label: which sources a byte came from, and how surely. One byte of label for one byte of data.

use std::fmt;

/// Sources that one run can tell apart. More would make the shadow of every value wider than the value, and a replay
/// can trace the same run again with other sources.
pub const SOURCES: u8 = 4;

/// The label of one byte. The low half names the sources whose value it carries (*strong*), the high half the same
/// sources where they only chose an address or a select (*weak*).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Label(pub u8);

impl Label {
    /// Comes from no source.
    pub const CLEAN: Self = Self(0);

    /// The label of bytes of source number `source` (0 to 3) as they arrive.
    #[must_use]
    pub fn source(source: u8) -> Option<Self> {
        (source < SOURCES).then(|| Self(1 << source))
    }

    /// No source at all.
    #[must_use]
    pub fn is_clean(self) -> bool {
        self.0 == 0
    }

    /// Whether the value of the source itself is in it.
    #[must_use]
    pub fn strong(self, source: u8) -> bool {
        source < SOURCES && self.0 >> source & 1 == 1
    }

    /// Whether the source chose it, without being in it.
    #[must_use]
    pub fn weak(self, source: u8) -> bool {
        source < SOURCES && !self.strong(source) && self.0 >> (source + SOURCES) & 1 == 1
    }

    /// Sources of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({:#04x})", self.0)
    }
}
