//! Network rules: origins, URL prefixes, ends of sockets, secrets, names with given addresses, and what denies them.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::address::is_local_address;
use crate::entry::{Entry, Split, entries};
use crate::error::{PolicyError, shown};
use crate::host::{Host, HostPattern, Match};
use crate::host_path::check_written;
use crate::listen::ListenRule;
use crate::net_deny::{NetDeny, parse_range, range_like};
use crate::origin::{OriginPattern, Scheme, Target, take_apart};
use crate::pins::Pins;
use crate::raw::{HostView, Layer, PathKind};
use crate::secret::Secret;
use crate::url_rule::UrlRule;

/// Every network rule of a policy.
#[derive(Debug, Clone, Default)]
pub struct NetRules {
    pub(crate) all: Option<Arc<str>>,
    pub(crate) origins: Vec<(OriginPattern, Arc<str>)>,
    pub(crate) urls: Vec<UrlRule>,
    pub(crate) tcp: Vec<EndRule>,
    pub(crate) udp: Vec<EndRule>,
    pub(crate) listens: Vec<ListenRule>,
    pub(crate) denies: Vec<NetDeny>,
    pub(crate) pins: Pins,
    secrets: Vec<Secret>,
    tls_roots: Option<TlsRoots>,
}

/// `--allow-tcp=host:port` and `--allow-udp=host:port`
#[derive(Debug, Clone)]
pub(crate) struct EndRule {
    pub(crate) host: HostPattern,
    pub(crate) port: u16,
    pub(crate) rule: Arc<str>,
}

/// `--tls-roots=FILE`
#[derive(Debug, Clone)]
struct TlsRoots {
    /// Canonical.
    path: PathBuf,
    flag: String,
}

impl NetRules {
    pub(crate) fn build(layers: &[Layer], host: &dyn HostView, dangerous: bool) -> Result<NetRules, PolicyError> {
        let mut rules = NetRules { pins: Pins::build(layers)?, secrets: Secret::build(layers)?, ..NetRules::default() };
        for entry in entries(layers, "allow-net", Split::Commas)? {
            rules.origins.push((allowed_origin(&entry, entry.text, dangerous)?, entry.rule()));
        }
        for entry in entries(layers, "allow-http", Split::Whole)? {
            rules.urls.push(UrlRule::parse(&entry, dangerous)?);
        }
        for entry in entries(layers, "allow-tcp", Split::Commas)? {
            rules.tcp.push(EndRule::parse(&entry, dangerous)?);
        }
        for entry in entries(layers, "allow-udp", Split::Commas)? {
            rules.udp.push(EndRule::parse(&entry, dangerous)?);
        }
        for entry in entries(layers, "allow-listen", Split::Commas)? {
            rules.listens.push(ListenRule::parse(&entry)?);
        }
        for entry in entries(layers, "deny-net", Split::Commas)? {
            rules.denies.push(NetDeny::parse(&entry)?);
        }
        if let Some(entry) = entries(layers, "tls-roots", Split::Whole)?.last() {
            rules.tls_roots = Some(TlsRoots::resolve(entry, host)?);
        }
        if layers.iter().any(|layer| layer.raw.allow_all) {
            rules.all = Some(Arc::from("-A"));
        }
        Ok(rules)
    }

    /// The secrets that are bound to an origin.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The addresses that `--resolve` gives this host, in the order written; empty if it says nothing of it. A name that
    /// has some is not looked up.
    pub fn pinned(&self, host: &Host) -> &[IpAddr] {
        self.pins.of(host)
    }

    /// Every name that has such addresses, sorted, with them.
    pub fn pins(&self) -> impl Iterator<Item = (&Host, &[IpAddr])> {
        self.pins.iter()
    }

    /// The file with the certificates to trust instead of the platform's; canonical. It was a file when the policy was
    /// built, and nobody has read it.
    pub fn tls_roots(&self) -> Option<&Path> {
        self.tls_roots.as_ref().map(|roots| roots.path.as_path())
    }

    /// The flag that gives the roots, as written.
    pub(crate) fn tls_roots_flag(&self) -> Option<&str> {
        self.tls_roots.as_ref().map(|roots| roots.flag.as_str())
    }

    /// Whether nothing on the network is granted.
    pub fn is_empty(&self) -> bool {
        self.all.is_none()
            && self.origins.is_empty()
            && self.urls.is_empty()
            && self.tcp.is_empty()
            && self.udp.is_empty()
            && self.listens.is_empty()
    }

    /// The first rule that denies this end.
    pub(crate) fn denied(&self, scheme: Option<Scheme>, host: &Host, port: Option<u16>) -> Option<&Arc<str>> {
        self.denies.iter().find(|deny| deny.covers(scheme, host, port)).map(|deny| &deny.rule)
    }

    /// Whether a rule names this address for that host, so that it may be local: as the host itself, as `localhost`, or
    /// by `--resolve`.
    pub(crate) fn names(&self, host: &Host, address: IpAddr) -> bool {
        let itself = Host::Address(address);
        *host == itself
            || (host.is_localhost_name() && itself.is_loopback_itself())
            || self.pinned(host).contains(&address)
    }

