//! Deciding about sockets: which ends may be reached, and which local ones may be taken.

use std::net::IpAddr;
use std::sync::Arc;

use super::Permit;
use super::net::Answer;
use crate::capability::Capability;
use crate::denial::{Denial, DenialCode};
use crate::endpoint::Endpoint;
use crate::host::Host;
use crate::net::EndRule;
use crate::policy::Policy;

/// A socket can do nothing yet, so it is for whoever may do something with one.
pub(super) fn tcp_create(policy: &Policy) -> Result<Permit, Denial> {
    let net = &policy.net;
    let connects = net.tcp.first().map(|tcp| &tcp.rule);
    some(Capability::TcpConnect, connects.or(net.listens.first().map(|listen| &listen.rule)).or(net.all.as_ref()))
}

pub(super) fn udp_create(policy: &Policy) -> Result<Permit, Denial> {
    let net = &policy.net;
    some(Capability::UdpSend, net.udp.first().map(|udp| &udp.rule).or(net.all.as_ref()))
}

pub(super) fn tcp(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    end(policy, Capability::TcpConnect, &policy.net.tcp, host, (port > 0).then_some(port))
}

pub(super) fn udp(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    end(policy, Capability::UdpSend, &policy.net.udp, host, (port > 0).then_some(port))
}

/// A sender may have left its port out, which makes it 0. No rule names that.
pub(super) fn udp_receive(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    end(policy, Capability::UdpSend, &policy.net.udp, host, Some(port))
}

pub(super) fn tcp_bind(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    match local(Capability::TcpConnect, host) {
        Ok(address) if address.is_unspecified() && port == 0 => Ok(tcp_create(policy)?.to(at(address, port))),
        _ => tcp_listen(policy, host, port),
    }
}

pub(super) fn udp_bind(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    let capability = Capability::UdpSend;
    let address = local(capability, host)?;
    if address.is_unspecified() && port == 0 {
        return Ok(udp_create(policy)?.to(at(address, port)));
    }
    undenied(policy, capability, address, port)?;
    Err(Denial::new(capability, DenialCode::NoGrant))
}

/// `-A` is not enough: a tool that listens lets others in, so the address is always named.
pub(super) fn tcp_listen(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    let capability = Capability::TcpListen;
    let address = local(capability, host)?;
    undenied(policy, capability, address, port)?;
    let rule = policy.net.listens.iter().find(|listen| listen.covers(address, port)).map(|listen| &listen.rule);
    Ok(some(capability, rule)?.to(at(address, port)))
}

/// A listener exists only where a rule allowed it; what is left to decide is who may come.
pub(super) fn tcp_accept(policy: &Policy, host: &str, port: u16) -> Result<Permit, Denial> {
    let capability = Capability::TcpListen;
    let address = local(capability, host)?;
    undenied(policy, capability, address, port)?;
    Ok(some(capability, policy.net.listens.first().map(|listen| &listen.rule))?.to(at(address, port)))
}

/// Whether this is the local end that every socket has before it is given one.
pub(super) fn is_any(host: &str, port: u16) -> bool {
    port == 0 && local(Capability::TcpConnect, host).is_ok_and(|address| address.is_unspecified())
}

/// An end that is reached, by rules of one kind. Without a port it is malformed.
fn end(
    policy: &Policy,
    capability: Capability,
    rules: &[EndRule],
    host: &str,
    port: Option<u16>,
) -> Result<Permit, Denial> {
    let (Ok(host), Some(port)) = (Host::parse(host), port) else {
        return Err(Denial::new(capability, DenialCode::BadRequest));
    };
    if let Some(rule) = policy.net.denied(None, &host, Some(port)) {
        return Err(Denial::by_rule(capability, DenialCode::DenyRule, rule));
    }
    let mut answer = Answer::new(capability);
    for rule in rules.iter().filter(|rule| rule.port == port) {
        answer.hear(rule.host.allows(&host), &rule.rule);
    }
    answer.hear_all(policy, &host);
    answer.give(Endpoint { scheme: None, host, port })
}

/// Local ends and peers are addresses; a name is none.
fn local(capability: Capability, host: &str) -> Result<IpAddr, Denial> {
    match Host::parse(host) {
        Ok(Host::Address(address)) => Ok(address),
        _ => Err(Denial::new(capability, DenialCode::BadRequest)),
    }
}

fn undenied(policy: &Policy, capability: Capability, address: IpAddr, port: u16) -> Result<(), Denial> {
    match policy.net.denied(None, &Host::Address(address), Some(port)) {
        Some(rule) => Err(Denial::by_rule(capability, DenialCode::DenyRule, rule)),
        None => Ok(()),
    }
}

fn some(capability: Capability, rule: Option<&Arc<str>>) -> Result<Permit, Denial> {
    rule.map(|rule| Permit::by(capability, rule)).ok_or_else(|| Denial::new(capability, DenialCode::NoGrant))
}

fn at(address: IpAddr, port: u16) -> Endpoint {
    Endpoint { scheme: None, host: Host::Address(address), port }
}
