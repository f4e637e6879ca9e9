//! Requests, lookups and sockets: what was reached, as narrow as a rule can say it.
//!
//! A request becomes `allow-http`: its method, its origin, and the longest path that those of the same method and origin have in common, in
//! whole segments and inside of the rule that allowed them. A path that no rule can hold (`..`, a slash in disguise) needs the origin.

use std::collections::{BTreeMap, BTreeSet};

use super::access::Access;
use super::{Line, Unmet, Why};
use crate::capability::Capability;
use crate::host::{Host, HostPattern, Match};
use crate::origin::{OriginPattern, Scheme, Target, parse_port, split_port};
use crate::policy::Policy;
use crate::url_rule::{is_token, is_tricky_path};

const NOT_ALLOWED: &str = "this policy does not allow it";

/// A line of `allow-http` in the making: method (`*` for one that a rule cannot name), origin, and how much of the path its rule allows.
type Asked = (String, OriginPattern, String);

pub(super) fn lines(policy: &Policy, allowed: &[&Access], unmet: &mut Unmet) -> (Vec<Line>, BTreeSet<Host>) {
    let mut net = Net { policy, origins: BTreeMap::new(), urls: BTreeMap::new(), ends: BTreeMap::new() };
    for access in allowed {
        if let Err(reason) = net.take(access) {
            unmet.add(access, reason);
        }
    }
    net.merge();
    // What other lines give as well needs none of its own.
    for access in allowed {
        let done = match access.capability {
            Capability::DnsLookup => net.lookup(access),
            Capability::TcpConnect | Capability::TcpListen | Capability::UdpSend => net.socket(access),
            _ => Ok(()),
        };
        if let Err(reason) = done {
            unmet.add(access, reason);
        }
    }
    let hosts = net.hosts();
    (net.written(), hosts)
}

struct Net<'a> {
    policy: &'a Policy,
    origins: BTreeMap<OriginPattern, Why>,
    urls: BTreeMap<Asked, (Vec<String>, Why)>,
    /// By key, then host and port.
    ends: BTreeMap<(&'static str, String), Why>,
}

