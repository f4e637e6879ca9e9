//! Addresses that everybody knows: of one's own machine, of examples, of public places; and paths of systems.

use super::atoms;
use std::net::Ipv4Addr;

/// Places that everybody fetches from. What stands before them is one's own, unless it is a usual name.
const PLACES: [&str; 28] = [
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "bitbucket.org",
    "docs.rs",
    "rust-lang.org",
    "golang.org",
    "go.dev",
    "pkg.go.dev",
    "apache.org",
    "docker.com",
    "k8s.io",
    "googleapis.com",
    "google.com",
    "microsoft.com",
    "w3.org",
    "json-schema.org",
    "schema.org",
    "schemastore.org",
    "mozilla.org",
    "wikipedia.org",
    "python.org",
    "nodejs.org",
    "jsdelivr.net",
    "unpkg.com",
    "cloudflare.com",
    "openai.com",
    "anthropic.com",
];
const SCHEMES: [&str; 32] = [
    "http",
    "https",
    "ws",
    "wss",
    "ftp",
    "tcp",
    "udp",
    "unix",
    "file",
    "redis",
    "rediss",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "amqp",
    "amqps",
    "mqtt",
    "smtp",
    "smtps",
    "ldap",
    "ldaps",
    "nats",
    "kafka",
    "s3",
    "gs",
    "sqlite",
    "socks5",
    "socks5h",
    "git",
    "ssh",
];
/// Pairs that a server comes with.
const PAIRS: [&str; 12] = [
    "postgres:postgres",
    "postgres:password",
    "root:root",
    "root:password",
    "user:password",
    "user:pass",
    "username:password",
    "guest:guest",
    "admin:admin",
    "admin:password",
    "sa:password",
    "postgres:",
];

pub(super) fn is_known(text: &str) -> bool {
    url(text) || host(text) || mail(text) || path(text)
}

