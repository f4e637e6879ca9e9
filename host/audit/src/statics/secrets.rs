//! Secrets by the forms that services give them. A form alone is not enough: what follows a prefix must have its alphabet and length, be as uneven as random
//! characters are, and where the format has a checksum, that must hold. Stand-ins of documentation are none.

use super::packed::entropy;
use crate::decoys::words::{base62, crc32};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One form.
pub(super) struct Form {
    /// What it begins with; looked for as it stands.
    pub(super) prefix: &'static str,
    pub(super) kind: &'static str,
    check: Check,
}

/// What must follow the prefix.
enum Check {
    /// So many characters of an alphabet, and none of it after them or before the prefix.
    Exactly(usize, Alphabet),
    /// At least so many, at most so many.
    Between(usize, usize, Alphabet),
    /// Thirty characters and six that check them; nothing else says where it ends.
    Checked62,
    /// Base64 of JSON with an algorithm, two dots, and a signature.
    Jwt,
    /// Lines of base64 up to the end.
    Pem,
    /// `T0../B0../..`
    SlackHook,
    /// 22 characters, a dot, 43 characters.
    SendGrid,
    /// Something with OpenAI's eight characters in it.
    OpenAi,
}

#[derive(Clone, Copy)]
enum Alphabet {
    Base32,
    Alnum,
    Letters,
    Url,
    Hex,
    /// Letters, digits and dashes.
    Dashed,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Alphabet::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
            Alphabet::Alnum => byte.is_ascii_alphanumeric(),
            Alphabet::Letters => byte.is_ascii_alphabetic(),
            Alphabet::Url => byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
            Alphabet::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Alphabet::Dashed => byte.is_ascii_alphanumeric() || byte == b'-',
        }
    }
}

const fn form(prefix: &'static str, kind: &'static str, check: Check) -> Form {
    Form { prefix, kind, check }
}

#[rustfmt::skip]
pub(super) const FORMS: &[Form] = &[
    form("AKIA", "AWS access key", Check::Exactly(16, Alphabet::Base32)),
    form("ASIA", "AWS temporary access key", Check::Exactly(16, Alphabet::Base32)),
    form("ghp_", "GitHub token", Check::Checked62),
    form("gho_", "GitHub token", Check::Checked62),
    form("ghu_", "GitHub token", Check::Checked62),
    form("ghs_", "GitHub token", Check::Checked62),
    form("ghr_", "GitHub token", Check::Checked62),
    form("github_pat_", "GitHub token", Check::Between(70, 90, Alphabet::Url)),
    form("npm_", "npm token", Check::Checked62),
    form("glpat-", "GitLab token", Check::Between(20, 30, Alphabet::Url)),
    form("xoxb-", "Slack token", Check::Between(40, 90, Alphabet::Dashed)),
    form("xoxp-", "Slack token", Check::Between(40, 90, Alphabet::Dashed)),
    form("xapp-", "Slack token", Check::Between(60, 120, Alphabet::Dashed)),
    form("hooks.slack.com/services/", "Slack webhook", Check::SlackHook),
    form("sk_live_", "Stripe key", Check::Between(24, 120, Alphabet::Alnum)),
    form("rk_live_", "Stripe key", Check::Between(24, 120, Alphabet::Alnum)),
    form("whsec_", "Stripe webhook secret", Check::Between(32, 64, Alphabet::Alnum)),
    form("sk-proj-", "OpenAI key", Check::OpenAi),
    form("sk-svcacct-", "OpenAI key", Check::OpenAi),
    form("sk-ant-api", "Anthropic key", Check::Between(90, 110, Alphabet::Url)),
    form("AIza", "Google API key", Check::Exactly(35, Alphabet::Url)),
    form("GOCSPX-", "Google client secret", Check::Exactly(28, Alphabet::Url)),
    form("hf_", "Hugging Face token", Check::Exactly(34, Alphabet::Letters)),
    form("pypi-AgEIcHlwaS5vcmc", "PyPI token", Check::Between(50, 240, Alphabet::Url)),
    form("SG.", "SendGrid key", Check::SendGrid),
    form("dop_v1_", "DigitalOcean token", Check::Exactly(64, Alphabet::Hex)),
    form("dckr_pat_", "Docker token", Check::Exactly(27, Alphabet::Url)),
    form("hvs.", "Vault token", Check::Between(80, 120, Alphabet::Url)),
    form("eyJ", "JSON web token", Check::Jwt),
    form("-----BEGIN ", "private key", Check::Pem),
];

