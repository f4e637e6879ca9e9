//! Deciding about the network: the request is read into its one meaning, then denials, then grants.

use std::sync::Arc;

use super::Permit;
use crate::capability::Capability;
use crate::denial::{Denial, DenialCode};
use crate::host::{Host, Match};
use crate::origin::Target;
use crate::policy::Policy;
use crate::url_rule::{is_token, is_tricky_path};

pub(super) fn http(policy: &Policy, method: &str, url: &str) -> Result<Permit, Denial> {
    let capability = Capability::HttpRequest;
    let Some(target) = Target::parse(url).filter(|_| is_token(method)) else {
        return Err(Denial::new(capability, DenialCode::BadRequest));
    };
    // A tunnel would carry what no rule has seen; a trace gives back headers that were added on the way.
    if ["CONNECT", "TRACE"].iter().any(|forbidden| method.eq_ignore_ascii_case(forbidden)) {
        return Err(Denial::new(capability, DenialCode::NotSupported));
    }
    let net = &policy.net;
    if let Some(deny) = net.denies.iter().find(|deny| deny.covers(Some(target.scheme), &target.host, Some(target.port)))
    {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, &deny.rule));
    }
    let mut answer = Answer::new(capability);
    for (origin, rule) in &net.origins {
        answer.hear(origin.allows(&target), rule);
    }
    for url_rule in &net.urls {
        match url_rule.allows_origin(method, &target) {
            Match::No => {}
            _ if is_tricky_path(&target.path) => answer.malformed = true,
            matched if url_rule.allows_path(&target.path) => answer.hear(matched, &url_rule.rule),
            _ => {}
        }
    }
    answer.hear_all(policy, &target.host);
    answer.give()
}

pub(super) fn dns(policy: &Policy, name: &str) -> Result<Permit, Denial> {
    let capability = Capability::DnsLookup;
    let Ok(host) = Host::parse(name) else { return Err(Denial::new(capability, DenialCode::BadRequest)) };
    if let Some(deny) = policy.net.denies.iter().find(|deny| deny.covers(None, &host, None)) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, &deny.rule));
    }
    let mut answer = Answer::new(capability);
    for (pattern, rule) in policy.net.hosts() {
        answer.hear(pattern.allows(&host), rule);
    }
    answer.hear_all(policy, &host);
    answer.give()
}

pub(super) fn tcp(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    let capability = Capability::TcpConnect;
    let host = match Host::parse(host) {
        Ok(host) if port > 0 => host,
        _ => return Err(Denial::new(capability, DenialCode::BadRequest)),
    };
    if let Some(deny) = policy.net.denies.iter().find(|deny| deny.covers(None, &host, Some(port))) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, &deny.rule));
    }
    let mut answer = Answer::new(capability);
    for tcp in policy.net.tcp.iter().filter(|tcp| tcp.port == port) {
        answer.hear(tcp.host.allows(&host), &tcp.rule);
    }
    answer.hear_all(policy, &host);
    answer.give()
}

/// What the rules heard so far come to: one that allows is enough; otherwise the most telling refusal.
struct Answer<'a> {
    capability: Capability,
    permit: Option<&'a Arc<str>>,
    unnamed: Option<&'a Arc<str>>,
    malformed: bool,
}

impl<'a> Answer<'a> {
    fn new(capability: Capability) -> Self {
        Answer { capability, permit: None, unnamed: None, malformed: false }
    }

    fn hear(&mut self, matched: Match, rule: &'a Arc<str>) {
        match matched {
            Match::Yes => self.permit = self.permit.or(Some(rule)),
            Match::Unnamed => self.unnamed = self.unnamed.or(Some(rule)),
            Match::No => {}
        }
    }

    /// `-A`, which names no address: local ones stay closed.
    fn hear_all(&mut self, policy: &'a Policy, host: &Host) {
        if let Some(rule) = &policy.net.all {
            self.hear(if host.is_local() { Match::Unnamed } else { Match::Yes }, rule);
        }
    }

    fn give(self) -> Result<Permit, Denial> {
        match (self.permit, self.unnamed) {
            (Some(rule), _) => Ok(Permit::by(self.capability, rule)),
            (None, Some(rule)) => Err(Denial::by_rule(self.capability, DenialCode::Address, rule)),
            (None, None) if self.malformed => Err(Denial::new(self.capability, DenialCode::BadRequest)),
            (None, None) => Err(Denial::new(self.capability, DenialCode::NoGrant)),
        }
    }
}
