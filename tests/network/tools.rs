//! Tools as people write them, in three languages, with one granted origin.

use super::{allow, allow_as, pin, requests};
use crate::support::certificates::Authority;
use crate::support::servers::Server;
use crate::support::{Run, World, canary, checkout, guest};
use serde_json::{Value, json};

/// Runs a tool's function. The three have the same ones; only the request of `fetch` has more to say in Rust.
struct Fetcher<'a> {
    component: &'a str,
    world: World,
}

impl Fetcher<'_> {
    fn fetch(&self, url: &str, flags: &[&str]) -> Run {
        let arguments = match self.component {
            "fetch" => json!({"request": {"url": url, "headers": []}}),
            _ => json!({"url": url}),
        };
        self.world.run(&guest(self.component), "fetch", &arguments, flags).run()
    }
}

/// The answer that a fetch gave.
fn answer(run: &Run) -> &Value {
    let content = &run.json["result"]["structuredContent"];
    let answer = content.get("result").unwrap_or(content);
    assert!(answer["status"].is_u64(), "there is no answer: {run}");
    answer
}

/// All that a tool in each language is expected to do. One test for each, so that a large guest is compiled once.
fn works(component: &str) {
    let fetcher = Fetcher { component, world: World::new() };
    fetches_from_one_granted_origin(&fetcher);
    gets_answers_as_they_are(&fetcher);
    uses_a_secret_and_does_not_hold_it(&fetcher);
    speaks_tls(&fetcher);
}

#[test]
fn fetch_in_rust_works_with_one_granted_origin() {
    works("fetch");
}

#[test]
fn fetch_in_javascript_works_with_one_granted_origin() {
    if built("fetch-js", "npm") {
        works("fetch-js");
    }
}

#[test]
fn fetch_in_python_works_with_one_granted_origin() {
    if built("fetch-py", "python3") {
        works("fetch-py");
    }
}

/// `make guests` leaves out what needs npm or Python where they are not installed.
fn built(component: &str, needs: &str) -> bool {
    let there = checkout().join(format!("guests/dist/{component}.wasm")).is_file();
    let installed = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(needs).is_file());
    assert!(there || !installed, "{component} was not built though {needs} is here: run make guests");
    there
}

fn fetches_from_one_granted_origin(fetcher: &Fetcher<'_>) {
    let (server, canary) = (Server::http(), Server::http());
    let grant = allow(&server);
    let run = fetcher.fetch(&format!("{}/", server.origin()), &[&grant]);
    run.exits(0).denied(&[]);
    assert_eq!((&answer(&run)["status"], &answer(&run)["body"]), (&json!(200), &json!("hello")), "{run}");
    let headers = answer(&run)["headers"].as_array().unwrap();
    assert!(headers.contains(&json!({"name": "x-server", "value": "one"})), "{run}");
    assert_eq!(server.heard_once().line(), "GET / HTTP/1.1", "{run}");
    let url = server.origin();
    assert_eq!(requests(&run), [format!("allow GET {url}/ -> {url}/")], "{run}");
    assert!(run.sources().contains(&format!("http-response {url}/#body")), "{run}");

    // Another origin: an error that the tool can tell, and nobody is touched.
    let run = fetcher.fetch(&format!("{}/", canary.origin()), &[&grant]);
    assert_eq!(run.exits(1).denials(), [format!("http.request no-grant GET {}/", canary.origin())], "{run}");
    assert!(run.stderr.contains(&format!("--allow-net={}", canary.origin())), "the smallest grant is told: {run}");
    assert!(!run.stdout.contains("--allow-net"), "and not to the caller: {run}");
    canary.untouched();
    assert_eq!(server.connections(), 1);
}

/// An answer that points elsewhere, one that breaks off, and one that is large.
fn gets_answers_as_they_are(fetcher: &Fetcher<'_>) {
    let server = Server::http();
    let grant = allow(&server);
    let run = fetcher.fetch(&format!("{}/redirect?/elsewhere", server.origin()), &[&grant]);
    assert_eq!(server.connections(), 1, "nobody follows: {run}");
    let run = fetcher.fetch(&format!("{}/large?300000", server.origin()), &[&grant]);
    assert_eq!(answer(&run)["body"].as_str().unwrap().len(), 300_000, "{run}");
    let run = fetcher.fetch(&format!("{}/hang-up", server.origin()), &[&grant]);
    assert_eq!((run.code, run.json["result"]["isError"].as_bool()), (1, Some(true)), "{run}");
}