fn url(text: &str) -> bool {
    let text = text.strip_prefix("jdbc:").unwrap_or(text);
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if !scheme.split('+').all(|scheme| SCHEMES.contains(&scheme)) {
        return false;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let place = match authority.rsplit_once('@') {
        Some((pair, place)) if PAIRS.contains(&pair) => place,
        Some(_) => return false,
        None => authority,
    };
    let is_bucket = matches!(scheme, "s3" | "gs") && atoms::are_known(place);
    (is_bucket || host(place) || (place.is_empty() && matches!(scheme, "file" | "sqlite" | "unix")))
        && (path.len() <= 1 || segments(path))
}

/// Segments of a path or query that are all usual.
fn segments(path: &str) -> bool {
    let mut parts = path.split(['/', '?', '&', '#']).filter(|part| !part.is_empty());
    parts.all(|part| {
        let known = |part: &str| !part.is_empty() && part.split(['-', '_', '.', '+', '~', ',']).all(is_plain);
        match part.split_once('=') {
            Some((name, value)) => {
                let about_secrets = ["key", "token", "secret", "sig", "pass", "auth", "pwd"];
                let lower = name.to_ascii_lowercase();
                known(name) && known(value) && !about_secrets.iter().any(|secret| lower.contains(secret))
            }
            None => known(part),
        }
    })
}

/// A common word, a name, or a short number.
fn is_plain(part: &str) -> bool {
    part.is_empty() || atoms::is_part(part)
}

/// A host or address with or without a port or, for networks, a length.
fn host(text: &str) -> bool {
    let text = text.strip_prefix('[').unwrap_or(text);
    if let Some(rest) =
        ["::1", "::", "fe80::", "fe80::1", "ff02::1", "ff02::2"].iter().find_map(|known| text.strip_prefix(known))
    {
        return port(rest.strip_prefix(']').unwrap_or(rest));
    }
    let end = text.find([':', '/']).unwrap_or(text.len());
    let Some((name, rest)) = text.split_at_checked(end) else { return false };
    if !port(rest) {
        return false;
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return is_known_address(address);
    }
    let name = name.to_ascii_lowercase();
    if name == "localhost" || (!rest.is_empty() && is_role(&name)) || is_numbered_role(&name) {
        return true;
    }
    let reserved = [
        "example.com",
        "example.org",
        "example.net",
        "example",
        "test",
        "invalid",
        "localhost",
        "local",
        "localdomain",
        "svc.cluster.local",
    ];
    let mut known = reserved.iter().chain(PLACES.iter());
    known.any(|place| match name.strip_suffix(place) {
        Some("") => place.contains('.'),
        Some(before) => before.strip_suffix('.').is_some_and(|before| {
            before.is_empty()
                || before
                    .split('.')
                    .all(|label| label == "*" || label.split('-').all(|part| is_plain(part) || is_role(part)))
        }),
        None => false,
    })
}

fn port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix([':', '/'])
            .is_some_and(|n| (1..=5).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

fn is_known_address(address: Ipv4Addr) -> bool {
    match address.octets() {
        [127 | 255 | 0, ..]
        | [10, 0, 0 | 2, _]
        | [192, 168, 0 | 1 | 99 | 100, _]
        | [172, 16..=20, 0, _]
        | [10 | 172 | 192, _, 0, 0] => true,
        [192, 0, 2, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [169, 254, 169, 254]
        | [10, 96, 0, 1 | 10]
        | [10, 43, 0, 1 | 10] => true,
        [a, b, c, d] => {
            (a == b && b == c && c == d)
                || [a, b, c, d] == [8, 8, 4, 4]
                || [a, b, c, d] == [1, 0, 0, 1]
                || a >= 224 && [b, c] == [0, 0]
        }
    }
}

/// What machines are called by what they do.
fn is_role(name: &str) -> bool {
    const ROLES: [&str; 40] = [
        "web",
        "www",
        "db",
        "database",
        "app",
        "api",
        "node",
        "worker",
        "host",
        "server",
        "cache",
        "proxy",
        "lb",
        "master",
        "replica",
        "primary",
        "secondary",
        "backend",
        "frontend",
        "gateway",
        "queue",
        "redis",
        "postgres",
        "mysql",
        "mongo",
        "rabbitmq",
        "kafka",
        "nginx",
        "elasticsearch",
        "minio",
        "vault",
        "mail",
        "smtp",
        "ftp",
        "ns",
        "router",
        "runner",
        "agent",
        "build",
        "ci",
    ];
    ROLES.contains(&name)
}

/// `web-01`, `worker2`.
fn is_numbered_role(name: &str) -> bool {
    let role = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.len() - role.len();
    (1..=3).contains(&number) && is_role(role.strip_suffix('-').unwrap_or(role))
}

/// Of somebody who does not exist.
fn mail(text: &str) -> bool {
    let Some((who, place)) = text.split_once('@') else { return false };
    let reserved = ["example.com", "example.org", "example.net", "localhost"];
    let place = place.to_ascii_lowercase();
    reserved
        .iter()
        .any(|known| place == *known || place.strip_suffix(known).is_some_and(|before| before.ends_with('.')))
        && !who.is_empty()
        && who.split(['.', '-', '_', '+']).all(is_plain)
}

/// A path of a system whose segments everybody has.
fn path(text: &str) -> bool {
    const ROOTS: [&str; 28] = [
        "bin",
        "sbin",
        "usr",
        "etc",
        "var",
        "opt",
        "tmp",
        "home",
        "root",
        "lib",
        "lib64",
        "dev",
        "proc",
        "sys",
        "run",
        "mnt",
        "media",
        "srv",
        "boot",
        "snap",
        "nix",
        "app",
        "data",
        "workspace",
        "nonexistent",
        "users",
        "library",
        "applications",
    ];
    let Some(rest) = text.strip_prefix('/').or_else(|| text.strip_prefix("~/")).or_else(|| text.strip_prefix("$HOME/"))
    else {
        return matches!(text, "~" | "." | "..");
    };
    let mut parts = rest.split('/').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_system = !text.starts_with('/') || ROOTS.contains(&first.as_str()) || rest.is_empty();
    is_system
        && parts.all(|part| part.split(['-', '_', '.', '+', '@', '*']).all(is_plain))
        && (text.starts_with('/') || is_plain(first.trim_start_matches('.')))
}
