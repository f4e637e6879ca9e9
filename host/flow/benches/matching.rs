//! What matching costs: sources indexed and searched on one core, and the memory it takes, against the two obvious ways to do it.
//!
//! Run it with `cargo bench -p customs-flow`. Each row is the best of several rounds, so that a busy machine slows few of them; memory
//! is what the allocator had out at most, beyond the sources and sinks themselves.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unsafe_code,
    reason = "a measurement, not the program; an allocator that counts cannot be written without unsafe"
)]

use customs_flow::{Budget, Input, Outcome, find};
use customs_ledger::Digest;
use customs_ledger::material::{Class, Content, Sink, SinkKind, Source, SourceKind};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ROUNDS: usize = 3;
const MIB: usize = 1 << 20;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 33) as usize % n
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).take(length).collect()
    }

    /// Log lines: common words, numbers, ids.
    fn log(&mut self, length: usize) -> Vec<u8> {
        const WORDS: [&str; 24] = [
            "request",
            "from",
            "worker",
            "finished",
            "in",
            "the",
            "session",
            "of",
            "user",
            "status",
            "with",
            "error",
            "connection",
            "closed",
            "by",
            "peer",
            "retry",
            "after",
            "seconds",
            "cache",
            "miss",
            "for",
            "key",
            "table",
        ];
        let mut out = Vec::with_capacity(length + 200);
        while out.len() < length {
            let (minute, id) = (self.below(60), self.next());
            out.extend_from_slice(format!("2026-11-20T10:{minute:02}:{:02}Z id={id:016x} ", self.below(60)).as_bytes());
            for _ in 0..4 + self.below(8) {
                out.extend_from_slice(WORDS[self.below(WORDS.len())].as_bytes());
                out.push(b' ');
            }
            out.push(b'\n');
        }
        out.truncate(length);
        out
    }
}

fn content(kept: Vec<u8>) -> Content {
    Content { bytes: kept.len() as u64, digest: Digest::of(&kept[..kept.len().min(64)]), kept, complete: true }
}

fn file(id: u64, bytes: Vec<u8>) -> Source {
    Source { id, kind: SourceKind::File, name: format!("/{id}"), class: Class::Private, content: content(bytes) }
}

fn returned(id: u64, bytes: Vec<u8>) -> Sink {
    Sink { id, kind: SinkKind::Return, name: format!("/{id}"), content: content(bytes) }
}

/// Seconds that this thread ran; 0 where the system does not say.
fn core_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| ns / 1e9)
}

fn row(name: &str, sources: &[Source], sinks: &[Sink], budget: &Budget) {
    // With a word of a row's name, only such rows.
    let mut words = std::env::args().skip(1).filter(|a| !a.starts_with("--")).peekable();
    if words.peek().is_some() && !words.any(|word| name.contains(&word)) {
        return;
    }
    let bytes: usize = sources.iter().map(|s| s.content.kept.len()).sum();
    let out: usize = sinks.iter().map(|s| s.content.kept.len()).sum();
    let mut best = f64::MAX;
    let mut core = f64::MAX;
    let mut last: Option<Outcome> = None;
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    // Short calls many at a time: asking for the time costs as much as they do.
    let (rounds, at_once) = match bytes + out {
        ..2048 => (200, 200),
        2048..8192 => (100, 20),
        8192..MIB => (10 * ROUNDS, 1),
        _ => (ROUNDS, 1),
    };
    for _ in 0..rounds {
        drop(last.take());
        let (start, used) = (Instant::now(), core_seconds());
        for _ in 0..at_once {
            last = Some(std::hint::black_box(find(&Input { sources, sinks, known: &[] }, budget)));
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(at_once));
        core = core.min((core_seconds() - used) / f64::from(at_once));
    }
    // What others run does not count, where what this thread ran is known well enough.
    if best > 1e-3 && core > 0.0 {
        best = best.min(core);
    }
    let outcome = last.unwrap();
    let more = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    println!(
        "{name:<44} {:>7.1} KiB in {:>8.1} KiB out {:>10.4} ms {:>7.3} GB/s of sources  +{:>6.1} MiB ({:.2}x sources in all)  {} findings, complete {}, views {} KiB {}",
        bytes as f64 / 1024.0,
        out as f64 / 1024.0,
        best * 1e3,
        bytes as f64 / best / 1e9,
        more as f64 / MIB as f64,
        (bytes + more) as f64 / bytes.max(1) as f64,
        outcome.findings.len(),
        outcome.complete,
        outcome.work.view_bytes / 1024,
        if std::env::args().any(|a| a == "--work") {
            format!("{:?} {:?}", outcome.work, outcome.findings.first())
        } else {
            String::new()
        },
    );
}

/// Each 8-byte window of the source looked for in the sink, one after the other.
fn naive(source: &[u8], sink: &[u8]) -> usize {
    source.windows(8).filter(|window| memchr::memmem::find(sink, window).is_some()).count()
}

/// The same for all windows at once: an automaton of them, and one pass over the sink.
fn automaton(source: &[u8], sink: &[u8]) -> usize {
    let automaton = aho_corasick::AhoCorasick::builder()
        .kind(Some(aho_corasick::AhoCorasickKind::ContiguousNFA))
        .build(source.windows(8))
        .unwrap();
    automaton.find_overlapping_iter(sink).count()
}

