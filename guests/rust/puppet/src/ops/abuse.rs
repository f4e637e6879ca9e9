//! What a hostile or broken tool does to its host: never end, take memory, dig the stack, trap, hoard handles.

use std::{arch::wasm32, hint::black_box, mem};

use serde_json::{Value, json};

use crate::{args::Args, bindings::wasi::clocks::monotonic_clock, handles::Handles, outcome::Outcome};

const PAGES_PER_MIB: usize = 16;
const PAGE: usize = 65536;

pub fn run(name: &str, args: &Args, _handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "spin" => loop {
            black_box(());
        },
        "grow" => grow(args),
        "recurse" => Ok(recurse(0).into()),
        "trap" => wasm32::unreachable(),
        "panic" => match args.text_or_none("message") {
            Ok(message) => panic!("{}", message.unwrap_or("asked to panic")),
            Err(failure) => Err(failure),
        },
        "flood-handles" => args.number("count").map(flood_handles),
        "return-bytes" => args.narrow("len", 0).map(|len: usize| "x".repeat(len).into()),
        _ => return None,
    })
}

/// Takes `mib` MiB by memory.grow, one MiB a step, until it is refused. `touch` writes to each page.
fn grow(args: &Args) -> Outcome {
    let wanted: usize = args.narrow("mib", 4096)?;
    let touch = args.flag("touch", false)?;
    let mut grown = 0;
    while grown < wanted {
        let first = wasm32::memory_grow(0, PAGES_PER_MIB);
        if first == usize::MAX {
            break;
        }
        if touch {
            for page in first..first + PAGES_PER_MIB {
                // SAFETY: the page was just added by memory.grow, and nothing else knows of it.
                unsafe { ((page * PAGE) as *mut u8).write_volatile(1) };
            }
        }
        grown += 1;
    }
    Ok(json!({"mib": grown, "refused": grown < wanted}))
}

/// Not a tail call, and opaque to the optimiser, so that each level is a frame.
#[inline(never)]
#[expect(unconditional_recursion, reason = "a stack without a floor is what it is for")]
fn recurse(depth: u64) -> u64 {
    let deeper = recurse(black_box(depth) + 1);
    black_box(deeper) ^ depth
}

/// Makes pollables and forgets them: only the host can take them back.
fn flood_handles(count: u64) -> Value {
    for _ in 0..count {
        mem::forget(monotonic_clock::subscribe_duration(u64::MAX));
    }
    count.into()
}