impl Net<'_> {
    fn take(&mut self, access: &Access) -> Result<(), &'static str> {
        match (access.capability, access.operation.as_str()) {
            (Capability::HttpRequest, "handle") => self.request(access),
            (Capability::TcpConnect, "create-tcp-socket" | "tcp-bind") | (Capability::TcpListen, "tcp-accept") => {
                Ok(())
            }
            (Capability::UdpSend, "create-udp-socket" | "udp-bind") => Ok(()),
            (Capability::TcpConnect, _) => self.end("allow-tcp", access.resolved.as_deref(), access),
            (Capability::UdpSend, _) => self.end("allow-udp", access.resolved.as_deref(), access),
            // What was asked for: the port that the system picked is another one each time.
            (Capability::TcpListen, _) => self.end("allow-listen", None, access),
            _ => Ok(()),
        }
    }

    fn request(&mut self, access: &Access) -> Result<(), &'static str> {
        let (method, url) = access.request().ok_or("its method and URL are not in the record")?;
        let target = Target::parse(url).ok_or("its URL is not in the record")?;
        let why = Why::of(access);
        let net = &self.policy.net;
        let by_origin = net.all.is_some() || net.origins.iter().any(|(origin, _)| origin.allows(&target) == Match::Yes);
        // The narrowest path that the rules of this policy leave to it.
        let rule = net
            .urls
            .iter()
            .find(|rule| rule.allows_origin(method, &target) == Match::Yes && rule.allows_path(&target.path));
        let within = match rule {
            _ if by_origin => String::new(),
            Some(rule) => rule.prefix.clone(),
            None if access.unclear => return Err("its whole URL is not in the record"),
            None => return Err(NOT_ALLOWED),
        };
        let path = plain_part(&target.path, access.unclear);
        let sound = path.is_ascii() && !path.contains(|c: char| c.is_ascii_control() || c == '#');
        if is_tricky_path(&target.path) || !sound {
            if !by_origin {
                return Err("no rule can hold its path");
            }
            let why = why.noted(Some("no rule of allow-http can hold a path of these requests"));
            self.origins.entry(target.origin()).or_default().and(why);
            return Ok(());
        }
        let nameable = is_token(method) && !method.contains(|c: char| c.is_ascii_lowercase());
        let method = if nameable { method } else { "*" };
        let (paths, known) = self.urls.entry((method.to_owned(), target.origin(), within)).or_default();
        paths.push(path.to_owned());
        known.and(why);
        Ok(())
    }

    fn end(&mut self, key: &'static str, end: Option<&str>, access: &Access) -> Result<(), &'static str> {
        let end = parse_end(end.unwrap_or(&access.requested)).ok_or("its end is not in the record")?;
        self.ends.entry((key, end)).or_default().and(Why::of(access));
        Ok(())
    }

    /// One path for each method and origin, and no line that another one has in it.
    fn merge(&mut self) {
        let mut merged: BTreeMap<Asked, (Vec<String>, Why)> = BTreeMap::new();
        for ((method, origin, within), (paths, why)) in std::mem::take(&mut self.urls) {
            let common = common_path(&paths).unwrap_or_default();
            let prefix = if common.len() < within.len() { within } else { common };
            match self.origins.get_mut(&origin) {
                Some(whole) => whole.and(why),
                None => merged.entry((method, origin, prefix)).or_default().1.and(why),
            }
        }
        for (asked, (_, why)) in std::mem::take(&mut merged) {
            let covered = |other: &Asked| {
                let (method, origin, prefix) = &asked;
                *other != asked
                    && (other.0 == "*" || other.0 == *method)
                    && other.1 == *origin
                    && prefix
                        .strip_prefix(other.2.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            // Shorter paths of a method come first, `*` comes before all methods.
            match self.urls.keys().find(|other| covered(other)).cloned() {
                Some(outer) => {
                    if let Some((_, known)) = self.urls.get_mut(&outer) {
                        known.and(why);
                    }
                }
                None => drop(self.urls.insert(asked, (Vec::new(), why))),
            }
        }
    }

    fn reaches(&self, host: &Host) -> bool {
        let is = |pattern: &HostPattern| pattern.allows(host) == Match::Yes;
        self.origins.keys().any(|origin| is(&origin.host))
            || self.urls.keys().any(|(_, origin, _)| is(&origin.host))
            || self.ends.keys().any(|(key, end)| {
                *key != "allow-listen" && Host::parse(split_port(end).0).is_ok_and(|own| is(&HostPattern::Is(own)))
            })
    }

    /// A lookup is for who may reach the host somehow. Where nothing was reached, the narrowest rule of the policy is taken, for this host.
    fn lookup(&mut self, access: &Access) -> Result<(), &'static str> {
        let name = access.resolved.as_deref().unwrap_or(&access.requested);
        let host = Host::parse(name).map_err(|_| "its name is not in the record")?;
        if self.reaches(&host) {
            return Ok(());
        }
        let net = &self.policy.net;
        let why = Why::of(access).noted(Some("a lookup is for whoever may reach the host; it was not reached"));
        let allows = |pattern: &HostPattern| pattern.allows(&host) == Match::Yes;
        let narrowed = |origin: &OriginPattern| OriginPattern { host: HostPattern::Is(host.clone()), ..origin.clone() };
        if let Some(rule) = net.urls.iter().find(|rule| allows(&rule.origin.host)) {
            let method = rule.method.clone().unwrap_or_else(|| "*".to_owned());
            self.urls.insert((method, narrowed(&rule.origin), rule.prefix.clone()), (Vec::new(), why));
        } else if let Some(rule) = net.tcp.iter().find(|rule| allows(&rule.host)) {
            self.ends.insert(("allow-tcp", format!("{host}:{}", rule.port)), why);
        } else if let Some(rule) = net.udp.iter().find(|rule| allows(&rule.host)) {
            self.ends.insert(("allow-udp", format!("{host}:{}", rule.port)), why);
        } else if let Some((origin, _)) = net.origins.iter().find(|(origin, _)| allows(&origin.host)) {
            self.urls.insert(("GET".to_owned(), narrowed(origin), String::new()), (Vec::new(), why));
        } else if net.all.is_some() {
            let origin = OriginPattern { scheme: Scheme::Https, host: HostPattern::Is(host), port: 443 };
            self.urls.insert(("GET".to_owned(), origin, String::new()), (Vec::new(), why));
        } else {
            return Err(NOT_ALLOWED);
        }
        Ok(())
    }

    /// Making a socket is for who may use one.
    fn socket(&mut self, access: &Access) -> Result<(), &'static str> {
        let has = |keys: &[&str]| self.ends.keys().any(|(key, _)| keys.contains(key));
        let net = &self.policy.net;
        let why = Why::of(access).noted(Some("a socket was made and reached nothing"));
        let (enough, one) = match access.operation.as_str() {
            "create-tcp-socket" => {
                let tcp = net.tcp.first().map(|rule| ("allow-tcp", format!("{}:{}", rule.host, rule.port)));
                let listen = net.listens.first().and_then(|rule| {
                    let address = rule.addresses.first()?;
                    Some(("allow-listen", format!("{}:{}", Host::Address(*address), rule.port)))
                });
                (has(&["allow-tcp", "allow-listen"]), tcp.or(listen))
            }
            "create-udp-socket" => {
                let udp = net.udp.first().map(|rule| ("allow-udp", format!("{}:{}", rule.host, rule.port)));
                (has(&["allow-udp"]), udp)
            }
            _ => return Ok(()),
        };
        if !enough {
            self.ends.insert(
                one.ok_or("a socket that reaches nothing needs a rule for some end, and the policy has none")?,
                why,
            );
        }
        Ok(())
    }

    /// Every host that is reached.
    fn hosts(&self) -> BTreeSet<Host> {
        let origins = self.origins.keys().chain(self.urls.keys().map(|(_, origin, _)| origin));
        let named = origins.filter_map(|origin| match &origin.host {
            HostPattern::Is(host) => Some(host.clone()),
            _ => None,
        });
        let ends = self.ends.keys().filter(|(key, _)| *key != "allow-listen");
        named.chain(ends.filter_map(|(_, end)| Host::parse(split_port(end).0).ok())).collect()
    }

    fn written(self) -> Vec<Line> {
        let origins = self.origins.into_iter().map(|(origin, why)| Line::grant("allow-net", origin.to_string(), why));
        let urls = self.urls.into_iter().map(|((method, origin, prefix), (_, why))| {
            Line::grant("allow-http", format!("{method} {origin}{prefix}"), why)
        });
        let ends = self.ends.into_iter().map(|((key, end), why)| Line::grant(key, end, why));
        origins.chain(urls).chain(ends).collect()
    }
}

/// `host:port` in its one spelling.
pub(super) fn parse_end(text: &str) -> Option<String> {
    let (host, port) = split_port(text);
    let port = port?;
    let number = if port == "0" { 0 } else { parse_port(port).ok()? };
    Some(format!("{}:{number}", Host::parse(host).ok()?))
}

/// The path without what is not known of it: a segment with a covered value, and the last one of a text that was cut.
fn plain_part(path: &str, unclear: bool) -> &str {
    if !unclear {
        return path;
    }
    let covered = ["[env:", "[secret:"].iter().filter_map(|mark| path.find(mark)).min();
    let known = path.get(..covered.unwrap_or(path.len())).unwrap_or_default();
    known.rfind('/').and_then(|slash| known.get(..slash)).unwrap_or_default()
}

/// The longest path, in whole segments, that all of these are or begin with.
fn common_path(paths: &[String]) -> Option<String> {
    let mut common: Vec<&str> = paths.first()?.split('/').collect();
    for path in paths {
        let same = common.iter().zip(path.split('/')).take_while(|(one, other)| **one == *other).count();
        common.truncate(same);
    }
    Some(common.join("/").trim_end_matches('/').to_owned())
}
