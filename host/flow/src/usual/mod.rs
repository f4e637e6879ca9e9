//! What everybody has: values and phrases that stand in texts which have nothing to do with each other, whatever a model of letters says.
//!
//! A region of a cloud, a target of a compiler, a media type, `postgres://postgres:postgres@localhost` or the head of a licence is rare in running
//! English and common in what tools read and say. [`is_usual`] tells values that are nothing else, by categories and not one by one: what they are made
//! of is known, and put together as such values are. [`weight`] is what a range costs beside the phrases of three lists: code, formats, prose.
//!
//! Anything unknown in a value makes it one's own: `web-01` is usual and `db-7f3k.internal` is not, `http://localhost:5432` and `example.com` are and
//! a URL with a token or a password in it is not.

mod atoms;
mod net;
mod phrases;
mod shapes;

use crate::rarity;

/// Longer values are texts.
const LONGEST: usize = 512;
/// What phrases leave of a value that they explain.
const LEFT: u32 = 20 * rarity::UNIT;

/// Whether a value is one that everybody may have, and so no secret and no evidence.
pub(crate) fn is_usual(value: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(value).ok().filter(|text| text.is_ascii() && text.len() <= LONGEST) else {
        return false;
    };
    let text = text.trim();
    !text.is_empty()
        && !is_first_guess(text.as_bytes())
        && (is_one(text)
            || atoms::are_known(text)
            || list(text, &[',', ';', ' ', '\n'])
            || (!text.contains("://") && list(text, &[':', '|']))
            || (phrases::explain_most(value) && weight(value) <= LEFT))
}

/// What a range of a text costs where phrases that everybody uses cost as much as a word, in eighths of a bit.
pub(crate) fn weight(bytes: &[u8]) -> u32 {
    phrases::weight(bytes)
}

/// Whether everybody has a part of a text: it is usual without what it was cut off with.
pub(crate) fn is_usual_part(bytes: &[u8]) -> bool {
    let mark = |b: &u8| b.is_ascii_whitespace() || b"\"',;()[]{}<>`".contains(b);
    let from = bytes.iter().position(|b| !mark(b)).unwrap_or(bytes.len());
    let to = bytes.iter().rposition(|b| !mark(b)).map_or(from, |at| at + 1);
    bytes.get(from..to).is_some_and(is_usual)
}

/// A password that everybody tries first.
pub(crate) fn is_first_guess(value: &[u8]) -> bool {
    const GUESSES: [&str; 34] = [
        "password",
        "passw0rd",
        "password1",
        "password12",
        "password123",
        "p@ssw0rd",
        "p@ssword",
        "changeme",
        "changeit",
        "change-me",
        "change_me",
        "changethis",
        "letmein",
        "welcome1",
        "welcome123",
        "admin1",
        "admin123",
        "admin1234",
        "toor",
        "secret123",
        "test123",
        "test1234",
        "testtest",
        "qwerty123",
        "abc123",
        "abcd1234",
        "iloveyou",
        "minioadmin",
        "p@ssw0rd1",
        "pa$$w0rd",
        "postgres123",
        "root123",
        "guest123",
        "user123",
    ];
    GUESSES.iter().any(|guess| value.eq_ignore_ascii_case(guess.as_bytes()))
}

fn is_one(text: &str) -> bool {
    shapes::is_known(text) || net::is_known(text)
}

/// A list of usual things, none of them only a word.
fn list(text: &str, marks: &[char]) -> bool {
    let mut parts = text.split(marks).map(str::trim).filter(|part| !part.is_empty());
    text.contains(marks)
        && parts.all(|part| is_one(part) || is_pair(part) || (atoms::are_known(part) && !atoms::is_word(part)))
}

/// `port=5432`, and no password.
fn is_pair(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| {
        !atoms::has_secret(text) && atoms::is_usual_word(name) && (is_one(value) || atoms::are_known(value))
    })
}

#[cfg(test)]
mod tests;
