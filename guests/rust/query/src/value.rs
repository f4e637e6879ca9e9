//! What a cell is worth: numbers, their order, and exact sums.

use std::cmp::Ordering;

/// Decimals that a sum keeps exactly: money, and most of what is measured.
const DECIMALS: usize = 12;
/// Digits before the point of a number that is summed exactly. With the decimals they stay far below what 128 bits hold.
const DIGITS: usize = 18;

/// A number as files write it: no words such as `inf` or `nan`, no hexadecimal digits.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |c: u8| c.is_ascii_digit() || matches!(c, b'+' | b'-' | b'.' | b'e' | b'E');
    if text.is_empty() || !text.bytes().all(plain) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Numbers by value (with one zero, not two) and before all texts, texts by their characters.
pub fn compare(a: &str, b: &str) -> Ordering {
    match (number(a), number(b)) {
        (Some(x), Some(y)) => (x + 0.0).total_cmp(&(y + 0.0)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The sum of many numbers: exact as long as all of them are short decimals, otherwise as floating point has it.
#[derive(Clone, Default)]
pub struct Sum {
    /// In units of the last decimal that is kept.
    exact: i128,
    about: f64,
    inexact: bool,
}

impl Sum {
    pub fn add(&mut self, text: &str) -> bool {
        let Some(about) = number(text) else { return false };
        self.about += about;
        match decimal(text.trim()).and_then(|units| self.exact.checked_add(units)) {
            Some(sum) => self.exact = sum,
            None => self.inexact = true,
        }
        true
    }

    pub fn text(&self) -> String {
        if self.inexact {
            return self.about.to_string();
        }
        let unit = 10_u128.pow(DECIMALS as u32);
        let (whole, part) = (self.exact.unsigned_abs() / unit, self.exact.unsigned_abs() % unit);
        let sign = if self.exact < 0 { "-" } else { "" };
        let part = format!("{part:0DECIMALS$}");
        let part = part.trim_end_matches('0');
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }

    pub fn mean(&self, count: u64) -> String {
        let sum = if self.inexact { self.about } else { self.exact as f64 / 10_f64.powi(DECIMALS as i32) };
        (sum / count as f64).to_string()
    }
}

/// In units of the last decimal that is kept; none where the number has an exponent or more digits.
fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let plain = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if whole.len() > DIGITS || part.len() > DECIMALS || !plain(whole) || !plain(part) {
        return None;
    }
    let units: i128 = format!("0{whole}{part:0<DECIMALS$}").parse().ok()?;
    Some(if negative { -units } else { units })
}
