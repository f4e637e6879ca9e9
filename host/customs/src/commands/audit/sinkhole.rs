//! Who answers in place of the network: every name has an address, every request an answer, and nothing leaves the machine. What a tool sends is
//! recorded like any request: that is what the sinkhole is for.

use crate::exit::Fault;
use customs_boundary::network::{Answered, Asked, Network, Peer, Secrets};
use customs_policy::Policy;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Where every name leads. A public address, because the policy is asked about it; nobody connects to it.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));
/// Stands in for a secret that is bound to an origin: an audit has no use for the real one.
const STAND_IN: &str = "audit-0123456789abcdefghijklmnopqrst";

const PAGE: &str = "<!doctype html><html><head><title>Welcome</title></head><body><h1>Welcome</h1><p>All systems are up.</p></body></html>\n";
const JSON: &str =
    r#"{"ok":true,"status":"ok","id":42,"name":"sample","items":[{"id":1,"value":"first"},{"id":2,"value":"second"}]}"#;
const TEXT: &str = "ok\n";

/// The network of a scene.
pub(super) fn network(policy: &Policy) -> Result<Network, Fault> {
    let secrets = Secrets::of(policy, |_| Some(STAND_IN.to_owned())).map_err(Fault::Refused)?;
    Ok(Network::answered_by(Arc::new(Sinkhole), secrets))
}

struct Sinkhole;

impl Peer for Sinkhole {
    fn lookup(&self, _: &str) -> Vec<IpAddr> {
        vec![ADDRESS]
    }

    /// What the request asks for, as far as it says: the same for the same request, so that an audit twice says the same.
    fn answer(&self, asked: &Asked) -> Answered {
        let accepts = |kind: &str| {
            let accept = asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("accept"));
            accept.is_some_and(|(_, value)| String::from_utf8_lossy(value).contains(kind))
        };
        let path = asked.url.split(['?', '#']).next().unwrap_or_default();
        let (kind, body) = match () {
            () if accepts("text/html") || path.ends_with(".html") => ("text/html; charset=utf-8", PAGE),
            () if accepts("text/plain") || path.ends_with(".txt") || path.ends_with(".md") => {
                ("text/plain; charset=utf-8", TEXT)
            }
            () => ("application/json", JSON),
        };
        let body = if asked.method.eq_ignore_ascii_case("HEAD") { "" } else { body };
        Answered {
            status: if asked.method.eq_ignore_ascii_case("POST") { 201 } else { 200 },
            headers: vec![("content-type".to_owned(), kind.as_bytes().to_vec())],
            body: body.as_bytes().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_sinkhole_answers_what_is_asked_for_and_always_the_same() {
        let ask = |method: &str, url: &str, accept: &str| {
            let headers = vec![("Accept".to_owned(), accept.as_bytes().to_vec())];
            let asked = Asked { method: method.to_owned(), url: url.to_owned(), headers, body: Vec::new().into() };
            let answered = Sinkhole.answer(&asked);
            (answered.status, String::from_utf8_lossy(&answered.body).into_owned())
        };
        assert_eq!(ask("GET", "https://a.example/x", "text/html").1, PAGE);
        assert_eq!(ask("POST", "https://a.example/x", "*/*"), (201, JSON.to_owned()));
        assert_eq!(ask("GET", "https://b.example/y.txt?z", ""), (200, TEXT.to_owned()));
        assert_eq!(ask("HEAD", "https://b.example/", "").1, "");
    }
}
