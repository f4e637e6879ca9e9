//! RFC 1951 with the fixed codes and without repetitions: compressed enough that nothing of the input can be read in it.

/// Bits as deflate packs them: from the lowest of each byte.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, bit: u32) {
        self.pending |= bit << self.count;
        self.count += 1;
        if self.count == 8 {
            self.bytes.push(self.pending as u8);
            (self.pending, self.count) = (0, 0);
        }
    }

    /// Huffman codes go in from their highest bit.
    fn code(&mut self, code: u32, length: u32) {
        (0..length).rev().for_each(|bit| self.push(code >> bit & 1));
    }
}

pub fn raw(bytes: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, with fixed codes.
    [1, 1, 0].into_iter().for_each(|bit| bits.push(bit));
    for &byte in bytes {
        let byte = u32::from(byte);
        if byte < 144 { bits.code(0x30 + byte, 8) } else { bits.code(0x190 + byte - 144, 9) }
    }
    bits.code(0, 7);
    while bits.count != 0 {
        bits.push(0);
    }
    bits.bytes
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    [&[0x78, 0x01], raw(bytes).as_slice(), &(b << 16 | a).to_be_bytes()].concat()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let crc = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    [&head, raw(bytes).as_slice(), &crc.to_le_bytes(), &(bytes.len() as u32).to_le_bytes()].concat()
}
