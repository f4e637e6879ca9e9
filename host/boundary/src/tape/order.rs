//! The recorded order of records and numbers, on a replay.
//!
//! What runs beside a guest writes when it gets to it, so the same call may write the same records in another order. Within one actor the
//! order is always the same: its n-th record has the place that its n-th record had. A record that comes early waits here.

use super::Actor;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// A record that waits for those before it.
#[derive(Debug)]
pub(crate) struct Early {
    pub(crate) record: customs_ledger::Rendered,
}

#[derive(Debug, Default)]
pub(crate) struct Order {
    places: HashMap<Actor, VecDeque<u64>>,
    numbers: HashMap<(Actor, bool), VecDeque<u64>>,
    early: BTreeMap<u64, Early>,
}

impl Order {
    pub(crate) fn of(records: &[(u64, Actor)], numbers: &[(Actor, bool)]) -> Order {
        let mut order = Order::default();
        for (seq, actor) in records {
            order.places.entry(*actor).or_default().push_back(*seq);
        }
        let (mut sources, mut sinks) = (0, 0);
        for (actor, source) in numbers {
            let next = if *source { &mut sources } else { &mut sinks };
            *next += 1;
            order.numbers.entry((*actor, *source)).or_default().push_back(*next);
        }
        order
    }

    /// The place of the actor's next record; none where it wrote no more.
    pub(crate) fn place(&mut self, actor: Actor) -> Option<u64> {
        self.places.get_mut(&actor)?.pop_front()
    }

    /// The number of the actor's next source or sink.
    pub(crate) fn number(&mut self, actor: Actor, source: bool) -> Option<u64> {
        self.numbers.get_mut(&(actor, source))?.pop_front()
    }

    pub(crate) fn wait(&mut self, seq: u64, record: customs_ledger::Rendered) {
        self.early.insert(seq, Early { record });
    }

    /// The record for this place, where it is there.
    pub(crate) fn ready(&mut self, seq: u64) -> Option<customs_ledger::Rendered> {
        self.early.remove(&seq).map(|early| early.record)
    }

    /// True while records wait for one that has not come.
    pub(crate) fn has_gap(&self) -> bool {
        !self.early.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_actor_gets_its_own_places_and_numbers_in_turn() {
        let mut order = Order::of(&[(2, 0), (3, 5), (4, 0)], &[(0, true), (5, true), (0, false), (0, true)]);
        assert_eq!((order.place(5), order.place(5)), (Some(3), None));
        assert_eq!((order.place(0), order.place(0), order.place(0)), (Some(2), Some(4), None));
        assert_eq!((order.number(0, true), order.number(0, true), order.number(0, true)), (Some(1), Some(3), None));
        assert_eq!((order.number(5, true), order.number(0, false)), (Some(2), Some(1)));
    }
}