/// What stands in documentation instead of a secret.
const STAND_INS: [&str; 9] = ["EXAMPLE", "example", "XXXX", "xxxx", "0000000", "1234567", "abcdefg", "ABCDEFG", "your"];

/// Bits a character that random ones have at least, by how many there are.
fn is_even(body: &[u8], alphabet: Alphabet) -> bool {
    let least = match (alphabet, body.len()) {
        (Alphabet::Hex, _) => 3.0,
        (_, 0..=19) => 2.9,
        (_, 20..=35) => 3.4,
        _ => 3.9,
    };
    let text = String::from_utf8_lossy(body);
    entropy(body) >= least && !STAND_INS.iter().any(|stand_in| text.contains(stand_in))
}

impl Form {
    /// The secret at a place where the prefix was found, if it is one: its whole text.
    pub(super) fn at<'t>(&self, text: &'t [u8], at: usize) -> Option<&'t [u8]> {
        let body = text.get(at + self.prefix.len()..)?;
        let before = at.checked_sub(1).and_then(|before| text.get(before)).copied();
        let length = match self.check {
            Check::Exactly(count, alphabet) => plain(body, before, count, count, alphabet)?,
            Check::Between(least, most, alphabet) => plain(body, before, least, most, alphabet)?,
            Check::Checked62 => {
                let token = std::str::from_utf8(body.get(..36)?).ok()?;
                let (value, sum) = token.split_at_checked(30)?;
                let right = token.bytes().all(|b| b.is_ascii_alphanumeric())
                    && sum == format!("{:0>6}", base62(crc32(value.as_bytes())));
                right.then_some(36)?
            }
            Check::Jwt => jwt(text.get(at..)?)?.checked_sub(self.prefix.len())?,
            Check::Pem => pem(body)?,
            Check::SlackHook => {
                let end = body.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'/').unwrap_or(body.len());
                let mut parts = body.get(..end)?.split(|b| *b == b'/');
                let (team, bot, secret) = (parts.next()?, parts.next()?, parts.next()?);
                let good = team.starts_with(b"T") && bot.starts_with(b"B") && secret.len() >= 20;
                (good && is_even(secret.get(..24).unwrap_or(secret), Alphabet::Alnum)).then_some(end)?
            }
            Check::SendGrid => {
                let (head, rest) = body.split_at_checked(22)?;
                let tail = rest.strip_prefix(b".")?.get(..43)?;
                let good = head.iter().chain(tail).all(|b| Alphabet::Url.has(*b));
                (good && is_even(tail, Alphabet::Url)).then_some(66)?
            }
            Check::OpenAi => {
                let end = body.iter().take(220).position(|b| !Alphabet::Url.has(*b)).unwrap_or(body.len().min(220));
                let key = body.get(..end)?;
                let marked = memchr::memmem::find(key, b"T3BlbkFJ").is_some();
                (marked && key.len() >= 40 && is_even(key, Alphabet::Url)).then_some(end)?
            }
        };
        text.get(at..at + self.prefix.len() + length)
    }
}

/// So many characters of the alphabet; where more follow, it is another thing.
fn plain(body: &[u8], before: Option<u8>, least: usize, most: usize, alphabet: Alphabet) -> Option<usize> {
    let length = body.iter().take(most + 1).position(|b| !alphabet.has(*b)).unwrap_or(body.len().min(most + 1));
    let apart = before.is_none_or(|b| !b.is_ascii_alphanumeric());
    let value = body.get(..length)?;
    ((least..=most).contains(&length) && apart && is_even(value, alphabet)).then_some(length)
}

