//! Granted variables must not reach the ledger through the names that a guest asks for: a file called like a token, a URL with the
//! token in its query.

use crate::network::Secrets;
use customs_policy::Policy;
use std::borrow::Cow;

/// Shortest value that is covered. Shorter ones stand in ordinary words, and covering those would make the record unreadable.
const MIN_LENGTH: usize = 8;
/// From this length on a value needs no digit to be taken for a secret: no ordinary word is as long.
const LONG: usize = 20;

/// The values to cover, with the variable each belongs to; the longest first, so that one that holds another is covered whole.
#[derive(Default)]
pub struct Hidden {
    /// The values to cover in names, in lower case.
    covered: Vec<(String, String)>,
    /// Every granted value, whatever it looks like: a digest of bytes that hold one is keyed.
    granted: Vec<String>,
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.covered.iter().map(|(_, name)| name)).finish()
    }
}

impl Hidden {
    #[must_use]
    pub fn of(policy: &Policy, secrets: &Secrets) -> Hidden {
        let secret = policy.env().iter().filter(|v| looks_secret(&v.value));
        let mut values: Vec<(String, String)> =
            secret.map(|v| (v.value.clone(), format!("[env:{}]", v.name))).collect();
        // Declared to be secret, so whatever they look like. The guest does not hold them; this is the second wall.
        let long = secrets.values().filter(|(_, value)| value.len() >= MIN_LENGTH);
        values.extend(long.map(|(name, value)| (value.to_owned(), format!("[secret:{name}]"))));
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let injected = secrets.values().map(|(_, value)| value.to_owned());
        let granted = policy.env().iter().map(|v| v.value.clone()).chain(injected).filter(|v| !v.is_empty()).collect();
        let covered = values.into_iter().map(|(value, name)| (value.to_ascii_lowercase(), name)).collect();
        Hidden { covered, granted }
    }

    /// True where the bytes hold a granted value.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        // A search that is linear in the bytes: a tool may print megabytes and be granted many variables.
        self.granted.iter().any(|value| memchr::memmem::find(bytes, value.as_bytes()).is_some())
    }

    /// The bytes with a `*` in place of each byte of the values, in upper and lower case alike.
    pub fn blot(&self, bytes: &mut [u8]) {
        let lower = bytes.to_ascii_lowercase();
        for (value, _) in &self.covered {
            for at in memchr::memmem::find_iter(&lower, value.as_bytes()) {
                if let Some(found) = bytes.get_mut(at..at + value.len()) {
                    found.fill(b'*');
                }
            }
        }
    }

    /// The text without the values, in upper and lower case alike: a host name is recorded in lower case whatever the guest wrote.
    #[must_use]
    pub fn cover<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut covered = Cow::Borrowed(text);
        if self.covered.is_empty() {
            return covered;
        }
        let mut lower = text.to_ascii_lowercase();
        for (value, name) in &self.covered {
            if let Some(replaced) = replace(&covered, &lower, value, name) {
                lower = replaced.to_ascii_lowercase();
                covered = Cow::Owned(replaced);
            }
        }
        covered
    }
}

/// None where `value`, in lower case, is not in the text. Letters beyond ASCII keep their case and their place in `lower`.
fn replace(text: &str, lower: &str, value: &str, by: &str) -> Option<String> {
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in lower.match_indices(value) {
        out.push_str(text.get(from..at)?);
        out.push_str(by);
        from = at + value.len();
    }
    if from == 0 {
        return None;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// Paths, flags and words are not covered: a directory given in a variable stands in every path below it.
fn looks_secret(value: &str) -> bool {
    let plain = value.contains(['/', ' ']) || value.chars().all(|c| c.is_ascii_lowercase());
    let mixed = value.bytes().any(|b| b.is_ascii_digit())
        || (value.bytes().any(|b| b.is_ascii_uppercase()) && value.bytes().any(|b| b.is_ascii_lowercase()));
    value.len() >= MIN_LENGTH && ((mixed && !plain) || (value.len() >= LONG && !value.contains('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_covered_and_paths_and_words_are_not() {
        for secret in
            ["hunter2secret", "SEKRET_0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9", "correct horse battery staple"]
        {
            assert!(looks_secret(secret), "{secret}");
        }
        for plain in ["/data/notes1", "true", "production", "en_US", "hello"] {
            assert!(!looks_secret(plain), "{plain}");
        }
    }

    #[test]
    fn the_longest_value_is_covered_first() {
        let hidden = Hidden {
            granted: Vec::new(),
            covered: vec![
                ("abc123456789".to_owned(), "[env:LONG]".to_owned()),
                ("abc12345".to_owned(), "[env:S]".to_owned()),
            ],
        };
        assert_eq!(hidden.cover("/x/abc123456789/abc12345"), "/x/[env:LONG]/[env:S]");
        assert_eq!(hidden.cover("/x/ABC123456789/é/Abc12345/"), "/x/[env:LONG]/é/[env:S]/");
        assert_eq!(hidden.cover("/x/abc1234/é"), "/x/abc1234/é");
    }
}
