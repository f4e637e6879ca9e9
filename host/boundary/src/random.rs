//! `wasi:random`. Allowed and counted; with `--deny-random` the numbers come from a fixed seed, so that a run can be repeated. Random
//! bytes are not sources.

use crate::imports::Import;
use crate::state::View;
use crate::tape::key;
use bytes::Bytes;
use customs_policy::{Random, Request};
use sha2::{Digest as _, Sha256};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

/// Bytes one request may ask for. Languages ask for hundreds at start; more at once is a way to make the host allocate.
const MAX_AT_ONCE: u64 = 64 * 1024;

/// A generator with a fixed seed: SHA-256 of a counter. Not for secrets, and it says so by its name in the policy.
#[derive(Default)]
pub(crate) struct Seeded {
    block: u64,
    left: Vec<u8>,
}

impl Seeded {
    fn fill(&mut self, n: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(n);
        while out.len() < n {
            if self.left.is_empty() {
                self.left = Sha256::digest(self.block.to_le_bytes()).to_vec();
                self.block += 1;
            }
            let take = self.left.len().min(n - out.len());
            out.extend(self.left.drain(..take));
        }
        out
    }

    fn word(&mut self) -> u64 {
        self.fill(8).iter().fold(0, |word, byte| (word << 8) | u64::from(*byte))
    }
}

impl View<'_> {
    fn granted(&mut self, op: &'static str) -> wasmtime::Result<bool> {
        if self.guard.recorder.policy().random() == Random::Allowed {
            self.use_counted(&Request::Random, op)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// What a replay gives, of the length that was asked for.
    fn enough(&mut self, given: Bytes, n: usize) -> Vec<u8> {
        if given.len() == n { given.into() } else { self.guard.seeded.fill(n) }
    }

    fn bounded(&self, length: u64) -> wasmtime::Result<usize> {
        match usize::try_from(length) {
            Ok(n) if length <= MAX_AT_ONCE => Ok(n),
            _ => Err(self.stop("random", format!("{length} bytes asked for at once, the limit is {MAX_AT_ONCE}"))),
        }
    }
}

impl random::Host for View<'_> {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.count(Import::GetRandomBytes);
        let n = self.bounded(length)?;
        if self.granted("get-random-bytes")? {
            let tape = self.guard.recorder.tape().clone();
            let given =
                || Ok::<Bytes, wasmtime::Error>(random::Host::get_random_bytes(self.inner_random(), length)?.into());
            let given = tape.effect_or(key!("random", length), given, || Ok(Bytes::new()))?;
            return Ok(self.enough(given, n));
        }
        Ok(self.guard.seeded.fill(n))
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.count(Import::GetRandomU64);
        if self.granted("get-random-u64")? {
            let tape = self.guard.recorder.tape().clone();
            return tape.effect(key!("random.word"), || random::Host::get_random_u64(self.inner_random()));
        }
        Ok(self.guard.seeded.word())
    }
}

impl insecure::Host for View<'_> {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.count(Import::GetInsecureRandomBytes);
        let n = self.bounded(length)?;
        if self.granted("get-insecure-random-bytes")? {
            let tape = self.guard.recorder.tape().clone();
            let given = || {
                Ok::<Bytes, wasmtime::Error>(
                    insecure::Host::get_insecure_random_bytes(self.inner_random(), length)?.into(),
                )
            };
            let given = tape.effect_or(key!("random.insecure", length), given, || Ok(Bytes::new()))?;
            return Ok(self.enough(given, n));
        }
        Ok(self.guard.seeded.fill(n))
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.count(Import::GetInsecureRandomU64);
        if self.granted("get-insecure-random-u64")? {
            let tape = self.guard.recorder.tape().clone();
            let given = || insecure::Host::get_insecure_random_u64(self.inner_random());
            return tape.effect(key!("random.insecure-word"), given);
        }
        Ok(self.guard.seeded.word())
    }
}

impl insecure_seed::Host for View<'_> {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.count(Import::InsecureSeed);
        if self.granted("insecure-seed")? {
            let tape = self.guard.recorder.tape().clone();
            return tape.effect(key!("random.seed"), || insecure_seed::Host::insecure_seed(self.inner_random()));
        }
        Ok((self.guard.seeded.word(), self.guard.seeded.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_numbers_are_the_same_in_any_slices() {
        let (mut a, mut b) = (Seeded::default(), Seeded::default());
        let whole = a.fill(100);
        let parts = [b.fill(1), b.fill(40), b.fill(59)].concat();
        assert_eq!(whole, parts);
        assert_ne!(a.fill(100), whole);
    }
}
