//! Limits: what was used at most, with room. Never above those of the policy.

use std::time::Duration;

use super::{Line, Measured};
use crate::limits::Limits;

/// Twice what was used: inputs of the same kind differ by that, runaway ones by far more.
const ROOM: u64 = 2;
/// A slow machine takes several times as long for the same, and a limit on time that strikes an honest call is the worst of them.
const ROOM_TIME: u32 = 10;
const LEAST_TIME: Duration = Duration::from_secs(5);
/// Below these a limit saves nothing and breaks on the next longer text.
const LEAST_MEMORY: u64 = 16 << 20;
const LEAST_BYTES: u64 = 64 << 10;

pub(super) fn lines(limits: &Limits, measured: &Measured, requests: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |key: &'static str, text: String, note: String| {
        lines.push(Line { note: Some(note), ..Line::carried(key, text) });
    };
    let usual = Limits::default();
    match measured.time {
        Some(time) => {
            let room = time.saturating_mul(ROOM_TIME).max(LEAST_TIME);
            let seconds = room.as_secs().saturating_add(u64::from(room.subsec_nanos() > 0));
            let (text, note) = if Duration::from_secs(seconds) < limits.timeout {
                (format!("{seconds}s"), format!("{} ms at most; ten times that, 5 s or more", time.as_millis()))
            } else {
                (duration(limits.timeout), format!("{} ms at most; the limit of these runs", time.as_millis()))
            };
            add("timeout", text, note);
        }
        None if limits.timeout != usual.timeout => add("timeout", duration(limits.timeout), kept()),
        None => {}
    }
    let sizes = [
        ("max-memory", measured.memory, limits.max_memory, usual.max_memory, LEAST_MEMORY),
        ("max-output", measured.output, limits.max_output, usual.max_output, LEAST_BYTES),
        ("max-input", measured.input, limits.max_input, usual.max_input, LEAST_BYTES),
        ("max-file-write", measured.file_write, limits.max_file_write, usual.max_file_write, LEAST_BYTES),
    ];
    for (key, peak, own, usual, least) in sizes {
        match peak {
            // Nothing was written, so nothing needs to be.
            Some(0) if key == "max-file-write" => add(key, "0".to_owned(), "nothing was written".to_owned()),
            Some(peak) => {
                let room = peak.saturating_mul(ROOM).max(least);
                let room = room.checked_next_power_of_two().unwrap_or(u64::MAX);
                if room < own {
                    let note = format!("{peak} bytes at most; twice that, rounded up, {} or more", size(least));
                    add(key, size(room), note);
                } else {
                    add(key, size(own), format!("{peak} bytes at most; the limit of these runs"));
                }
            }
            None if own != usual => add(key, size(own), kept()),
            None => {}
        }
    }
    match measured.requests.filter(|_| requests) {
        Some(peak) => {
            let room = peak.saturating_mul(ROOM).min(limits.max_requests);
            add("max-requests", room.to_string(), format!("{peak} in a call at most; twice that"));
        }
        None if limits.max_requests != usual.max_requests => {
            add("max-requests", limits.max_requests.to_string(), kept())
        }
        None => {}
    }
    if let Some(fuel) = limits.fuel {
        add("fuel", fuel.to_string(), kept());
    }
    lines
}

fn kept() -> String {
    "the limit of these runs".to_owned()
}

pub(crate) fn duration(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{}s", time.as_secs()) } else { format!("{}ms", time.as_millis()) }
}

/// In the largest unit that says it exactly.
pub(crate) fn size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}
