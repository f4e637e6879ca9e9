//! Carries what it reads to where a test wants it: into each part of a request, over sockets, into files and out again. See `wit/courier.wit`.
//!
//! All over raw WASI, so that each crossing is one call and its place is known.

mod file;
mod http;
mod socket;

mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../../wit/wasi/io.wit",
            "../../../wit/wasi/clocks.wit",
            "../../../wit/wasi/random.wit",
            "../../../wit/wasi/filesystem.wit",
            "../../../wit/wasi/sockets.wit",
            "../../../wit/wasi/cli.wit",
            "../../../wit/wasi/http.wit",
            "wit",
        ],
        world: "customs:courier/runner",
        generate_all,
    });
}

use bindings::exports::customs::courier::courier::{Gathered, Guest};
use bindings::wasi::cli::environment::get_environment;

struct Courier;

fn read(what: &str) -> Result<String, String> {
    if let Some(name) = what.strip_prefix("env:") {
        let found = get_environment().into_iter().find(|(known, _)| known == name);
        return found.map(|(_, value)| value).ok_or_else(|| format!("{name} is not set"));
    }
    if let Some(path) = what.strip_prefix("file:") {
        return file::read(path);
    }
    match what.strip_prefix("http:") {
        Some(_) => Ok(http::get(what)?.body),
        None => Ok(what.to_owned()),
    }
}

impl Guest for Courier {
    fn send(what: String, part: String, url: String) -> Result<String, String> {
        http::send(&read(&what)?, &part, &url)
    }

    fn gather(urls: Vec<String>) -> Result<Gathered, String> {
        let mut gathered = Gathered { text: String::new(), servers: Vec::new(), statuses: Vec::new() };
        for url in urls {
            let answer = http::get(&url)?;
            gathered.text.push_str(&answer.body);
            gathered.servers.push(answer.server);
            gathered.statuses.push(answer.status);
        }
        Ok(gathered)
    }

    fn relay(source: String, url: String, headers: bool) -> Result<String, String> {
        http::relay(&source, &url, headers)
    }

    fn tcp(what: String, port: u16) -> Result<String, String> {
        socket::tcp(&read(&what)?, port)
    }

    fn udp(what: String, port: u16) -> Result<Vec<String>, String> {
        socket::udp(&read(&what)?, port)
    }

    fn lookup(what: String, behind: String) -> Result<String, String> {
        socket::lookup(&format!("{}{behind}", read(&what)?))
    }

    fn keep(what: String, path: String, how: String) -> Result<String, String> {
        file::keep(&read(&what)?, &path, &how)
    }

    fn name(what: String, path: String, how: String) -> Result<String, String> {
        file::name(&read(&what)?, &path, &how)
    }
}

bindings::export!(Courier with_types_in bindings);
