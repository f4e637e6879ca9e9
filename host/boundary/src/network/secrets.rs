//! Secrets that the guest never holds: it gets a placeholder, and the boundary puts the value into headers of requests to one origin.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use customs_policy::{Endpoint, Policy};
use http::{HeaderMap, HeaderValue};
use memchr::memmem;
use std::sync::Arc;

/// Lengths of placeholders: the shortest that the value fits into, so that a tool that looks at the length of its token is content and the
/// true length stays unknown.
const CLASSES: [usize; 5] = [16, 32, 64, 128, 256];
/// Base62 from one random byte each; the slight lean towards the first letters costs less than a bit in sixteen characters.
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A secret of this run.
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) placeholder: String,
    pub(crate) rule: Arc<str>,
}

/// The secrets of a run. What `Debug` shows of them is their names.
#[derive(Default)]
pub struct Secrets(Vec<Secret>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|s| &s.name)).finish()
    }
}

impl Secrets {
    #[must_use]
    pub fn none() -> Secrets {
        Secrets::default()
    }

    /// The secrets that a policy binds to origins, with their values and a fresh placeholder each. The error is one sentence: a variable that
    /// is not set, or whose value cannot stand in a header.
    pub fn of(policy: &Policy, values: impl Fn(&str) -> Option<String>) -> Result<Secrets, String> {
        let mut secrets: Vec<Secret> = Vec::new();
        for bound in policy.net().secrets() {
            if secrets.iter().any(|s| s.name == bound.name) {
                continue;
            }
            let refuse = |why: &str| format!("{}: {} {why}", bound.rule, bound.name);
            let value = values(&bound.name).ok_or_else(|| refuse("is not set, or is not text"))?;
            if value.is_empty() {
                return Err(refuse("is empty"));
            }
            if HeaderValue::from_str(&value).is_err() || !value.is_ascii() {
                return Err(refuse("holds a character that cannot stand in a header"));
            }
            let placeholder = placeholder(value.len())?;
            secrets.push(Secret { name: bound.name.clone(), value, placeholder, rule: Arc::clone(&bound.rule) });
        }
        Ok(Secrets(secrets))
    }

    /// The secrets of a recorded run, without their values: nothing is sent, and what came back was masked. The placeholders are the run's;
    /// one that it does not have is left out.
    #[must_use]
    pub fn of_recording(policy: &Policy, placeholders: &[(String, String)]) -> Secrets {
        let mut secrets: Vec<Secret> = Vec::new();
        for bound in policy.net().secrets() {
            let Some((name, placeholder)) = placeholders.iter().find(|(name, _)| *name == bound.name) else { continue };
            if secrets.iter().any(|s| s.name == *name) || placeholder.is_empty() {
                continue;
            }
            let (name, placeholder, rule) = (name.clone(), placeholder.clone(), Arc::clone(&bound.rule));
            secrets.push(Secret { name, value: String::new(), placeholder, rule });
        }
        Secrets(secrets)
    }

    /// Name and placeholder of each.
    pub fn placeholders(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|s| (s.name.as_str(), s.placeholder.as_str()))
    }

    /// The values, for whoever has to keep them out of records and terminals, with the name of each.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|s| (s.name.as_str(), s.value.as_str()))
    }

    /// Puts the values that belong to `endpoint` into the headers, wherever their placeholders stand: alone, in a longer value, or within
    /// the credentials of `Basic`. Gives the secrets that belong there, used or not: the origin may know them from before.
    pub(crate) fn inject(&self, policy: &Policy, endpoint: &Endpoint, headers: &mut HeaderMap) -> Injected<'_> {
        let belongs = |s: &&Secret| policy.net().secrets().iter().any(|b| b.name == s.name && b.goes_to(endpoint));
        let here: Vec<&Secret> = self.0.iter().filter(belongs).collect();
        let mut shown = lines(headers);
        let mut forms: Vec<Vec<u8>> = here.iter().map(|s| s.value.clone().into_bytes()).collect();
        if here.is_empty() {
            return Injected { secrets: here, forms, shown };
        }
        let mut marked = headers.clone();
        for (value, mark) in headers.values_mut().zip(marked.values_mut()) {
            let real = replace(value.as_bytes(), &here, |s| s.value.clone());
            let name = replace(value.as_bytes(), &here, |s| format!("[secret:{}]", s.name));
            let (Some(real), Some(name)) = (real, name) else { continue };
            if let (Ok(mut real), Ok(name)) = (HeaderValue::from_bytes(&real), HeaderValue::from_bytes(&name)) {
                // Never indexed by HTTP/2's header compression, never shown by Debug.
                real.set_sensitive(true);
                // What went out in another form may come back in it.
                forms.extend(credentials(real.as_bytes()).map(<[u8]>::to_vec));
                *value = real;
                *mark = name;
                shown.clear();
            }
        }
        if shown.is_empty() {
            shown = lines(&marked);
        }
        Injected { secrets: here, forms, shown }
    }
}

/// What became of a request's headers.
pub(crate) struct Injected<'a> {
    /// The secrets that the origin may have.
    pub(crate) secrets: Vec<&'a Secret>,
    /// What must not come back: the values, and the credentials that were made of them.
    pub(crate) forms: Vec<Vec<u8>>,
    /// The header lines as they are recorded: the name of a secret where its value is sent.
    pub(crate) shown: Vec<u8>,
}

/// Header lines as bytes of a source or sink: `name: value`, a line each.
pub(super) fn lines(headers: &HeaderMap) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// The header's value with something in the place of each placeholder, where it has one.
fn replace(value: &[u8], secrets: &[&Secret], by: impl Fn(&Secret) -> String) -> Option<Vec<u8>> {
    if let Some(replaced) = replace_plain(value, secrets, &by) {
        return Some(replaced);
    }
    let replaced = replace_plain(&STANDARD.decode(credentials(value)?).ok()?, secrets, &by)?;
    Some([b"Basic ", STANDARD.encode(replaced).as_bytes()].concat())
}

/// The encoded part of `Basic base64(user:password)`, RFC 7617.
fn credentials(value: &[u8]) -> Option<&[u8]> {
    let (scheme, credentials) = value.split_at_checked(6)?;
    scheme.eq_ignore_ascii_case(b"basic ").then(|| credentials.trim_ascii())
}

fn replace_plain(value: &[u8], secrets: &[&Secret], by: &impl Fn(&Secret) -> String) -> Option<Vec<u8>> {
    let mut replaced: Option<Vec<u8>> = None;
    for secret in secrets {
        let current = replaced.as_deref().unwrap_or(value);
        let at: Vec<usize> = memmem::find_iter(current, &secret.placeholder).collect();
        if at.is_empty() {
            continue;
        }
        let mut out = Vec::with_capacity(current.len());
        let mut from = 0;
        for at in at {
            out.extend_from_slice(current.get(from..at).unwrap_or_default());
            out.extend_from_slice(by(secret).as_bytes());
            from = at + secret.placeholder.len();
        }
        out.extend_from_slice(current.get(from..).unwrap_or_default());
        replaced = Some(out);
    }
    replaced
}

fn placeholder(length: usize) -> Result<String, String> {
    let class = CLASSES.into_iter().find(|c| *c >= length).unwrap_or(256);
    let mut random = vec![0_u8; class];
    getrandom::fill(&mut random).map_err(|e| format!("no random numbers: {e}"))?;
    let letter = |byte: u8| LETTERS.get(usize::from(byte) % LETTERS.len()).copied().unwrap_or(b'A');
    Ok(random.into_iter().map(|byte| char::from(letter(byte))).collect())
}
