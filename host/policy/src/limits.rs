//! Limits of one call, and the texts people write for sizes and times. Zero means none allowed, never unlimited.

use std::time::Duration;

use crate::entry::place;
use crate::error::{PolicyError, shown};
use crate::raw::{Layer, RawLimits};

/// The longest time limit. More would overflow a deadline on some clocks, and no call is meant to run for a month.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const MIB: u64 = 1024 * 1024;

/// What one call may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time of the call, waiting included.
    pub timeout: Duration,
    /// Bytes of linear memory, all instances together.
    pub max_memory: u64,
    /// Bytes of the answer and the standard streams.
    pub max_output: u64,
    /// Bytes that come in.
    pub max_input: u64,
    /// Bytes written to files.
    pub max_file_write: u64,
    /// HTTP requests.
    pub max_requests: u64,
    /// Instructions, where they are counted.
    pub fuel: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            timeout: Duration::from_secs(30),
            max_memory: 256 * MIB,
            max_output: 8 * MIB,
            max_input: 64 * MIB,
            max_file_write: 64 * MIB,
            max_requests: 100,
            fuel: None,
        }
    }
}

impl Limits {
    /// The limits of these layers: what a later layer says replaces what an earlier one said.
    pub(crate) fn build(layers: &[Layer]) -> Result<Limits, PolicyError> {
        let mut limits = Limits::default();
        for layer in layers {
            for &key in RawLimits::KEYS {
                if let Some(text) = layer.raw.limits.get(key) {
                    limits.set(key, text).map_err(|reason| {
                        PolicyError::new(format!("{}={}", place(layer, key, 0), shown(text)), reason)
                    })?;
                }
            }
        }
        Ok(limits)
    }

    fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
        match key {
            "timeout" => self.timeout = parse_duration(text)?,
            "max-memory" => self.max_memory = parse_size(text)?,
            "max-output" => self.max_output = parse_size(text)?,
            "max-input" => self.max_input = parse_size(text)?,
            "max-file-write" => self.max_file_write = parse_size(text)?,
            "max-requests" => self.max_requests = parse_count(text)?,
            _ => self.fuel = Some(parse_count(text)?),
        }
        Ok(())
    }

    /// Each limit with the name of its flag and its value in plain units: milliseconds, bytes, counts.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let milliseconds = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        [
            Some(("timeout", milliseconds)),
            Some(("max-memory", self.max_memory)),
            Some(("max-output", self.max_output)),
            Some(("max-input", self.max_input)),
            Some(("max-file-write", self.max_file_write)),
            Some(("max-requests", self.max_requests)),
            self.fuel.map(|fuel| ("fuel", fuel)),
        ]
        .into_iter()
        .flatten()
    }
}

/// Reads a size: `256MiB`, `10 GiB`, `10GB`, or bytes without a unit.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = number_and_unit(text, "a size is a whole number with a unit, such as 256MiB")?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "tb" => 1000 * 1000 * 1000 * 1000,
        "kib" => 1024,
        "mib" => MIB,
        "gib" => 1024 * MIB,
        "tib" => 1024 * 1024 * MIB,
        _ => return Err("the unit of a size is B, KB, MB, GB, TB, KiB, MiB, GiB or TiB".to_owned()),
    };
    number.checked_mul(factor).ok_or_else(too_large)
}

/// Reads a time: `500ms`, `30s`, `2m`, `1h`. Only zero may go without a unit.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text, "a time is a whole number with a unit, such as 30s")?;
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "" if number == 0 => 0,
        _ => return Err("the unit of a time is ms, s, m or h".to_owned()),
    };
    let duration = Duration::from_millis(number.checked_mul(factor).ok_or_else(too_large)?);
    if duration > MAX_TIMEOUT { Err("a time limit is at most 30 days".to_owned()) } else { Ok(duration) }
}

/// Reads a plain count.
pub fn parse_count(text: &str) -> Result<u64, String> {
    match number_and_unit(text, "a count is a whole number")? {
        (number, "") => Ok(number),
        _ => Err("a count is a whole number without a unit".to_owned()),
    }
}

fn number_and_unit<'a>(text: &'a str, expected: &str) -> Result<(u64, &'a str), String> {
    let text = text.trim();
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let unit = unit.trim_start();
    if number.is_empty() || !unit.chars().all(|character| character.is_ascii_alphabetic()) {
        return Err(expected.to_owned());
    }
    number.parse().map(|number| (number, unit)).map_err(|_| too_large())
}

fn too_large() -> String {
    "the number is too large".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_size_texts_mean_bytes() {
        for (text, bytes) in [
            ("0", 0),
            ("123", 123),
            ("256MiB", 256 * MIB),
            ("10GB", 10_000_000_000),
            ("10 GiB", 10 * 1024 * MIB),
            ("1kib", 1024),
            (" 7 B ", 7),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn limits_size_junk_is_refused() {
        for text in [
            "",
            " ",
            "-1",
            "+1",
            "1e30",
            "1.5GiB",
            "MiB",
            "10 G iB",
            "10G",
            "1_000",
            "0x10",
            "١",
            "inf",
            "18446744073709551616",
        ] {
            assert!(parse_size(text).is_err(), "{text:?}");
        }
        assert_eq!(parse_size("17179869184GiB"), Err(too_large()));
        assert_eq!(parse_size("99999999999999999999"), Err(too_large()));
    }

    #[test]
    fn limits_duration_texts_mean_time() {
        for (text, milliseconds) in
            [("0", 0), ("0s", 0), ("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("1 h", 3_600_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parse_duration("720h"), Ok(MAX_TIMEOUT));
    }

    #[test]
    fn limits_duration_junk_is_refused() {
        for text in ["", "30", "-1s", "1e30s", "1.5s", "s", "30 sec onds", "721h", "18446744073709551615s", "5d"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn limits_count_has_no_unit() {
        assert_eq!(parse_count("100"), Ok(100));
        assert_eq!(parse_count("0"), Ok(0));
        assert!(parse_count("100s").is_err());
        assert!(parse_count("-1").is_err());
    }
}
