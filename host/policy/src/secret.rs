//! `--secret NAME@ORIGIN`: the variables that a tool can use and never holds.

use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::entry::{Entry, Split, entries};
use crate::error::PolicyError;
use crate::host::{Host, HostPattern};
use crate::origin::OriginPattern;
use crate::raw::Layer;

/// `--secret NAME@ORIGIN`: a value that the boundary puts into requests to that origin, and the guest never holds.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The name of the variable on the host.
    pub name: String,
    /// The one origin that may receive it.
    pub origin: OriginPattern,
    /// The rule as written.
    pub rule: Arc<str>,
}

impl Secret {
    /// Every secret once. One variable may go to several origins.
    pub(crate) fn build(layers: &[Layer]) -> Result<Vec<Secret>, PolicyError> {
        let mut secrets: Vec<Secret> = Vec::new();
        for entry in entries(layers, "secret", Split::Commas)? {
            let secret = Secret::parse(&entry)?;
            if !secrets.iter().any(|other| other.name == secret.name && other.origin == secret.origin) {
                secrets.push(secret);
            }
        }
        Ok(secrets)
    }

    /// The one host of its origin.
    pub(crate) fn host(&self) -> Option<&Host> {
        match &self.origin.host {
            HostPattern::Is(host) => Some(host),
            HostPattern::Any | HostPattern::Below(_) => None,
        }
    }

    /// Whether a request to this end may carry it: scheme, host and port are all those of its origin.
    pub fn goes_to(&self, end: &Endpoint) -> bool {
        end.scheme == Some(self.origin.scheme) && end.port == self.origin.port && self.host() == Some(&end.host)
    }

    fn parse(entry: &Entry<'_>) -> Result<Secret, PolicyError> {
        let Some((name, origin)) = entry.text.split_once('@') else {
            return Err(entry.error("write NAME@ORIGIN"));
        };
        if name.is_empty() || name.contains(['=', '\0', '*']) {
            return Err(entry.error("the name of a secret is the name of one variable"));
        }
        let origin = OriginPattern::parse(origin).map_err(|reason| entry.error(reason))?;
        if !matches!(origin.host, HostPattern::Is(_)) {
            return Err(entry.error("a secret is bound to one host, without *"));
        }
        Ok(Secret { name: name.to_owned(), origin, rule: entry.rule() })
    }
}
