//! Values that are nowhere by accident, and the same in each run, so that the page is too. `CUSTOMS_EVIDENCE_SEED` gives others.

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The token of MCP-SandboxScan's benchmark, and its short one.
pub const LONG_TOKEN: &str = "SEKRET_0123456789abcdef0123456789abcdef";
pub const SHORT_TOKEN: &str = "abcd";

/// `length` letters and digits for a row.
pub fn token(label: &str, length: usize) -> String {
    from(label, LETTERS, length)
}

/// So many digits. None is 0: a number would lose it where it comes first.
pub fn number(label: &str, length: usize) -> String {
    from(label, b"123456789", length)
}

/// splitmix64, begun at the label.
fn from(label: &str, alphabet: &[u8], length: usize) -> String {
    let seed = std::env::var("CUSTOMS_EVIDENCE_SEED").unwrap_or_default();
    let mut state = label
        .bytes()
        .chain(seed.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..length).map(|_| char::from(alphabet[usize::try_from(next() % alphabet.len() as u64).unwrap()])).collect()
}
