//! Which source has which bit of a label.

use customs_trace::SOURCES;
use std::collections::BTreeMap;

/// Sources that a pass over a recorded run puts on bits, by their numbers. The others have none in it.
pub type Assignment = BTreeMap<u64, u8>;

/// Bits as they are given out.
#[derive(Debug)]
pub(super) enum Bits {
    /// In a run, nobody knows what will come: the first sources have one each, the last is shared by all that come later.
    AsTheyCome {
        known: BTreeMap<u64, u8>,
        /// Bits for sources that may matter. What the caller knows already has what is left, if any.
        reserved: u8,
        mattering: u8,
        public: u8,
    },
    Planned(Assignment),
}

impl Bits {
    /// `may_come`: how many sources there can be at most that are not the caller's own.
    pub(super) fn as_they_come(may_come: usize) -> Bits {
        let reserved = u8::try_from(may_come).unwrap_or(SOURCES).min(SOURCES);
        Bits::AsTheyCome { known: BTreeMap::new(), reserved, mattering: 0, public: 0 }
    }

    /// The bit of a source, the first time and later. None where it has none.
    pub(super) fn of(&mut self, number: u64, is_public: bool) -> Option<u8> {
        let last = SOURCES.saturating_sub(1);
        match self {
            Bits::Planned(plan) => plan.get(&number).copied().filter(|bit| *bit < SOURCES),
            Bits::AsTheyCome { known, reserved, mattering, public } => {
                if let Some(bit) = known.get(&number) {
                    return Some(*bit);
                }
                let bit = if is_public {
                    if *reserved >= SOURCES {
                        return None;
                    }
                    let bit = reserved.saturating_add(*public).min(last);
                    *public = public.saturating_add(1);
                    bit
                } else {
                    let bit = (*mattering).min(last);
                    *mattering = mattering.saturating_add(1);
                    bit
                };
                known.insert(number, bit);
                Some(bit)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fourth_bit_is_shared_by_all_that_come_later_and_never_by_what_the_caller_knows() {
        let mut bits = Bits::as_they_come(usize::MAX);
        let given: Vec<Option<u8>> =
            [(9, false), (1, true), (2, false), (9, false), (3, false), (4, false), (5, false), (6, true)]
                .map(|(number, public)| bits.of(number, public))
                .to_vec();
        assert_eq!(given, [Some(0), None, Some(1), Some(0), Some(2), Some(3), Some(3), None]);
    }

    #[test]
    fn what_the_caller_knows_has_the_bits_that_nothing_else_can_need() {
        let mut bits = Bits::as_they_come(1);
        let given: Vec<Option<u8>> = [(1, true), (7, false), (2, true), (3, true), (4, true)]
            .map(|(number, public)| bits.of(number, public))
            .to_vec();
        assert_eq!(given, [Some(1), Some(0), Some(2), Some(3), Some(3)]);
    }

    #[test]
    fn in_a_pass_only_what_is_planned_has_a_bit() {
        let mut bits = Bits::Planned(Assignment::from([(7, 0), (9, 3), (8, 4)]));
        assert_eq!([7, 8, 9, 1].map(|number| bits.of(number, false)), [Some(0), None, Some(3), None]);
    }
}
