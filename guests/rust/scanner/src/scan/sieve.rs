//! A first look at a text, to leave alone what none of many phrases can be in: four bytes at a time, by a table of bits.

const BITS: usize = 1 << 18;

/// Which groups of four bytes a phrase of a set has.
pub struct Sieve(Vec<u64>);

fn place(four: &[u8]) -> usize {
    let value = four.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
    (value.wrapping_mul(0x9e37_79b1) >> 14) as usize % BITS
}

/// How seldom a letter is in what people write.
fn rarity(byte: u8) -> usize {
    b" etaoinshrdlcumwfgypbvkjxqz".iter().position(|common| *common == byte).unwrap_or(27)
}

impl Sieve {
    /// Each phrase has four bytes or more; a shorter one lets everything through.
    pub fn new<'a>(phrases: impl Iterator<Item = &'a str>) -> Sieve {
        let mut bits = vec![0_u64; BITS / 64];
        for phrase in phrases {
            let seldom =
                phrase.as_bytes().windows(4).max_by_key(|four| four.iter().map(|byte| rarity(*byte)).sum::<usize>());
            match seldom {
                Some(four) => bits[place(four) / 64] |= 1 << (place(four) % 64),
                None => bits.fill(u64::MAX),
            }
        }
        Sieve(bits)
    }

    /// Whether one of the phrases may be in the text. False is certain.
    pub fn may(&self, text: &str) -> bool {
        text.as_bytes().windows(4).any(|four| self.0[place(four) / 64] >> (place(four) % 64) & 1 == 1)
    }
}