/// The two obvious ways, and this one, on the same bytes: exact windows of 8 bytes with neither encodings nor ranges against all that `find` does.
fn compared(name: &str, source: &[u8], sink: &[u8], with_naive: bool) {
    let budget = Budget { depth: 0, ..Budget::default() };
    let (sources, sinks) = ([file(1, source.to_vec())], [returned(1, sink.to_vec())]);
    let seconds = |what: &dyn Fn() -> usize| {
        let measured = || {
            let (start, used) = (Instant::now(), core_seconds());
            std::hint::black_box(what());
            let (wall, core) = (start.elapsed().as_secs_f64(), core_seconds() - used);
            if core > 1e-3 { core.min(wall) } else { wall }
        };
        (0..ROUNDS).map(|_| measured()).fold(f64::MAX, f64::min)
    };
    let ours = seconds(&|| find(&Input { sources: &sources, sinks: &sinks, known: &[] }, &budget).findings.len());
    let by_automaton = seconds(&|| automaton(source, sink));
    let by_naive = with_naive.then(|| seconds(&|| naive(source, sink)));
    let naive = by_naive.map_or("-".to_owned(), |s| format!("{:.1} ms ({:.0}x)", s * 1e3, s / ours));
    println!(
        "{name:<44} this {:.2} ms, aho-corasick {:.1} ms ({:.1}x), naive {naive}",
        ours * 1e3,
        by_automaton * 1e3,
        by_automaton / ours
    );
}

fn main() {
    let quick = std::env::args().any(|a| a == "--quick");
    let large = if quick { 16 } else { 64 } * MIB;
    let mut random = Random(42);
    let budget = Budget::default();
    let plain = Budget { depth: 0, ..budget };

    let secret = b"k7Qz2mXpW9tR4vLs8bNcY3hJ".to_vec();
    let env = |id| Source {
        id,
        kind: SourceKind::Env,
        name: "KEY".into(),
        class: Class::Secret,
        content: content(secret.clone()),
    };
    let small = vec![env(1), file(2, random.log(2000))];
    let argument = |id, bytes: &[u8]| Source {
        kind: SourceKind::Argument,
        class: Class::Public,
        name: format!("/{id}"),
        ..file(id, bytes.to_vec())
    };
    let arguments = [argument(2, b"the quick brown fox"), argument(3, b"42")];
    let three = |value: &[u8], id| Source { content: content(value.to_vec()), ..env(id) };
    let envs = [env(1), three(b"postgres://app:Zq83hLw0@db.internal:5432/main", 4), three(b"eu-central-1", 5)];
    let with = |more: &[Source]| [&arguments[..], more].concat();
    let echo = || vec![returned(1, b"the quick brown fox!".to_vec())];
    let told = || {
        let text = "{\"city\":\"Bern\",\"temperature\":21.5,\"wind\":\"12 km/h\",\"summary\":\"Sunny with light clouds in the afternoon.\",\"days\":[3,5,8]}";
        vec![returned(1, text.as_bytes().to_vec())]
    };
    row("a call: arguments, echo of 20 bytes", &arguments, &echo(), &budget);
    row("a call: arguments, 120 bytes of JSON", &arguments, &told(), &budget);
    row("a call: arguments and a key, echo of 20 bytes", &with(&envs[..1]), &echo(), &budget);
    row("a call: arguments and a key, 120 bytes", &with(&envs[..1]), &told(), &budget);
    row("a call: arguments, 3 of environment, echo", &with(&envs), &echo(), &budget);
    row("a call: arguments, 3 of environment, 120", &with(&envs), &told(), &budget);
    row("a call: 2 KiB in, 200 bytes out", &small, &[returned(1, random.log(200))], &budget);
    row("a call: 2 KiB in, 2 KiB out", &small, &[returned(1, random.log(2000))], &budget);
    row("a call: a secret, 200 KiB out", &[env(1)], &[returned(1, random.log(200_000))], &budget);

    if std::env::args().any(|a| a == "--calls") {
        return;
    }
    for (name, bytes) in [("random", random.bytes(large)), ("log lines", random.log(large))] {
        let piece = bytes[large / 3..large / 3 + 500].to_vec();
        let sources = [file(1, bytes)];
        for (size, label) in [(16 << 10, "16 KiB"), (MIB, "1 MiB")] {
            let make = |random: &mut Random| if name == "random" { random.bytes(size) } else { random.log(size) };
            let sinks = [returned(1, [make(&mut random), piece.clone()].concat())];
            row(&format!("{name}: {label} out, views"), &sources, &sinks, &budget);
            row(&format!("{name}: {label} out, no views"), &sources, &sinks, &plain);
        }
        if !quick {
            let sinks = [returned(1, if name == "random" { random.bytes(large) } else { random.log(large) })];
            row(&format!("{name}: as much out as in, no views"), &sources, &sinks, &plain);
        }
        let sinks = [returned(1, sources[0].content.kept.clone())];
        row(&format!("{name}: a copy, no views"), &sources, &sinks, &plain);
    }
    let zeros = [file(1, vec![0; large])];
    row("zeros in and out", &zeros, &[returned(1, vec![0; large])], &plain);
    let lines = b"the same line of 48 bytes with the key k7Qz2mXp.\n".repeat(large / 49);
    row("one line again and again", &[file(1, lines.clone())], &[returned(1, lines[..large / 8].to_vec())], &plain);

    if std::env::args().skip(1).any(|a| !a.starts_with("--")) {
        return;
    }
    for (name, make) in [("random", Random::bytes as fn(&mut Random, usize) -> Vec<u8>), ("log lines", Random::log)] {
        let (source, sink) = (make(&mut random, 64 << 10), make(&mut random, 64 << 10));
        compared(&format!("{name}: 64 KiB in, 64 KiB out"), &source, &sink, true);
        let (source, sink) = (make(&mut random, MIB / 4), make(&mut random, MIB / 4));
        compared(&format!("{name}: 256 KiB in, 256 KiB out"), &source, &sink, false);
    }
}
