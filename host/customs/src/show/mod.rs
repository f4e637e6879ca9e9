//! What the engine and the ledger say, as text for people and JSON for scripts.

pub(crate) mod client;
pub(crate) mod contents;
pub(crate) mod json;
pub(crate) mod text;

/// `262144` is `256 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, scale) in UNITS {
        if bytes >= scale {
            let whole = bytes / scale;
            let tenths = bytes % scale * 10 / scale;
            return if tenths == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenths} {unit}") };
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(98_304), "96 KiB");
        assert_eq!(size(1_700_000), "1.6 MiB");
    }
}
