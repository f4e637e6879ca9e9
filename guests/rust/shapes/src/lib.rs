//! Echoes every WIT value type, fails in every typed way, and exports what cannot be called from JSON: the guest that
//! the host's mapping between JSON and typed values is tested with. See `wit/shapes.wit`.

mod echo;
mod outcomes;

use std::cell::Cell;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "every-shape" });
}

use bindings::exports::customs::shapes::{a, b, handles};

struct Shapes;

impl bindings::Guest for Shapes {
    fn top(name: String) -> String {
        format!("top {name}")
    }
}

impl a::Guest for Shapes {
    fn dup() -> String {
        "a.dup".to_owned()
    }

    fn only_a() -> String {
        "only-a".to_owned()
    }
}

impl b::Guest for Shapes {
    fn dup() -> String {
        "b.dup".to_owned()
    }
}

struct Counter(Cell<u32>);

impl handles::GuestCounter for Counter {
    fn new(start: u32) -> Self {
        Self(Cell::new(start))
    }

    fn next(&self) -> u32 {
        let count = self.0.get();
        self.0.set(count.wrapping_add(1));
        count
    }
}

impl handles::Guest for Shapes {
    type Counter = Counter;

    fn make_counter(start: u32) -> handles::Counter {
        handles::Counter::new(Counter(Cell::new(start)))
    }

    fn peek_counter(counter: handles::CounterBorrow<'_>) -> u32 {
        counter.get::<Counter>().0.get()
    }

    fn sum_counters(counters: Vec<handles::Counter>) -> u32 {
        counters.iter().map(|counter| counter.get::<Counter>().0.get()).fold(0, u32::wrapping_add)
    }

    fn plain(value: u32) -> u32 {
        value
    }
}

bindings::export!(Shapes with_types_in bindings);