/// The length of a token at the start.
fn jwt(text: &[u8]) -> Option<usize> {
    let end =
        text.iter().take(4_096).position(|b| !Alphabet::Url.has(*b) && *b != b'.').unwrap_or(text.len().min(4_096));
    let mut parts = text.get(..end)?.split(|b| *b == b'.');
    let (head, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let json = |part: &[u8]| serde_json::from_slice::<serde_json::Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let good = json(head)?.get("alg").is_some() && json(claims)?.is_object() && signature.len() >= 40;
    (good && is_even(signature.get(..40)?, Alphabet::Url)).then_some(head.len() + claims.len() + signature.len() + 2)
}

/// The length of a private key after `-----BEGIN `. Libraries hold the words alone, to look for them.
fn pem(body: &[u8]) -> Option<usize> {
    let line = body.get(..body.len().min(40))?;
    let label_end = memchr::memmem::find(line, b"-----")?;
    let label = line.get(..label_end)?;
    if !label.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let rest = body.get(label_end + 5..)?;
    // The next dashes are its end, or it is none: so that many beginnings in a row cost little.
    let end = memchr::memmem::find(rest.get(..rest.len().min(16 << 10))?, b"-----")?;
    if !rest.get(end..)?.starts_with(b"-----END ") {
        return None;
    }
    let inner: Vec<u8> = rest.get(..end)?.iter().copied().filter(|b| !b.is_ascii_whitespace() && *b != b'\\').collect();
    let base64 = inner.iter().filter(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)).count();
    (inner.len() >= 60 && base64 * 10 >= inner.len() * 9 && entropy(&inner) >= 4.0).then_some(label_end + 5 + end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoys::Decoys;

    fn found(text: &str) -> Vec<&'static str> {
        FORMS
            .iter()
            .filter(|form| {
                memchr::memmem::find_iter(text.as_bytes(), form.prefix).any(|at| form.at(text.as_bytes(), at).is_some())
            })
            .map(|form| form.kind)
            .collect()
    }

    fn decoys() -> Decoys {
        let mut state = 11_u64;
        Decoys::make(&mut |bytes: &mut [u8]| {
            for byte in bytes {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = u8::try_from(state >> 56).unwrap_or(0);
            }
        })
    }

    #[test]
    fn secrets_of_every_service_that_decoys_copy_are_told() {
        let decoys = decoys();
        let mut kinds = std::collections::HashSet::new();
        for variable in &decoys.variables {
            kinds.extend(found(&format!("x = \"{}\"", variable.value)));
        }
        for file in &decoys.files {
            kinds.extend(found(&String::from_utf8_lossy(&file.content)));
        }
        for kind in [
            "AWS access key",
            "GitHub token",
            "npm token",
            "GitLab token",
            "Slack token",
            "Slack webhook",
            "Stripe key",
            "OpenAI key",
            "Anthropic key",
            "Google API key",
            "Hugging Face token",
            "PyPI token",
            "SendGrid key",
            "DigitalOcean token",
            "Vault token",
            "JSON web token",
            "private key",
            "Google client secret",
            "Stripe webhook secret",
        ] {
            assert!(kinds.contains(kind), "{kind} is not told: {kinds:?}");
        }
    }

    #[test]
    fn secrets_one_character_away_or_of_documentation_are_none() {
        let token = decoys().variables.iter().find(|v| v.name == "GITHUB_TOKEN").expect("one").value.clone();
        assert_eq!(found(&token), ["GitHub token"]);
        let other = if token.ends_with('A') { 'B' } else { 'A' };
        let wrong: String = token.chars().take(token.len() - 1).chain([other]).collect();
        assert!(found(&wrong).is_empty(), "the checksum does not hold");
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAAAAAAAAAAAAAAAAA",
            "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
            "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
            "-----BEGIN CERTIFICATE-----",
            "eyJhbGciOiJIUzI1NiJ9.e30.short",
            "ghp_your_token_goes_here_please_and_thanks",
            "hf_some_function_name_that_is_rather_long",
            "AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