    /// What a person should be told about these rules.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for listen in self.listens.iter().filter(|listen| listen.is_reachable()) {
            warnings.push(format!("{} is reachable from other machines", shown(&listen.rule)));
        }
        for secret in &self.secrets {
            let (Some(host), rule, origin) = (secret.host(), shown(&secret.rule), &secret.origin) else { continue };
            let target = Target { scheme: origin.scheme, host: host.clone(), port: origin.port, path: String::new() };
            if let Some(deny) = self.denied(Some(origin.scheme), host, Some(origin.port)) {
                warnings.push(format!("{rule} has no effect: {} denies requests to {origin}", shown(deny)));
            } else if !self.allows_some_request(&target) {
                warnings.push(format!("{rule} has no effect: nothing allows requests to {origin}"));
            }
            let pins = self.pinned(host);
            let stays = host.is_local() || (!pins.is_empty() && pins.iter().all(|address| is_local_address(*address)));
            if origin.scheme == Scheme::Http && !stays {
                warnings.push(format!("{rule} would be sent in clear text"));
            }
        }
        warnings
    }

    /// Whether a rule allows requests to this origin, whatever their method and path.
    fn allows_some_request(&self, target: &Target) -> bool {
        let origins = self.origins.iter().map(|(origin, _)| origin).chain(self.urls.iter().map(|url| &url.origin));
        origins.into_iter().any(|origin| origin.allows(target) == Match::Yes)
            || (self.all.is_some() && !target.host.is_local())
    }

    /// For the policy's digest.
    pub(crate) fn lines(&self) -> Vec<String> {
        let origins = self.origins.iter().map(|(origin, _)| format!("net allow {origin}"));
        let urls = self
            .urls
            .iter()
            .map(|url| format!("http allow {} {}{}", url.method.as_deref().unwrap_or("*"), url.origin, url.prefix));
        let tcp = self.tcp.iter().map(|tcp| format!("tcp allow {}:{}", tcp.host, tcp.port));
        let udp = self.udp.iter().map(|udp| format!("udp allow {}:{}", udp.host, udp.port));
        let listens = self.listens.iter().flat_map(|listen| {
            listen.addresses.iter().map(|address| format!("tcp listen {} {}", listen.port, address))
        });
        let denies = self.denies.iter().map(NetDeny::line);
        let secrets = self.secrets.iter().map(|secret| format!("secret {} {}", secret.name, secret.origin));
        let all = self.all.iter().map(|_| "net allow all".to_owned());
        let sockets = tcp.chain(udp).chain(listens);
        origins.chain(urls).chain(sockets).chain(denies).chain(secrets).chain(self.pins.lines()).chain(all).collect()
    }

    /// The rules that allow to reach this host at some port.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&HostPattern, &Arc<str>)> {
        let origins = self.origins.iter().map(|(origin, rule)| (&origin.host, rule));
        let urls = self.urls.iter().map(|url| (&url.origin.host, &url.rule));
        let ends = self.tcp.iter().chain(&self.udp).map(|end| (&end.host, &end.rule));
        origins.chain(urls).chain(ends)
    }
}

pub(crate) fn allowed_origin(entry: &Entry<'_>, text: &str, dangerous: bool) -> Result<OriginPattern, PolicyError> {
    if let Some((address, bits)) = range_like(text) {
        parse_range(address, bits).map_err(|reason| entry.error(reason))?;
        return Err(entry.error("an address range can be denied but not allowed; name the address"));
    }
    let origin = OriginPattern::parse(text).map_err(|reason| entry.error(reason))?;
    check_width(entry, &origin.host, dangerous)?;
    Ok(origin)
}

fn check_width(entry: &Entry<'_>, host: &HostPattern, dangerous: bool) -> Result<(), PolicyError> {
    if let Some(reason) = host.too_wide() {
        return Err(entry.error(reason));
    }
    if *host == HostPattern::Any && !dangerous {
        return Err(entry.error("* is every host; that needs --dangerously-allow"));
    }
    Ok(())
}

impl EndRule {
    fn parse(entry: &Entry<'_>, dangerous: bool) -> Result<EndRule, PolicyError> {
        let written = take_apart(entry.text).map_err(|reason| entry.error(reason))?;
        let (None, Some(port)) = (written.scheme, written.port) else {
            return Err(entry.error("write host:port"));
        };
        let host = HostPattern::parse(written.host).map_err(|reason| entry.error(reason))?;
        check_width(entry, &host, dangerous)?;
        Ok(EndRule { host, port, rule: entry.rule() })
    }
}

impl TlsRoots {
    fn resolve(entry: &Entry<'_>, host: &dyn HostView) -> Result<TlsRoots, PolicyError> {
        check_written(entry.text).map_err(|reason| entry.error(reason))?;
        let (path, kind) = host
            .canonical(&entry.layer.base.join(entry.text))
            .map_err(|reason| entry.error(format!("{}: {reason}", shown(entry.text))))?;
        match kind {
            PathKind::File => Ok(TlsRoots { path, flag: entry.flag() }),
            PathKind::Dir => Err(entry.error("this is a directory; write one file of certificates")),
            PathKind::Other => Err(entry.error("this is not a regular file")),
        }
    }
}
