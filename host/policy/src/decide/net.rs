//! Deciding about the network: the request is read into its one meaning, then denials, then grants.

use std::net::IpAddr;
use std::sync::Arc;

use super::Permit;
use crate::address::{is_local_address, plain_address};
use crate::capability::Capability;
use crate::denial::{Denial, DenialCode};
use crate::endpoint::Endpoint;
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
    if let Some(rule) = net.denied(Some(target.scheme), &target.host, Some(target.port)) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, rule));
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
    let Target { scheme, host, port, .. } = target;
    answer.give(Endpoint { scheme: Some(scheme), host, port })
}

pub(super) fn dns(policy: &Policy, name: &str) -> Result<Permit, Denial> {
    let capability = Capability::DnsLookup;
    let Ok(host) = Host::parse(name) else { return Err(Denial::new(capability, DenialCode::BadRequest)) };
    if let Some(rule) = policy.net.denied(None, &host, None) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, rule));
    }
    let mut answer = Answer::new(capability);
    for (pattern, rule) in policy.net.hosts() {
        answer.hear(pattern.allows(&host), rule);
    }
    answer.hear_all(policy, &host);
    answer.give(Endpoint { scheme: None, host, port: 0 })
}

/// An address of a host that was permitted. The denials are asked again: a name that nobody denies can lead to an address
/// that somebody does.
pub(super) fn address(policy: &Policy, of: &Permit, address: IpAddr) -> Result<Permit, Denial> {
    let capability = of.capability;
    let Some(end) = &of.endpoint else { return Err(Denial::new(capability, DenialCode::BadRequest)) };
    let address = plain_address(address);
    let port = (end.port > 0).then_some(end.port);
    if let Some(rule) = policy.net.denied(end.scheme, &Host::Address(address), port) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, rule));
    }
    if is_local_address(address) && !policy.net.names(&end.host, address) {
        return Err(Denial::by_rule(capability, DenialCode::Address, &of.rule));
    }
    Ok(of.clone())
}

/// What the rules heard so far come to: one that allows is enough; otherwise the most telling refusal.
pub(super) struct Answer<'a> {
    capability: Capability,
    permit: Option<&'a Arc<str>>,
    unnamed: Option<&'a Arc<str>>,
    malformed: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(capability: Capability) -> Self {
        Answer { capability, permit: None, unnamed: None, malformed: false }
    }

    pub(super) fn hear(&mut self, matched: Match, rule: &'a Arc<str>) {
        match matched {
            Match::Yes => self.permit = self.permit.or(Some(rule)),
            Match::Unnamed => self.unnamed = self.unnamed.or(Some(rule)),
            Match::No => {}
        }
    }

    /// `-A`, which names no address: local ones stay closed.
    pub(super) fn hear_all(&mut self, policy: &'a Policy, host: &Host) {
        if let Some(rule) = &policy.net.all {
            self.hear(if host.is_local() { Match::Unnamed } else { Match::Yes }, rule);
        }
    }

    pub(super) fn give(self, end: Endpoint) -> Result<Permit, Denial> {
        match (self.permit, self.unnamed) {
            (Some(rule), _) => Ok(Permit::by(self.capability, rule).to(end)),
            (None, Some(rule)) => Err(Denial::by_rule(self.capability, DenialCode::Address, rule)),
            (None, None) if self.malformed => Err(Denial::new(self.capability, DenialCode::BadRequest)),
            (None, None) => Err(Denial::new(self.capability, DenialCode::NoGrant)),
        }
    }
}
