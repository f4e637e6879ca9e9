//! Bytes that look encrypted or compressed: no list of what is in them, and worth a word. Tables of numbers are less even.

/// The smallest block that is judged, and how even it must be, in bits a byte. Of 4 KiB of random bytes an estimate says 7.95; compressed text says 7.9, code and tables 6 and less.
const BLOCK: usize = 4 << 10;
const EVEN: f64 = 7.85;

/// How many bytes of these are in blocks that are as even as random ones.
pub(super) fn even_bytes(bytes: &[u8]) -> usize {
    bytes.chunks_exact(BLOCK).filter(|block| entropy(block) >= EVEN).map(<[u8]>::len).sum()
}

/// Bits a byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).max(1.0);
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}
