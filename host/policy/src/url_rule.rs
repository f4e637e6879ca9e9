//! `--allow-http`: a method and a URL prefix. Paths have many spellings, so both sides are checked for disguises.

use std::sync::Arc;

use crate::entry::Entry;
use crate::error::PolicyError;
use crate::host::Match;
use crate::net::allowed_origin;
use crate::origin::{OriginPattern, Target};

/// `--allow-http='METHOD URL-PREFIX'`
#[derive(Debug, Clone)]
pub(crate) struct UrlRule {
    /// No method: `*`.
    pub(crate) method: Option<String>,
    pub(crate) origin: OriginPattern,
    /// Without a slash at the end; empty for the whole origin.
    pub(crate) prefix: String,
    pub(crate) rule: Arc<str>,
}

impl UrlRule {
    pub(crate) fn parse(entry: &Entry<'_>, dangerous: bool) -> Result<UrlRule, PolicyError> {
        let Some((method, url)) = entry.text.split_once(char::is_whitespace) else {
            return Err(entry.error("write a method and a URL prefix: 'GET https://api.example.com/v1'"));
        };
        let method = match method {
            "*" => None,
            token if is_token(token) && token.bytes().all(|byte| !byte.is_ascii_lowercase()) => Some(token.to_owned()),
            _ => return Err(entry.error("the method is * or an HTTP method in capitals")),
        };
        let url = url.trim();
        let Some(host_at) = url.find("://").map(|at| at + 3) else {
            return Err(entry.error("the URL prefix starts with http:// or https://"));
        };
        let path_at = url.get(host_at..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| host_at + at);
        let (origin, path) = url.split_at_checked(path_at).unwrap_or((url, ""));
        let origin = allowed_origin(entry, origin, dangerous)?;
        if path.contains(['?', '#']) {
            return Err(entry.error("a query or fragment cannot be part of a rule"));
        }
        if path.chars().any(|character| character.is_whitespace() || character.is_control() || !character.is_ascii()) {
            return Err(entry.error("write the path as it is in a request, with percent encoding"));
        }
        if is_tricky_path(path.trim_end_matches('/')) {
            return Err(entry.error("the path has . or .., an empty part, or a slash in disguise"));
        }
        let prefix = path.trim_end_matches('/').to_owned();
        Ok(UrlRule { method, origin, prefix, rule: entry.rule() })
    }

    /// Method and origin; the path is judged on its own.
    pub(crate) fn allows_origin(&self, method: &str, target: &Target) -> Match {
        if self.method.as_deref().is_none_or(|own| own == method) { self.origin.allows(target) } else { Match::No }
    }

    /// Whether the path is the prefix or below it, by whole segments.
    pub(crate) fn allows_path(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Whether servers and proxies could take this path for another one: dot segments, empty segments, slashes or dots in
/// percent encoding, backslashes.
pub(crate) fn is_tricky_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let inner = lower.strip_prefix('/').unwrap_or(&lower);
    lower.contains("%2f")
        || lower.contains("%5c")
        || lower.contains("%2e")
        || lower.contains("%00")
        || lower.contains('\\')
        || inner.strip_suffix('/').unwrap_or(inner).split('/').any(|part| {
            let name = part.split(';').next().unwrap_or(part);
            name == "." || name == ".." || (part.is_empty() && !inner.is_empty())
        })
}

/// Whether this is a method that HTTP's grammar allows.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