/// A secret goes where it belongs, whatever language made the header.
fn uses_a_secret_and_does_not_hold_it(fetcher: &Fetcher<'_>) {
    let (server, value) = (Server::http(), canary("SECRET"));
    let url = format!("{}/reflect?authorization", server.origin());
    let arguments = json!({"url": url, "header": "authorization", "variable": "TOKEN"});
    let flags = [allow(&server), format!("--secret=TOKEN@{}", server.origin())];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let customs = fetcher.world.run(&guest(fetcher.component), "fetch-header", &arguments, &flags);
    let run = customs.env("TOKEN", &value).run();
    run.exits(0).never_shows(&value);
    assert_eq!(server.heard_once().header("authorization"), format!("Bearer {value}"), "{run}");
    let mask = format!("reflected: Bearer {}\n", "*".repeat(value.len()));
    assert_eq!(answer(&run)["body"], mask, "{run}");
    assert!(run.denials().iter().all(|row| row.starts_with("http.request secret-masked ")), "{run}");
}

/// Over TLS, by a name.
fn speaks_tls(fetcher: &Fetcher<'_>) {
    let authority = Authority::new();
    fetcher.world.write("roots.pem", authority.pem());
    let server = Server::https(&authority.certificate(&["allowed.test"]));
    let flags = [allow_as(&server, "allowed.test"), pin("allowed.test"), "--tls-roots={world}/roots.pem".to_owned()];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let url = format!("{}/", server.origin_as("allowed.test"));
    let run = fetcher.fetch(&url, &flags);
    assert_eq!(answer(&run)["body"], "hello", "{run}");
    let run = fetcher.fetch(&url, &flags[..2]);
    assert_eq!(run.code, 1, "without its root: {run}");
}

/// Requests that were started together are under way together.
#[test]
fn requests_of_one_tool_run_at_the_same_time() {
    let (server, world) = (Server::http(), World::new());
    let urls: Vec<String> = (0..8).map(|_| format!("{}/together?8", server.origin())).collect();
    let run =
        world.run(&guest("fetch"), "fetch-all", &json!({"urls": urls}), &[&allow(&server), "--timeout=20s"]).run();
    let answers = run.exits(0).json["result"]["structuredContent"]["result"].as_array().unwrap().clone();
    assert_eq!(answers.len(), 8, "{run}");
    assert!(answers.iter().all(|answer| answer.to_string().contains("hello")), "{run}");
    assert_eq!(server.connections(), 8);
}

/// What the environment says of proxies is not for us: nobody else is asked to carry a request.
#[test]
fn proxy_variables_are_ignored() {
    let authority = Authority::new();
    let (plain, proxy) = (Server::http(), Server::http());
    let tls = Server::https(&authority.certificate(&["allowed.test"]));
    let world = World::new();
    world.write("roots.pem", authority.pem());
    let flags = [
        allow(&plain),
        allow_as(&tls, "allowed.test"),
        pin("allowed.test"),
        "--tls-roots={world}/roots.pem".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let script =
        json!([super::get(&plain.origin()), super::get(&tls.origin_as("allowed.test")), super::get(&proxy.origin())]);
    let mut customs = world.script(&flags, script);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY", "SOCKS_PROXY"] {
        let value = if name == "NO_PROXY" { "denied.test".to_owned() } else { proxy.origin() };
        customs = customs.env(name, &value).env(name.to_lowercase(), &value);
    }
    let run = customs.run();
    assert_eq!(run.exits(0).said(), ["ok", "ok", "http-request-denied"], "{run}");
    proxy.untouched();
    assert_eq!((plain.connections(), tls.connections()), (1, 1));
    assert!(plain.heard_once().line().starts_with("GET / "), "in origin form");
}
