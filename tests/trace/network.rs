//! Requests, answers, lookups and sockets: exactly the bytes of each part that come from a source, and whose they are when they come back.

use super::{SECRET, traced};
use crate::support::servers::{Datagrams, Server};
use crate::support::{Run, World, guest};
use serde_json::{Value, json};

/// A call of the guest that carries things, with a variable to carry.
fn carry(tool: &str, arguments: Value, flags: &[&str]) -> Run {
    let variable = format!("KEY={SECRET}");
    let flags = [flags, &["--trace", "--env", &variable]].concat();
    let run = World::new().run(&guest("courier"), tool, &arguments, &flags).unchecked().run();
    assert_eq!(run.code, 0, "{run}");
    run
}

/// What was traced to sinks of this kind.
fn to(run: &Run, kind: &str) -> Vec<String> {
    traced(run).into_iter().filter(|line| line.starts_with(&format!("{kind} "))).collect()
}

fn allow(server: &Server) -> String {
    format!("--allow-net={}", server.origin())
}

#[test]
fn each_part_of_a_request_is_labelled_where_the_value_stands_and_nowhere_else() {
    for part in ["path", "header", "set", "body", "trailer", "method"] {
        let server = Server::http();
        let url = format!("{}/echo", server.origin());
        let name = format!("http-request {url}");
        let send = |what: &str| carry("send", json!({"what": what, "part": part, "url": url}), &[&allow(&server)]);
        let at = |from: usize| (from, from + SECRET.len());
        let (side, ranges) = match part {
            "path" => ("line", vec![at(format!("POST {url}?value=").len())]),
            "method" => ("line", vec![at(0)]),
            "header" => ("headers", vec![at("x-other: other\r\nx-value: first\r\nx-value: is ".len())]),
            "set" => ("headers", vec![at("x-other: other\r\nx-value: again\r\nx-value: ".len())]),
            "trailer" => ("trailers", vec![at("x-value: is ".len())]),
            // In two writes, with three zeroes between them.
            _ => ("body", vec![(6, 14), (17, 25)]),
        };
        let run = send("env:KEY");
        let expected: Vec<String> =
            ranges.iter().map(|(from, to)| format!("{name}#{side} {from}-{to} strong env KEY")).collect();
        assert_eq!(to(&run, "http-request"), expected, "{part}: {run}");
        let found = run.json["findings"].as_array().unwrap().iter().find(|f| f["method"] == "trace").unwrap();
        let all: Vec<Value> = ranges.iter().map(|(from, to)| json!([from, to])).collect();
        assert_eq!(found["sink_ranges"], json!(all), "{run}");
        // The same request with a word of the caller's in the same place.
        let run = send("k7Qz2mXpLw93vRt6");
        assert_eq!(to(&run, "http-request"), Vec::<String>::new(), "{part}: {run}");
        assert_eq!(server.heard().len(), 2);
    }
}

#[test]
fn bytes_of_each_answer_are_labelled_with_that_answer_and_its_part() {
    let (one, two) = (Server::http(), Server::http());
    let typed = |server: &Server, hex: &str| format!("{}/typed?text/plain&{hex}", server.origin());
    // "alphabet" and "beta".
    let urls = json!({"urls": [typed(&one, "616c706861626574"), typed(&two, "62657461")]});
    let run = carry("gather", urls, &[&allow(&one), &allow(&two)]);
    let source = |server: &Server, part: &str| format!("strong http-response {}/typed#{part}", server.origin());
    let expected = [
        format!("return /text 0-8 {}", source(&one, "body")),
        format!("return /text 8-12 {}", source(&two, "body")),
        format!("return /servers/0 0-4 {}", source(&one, "head")),
        format!("return /servers/1 0-4 {}", source(&two, "head")),
        format!("return /statuses/0 0-3 {}", source(&one, "head")),
        format!("return /statuses/1 0-3 {}", source(&two, "head")),
    ];
    assert_eq!(to(&run, "return"), expected, "{run}");
    assert_eq!(run.json["result"]["structuredContent"]["text"], "alphabetbeta");
}

/// It has never been in the guest: it is labelled as the answer all the same, without the byte that was skipped and the words around it.
#[test]
fn an_answer_that_is_spliced_into_a_request_is_labelled_whole() {
    let (from, on) = (Server::http(), Server::http());
    let source = format!("{}/typed?text/plain&616c706861626574", from.origin());
    let url = format!("{}/echo", on.origin());
    let relay = |headers: bool| {
        let arguments = json!({"source": source, "url": url, "headers": headers});
        carry("relay", arguments, &[&allow(&from), &allow(&on)])
    };
    let labelled = |part: &str| format!("strong http-response {}/typed#{part}", from.origin());
    let body = format!("http-request {url}#body 2-9 {}", labelled("body"));
    let run = relay(false);
    assert_eq!(to(&run, "http-request"), std::slice::from_ref(&body), "{run}");
    assert_eq!(on.heard()[0].body, b"<<lphabet>>");
    // What the guest says of it does not come from it.
    assert_eq!(to(&run, "return"), Vec::<String>::new(), "{run}");
    let run = relay(true);
    let header = format!("http-request {url}#headers 10-14 {}", labelled("head"));
    assert_eq!(to(&run, "http-request"), [header, body], "{run}");
}

#[test]
fn what_goes_over_sockets_is_labelled_by_place_and_what_comes_back_is_the_sockets() {
    let (echo, datagrams) = (Server::echo(), Datagrams::echo());
    let tcp = format!("--allow-tcp=127.0.0.1:{}", echo.port());
    let run = carry("tcp", json!({"what": "env:KEY", "port": echo.port()}), &[&tcp]);
    let name = format!("tcp://127.0.0.1:{}", echo.port());
    assert_eq!(to(&run, "socket"), [format!("socket {name} 5-21 strong env KEY")], "{run}");
    assert_eq!(to(&run, "return"), [format!("return /result 0-21 strong socket {name}")], "{run}");
    let run = carry("tcp", json!({"what": SECRET, "port": echo.port()}), &[&tcp]);
    assert_eq!(to(&run, "socket"), Vec::<String>::new(), "{run}");

    let udp = format!("--allow-udp=127.0.0.1:{}", datagrams.port());
    let run = carry("udp", json!({"what": "env:KEY", "port": datagrams.port()}), &[&udp]);
    let name = format!("udp://127.0.0.1:{}", datagrams.port());
    assert_eq!(to(&run, "socket"), [format!("socket {name} 5-21 strong env KEY")], "{run}");
    let back =
        [format!("return /result/0 0-5 strong socket {name}"), format!("return /result/1 0-16 strong socket {name}")];
    assert_eq!(to(&run, "return"), back, "{run}");
    let run = carry("udp", json!({"what": SECRET, "port": datagrams.port()}), &[&udp]);
    assert_eq!(to(&run, "socket"), Vec::<String>::new(), "{run}");
}

/// A name that is looked up leaves the machine: each byte of it that is the value's, however it gets there.
#[test]
fn names_that_are_looked_up_are_labelled_where_the_value_stands_in_them() {
    let flags = ["--allow-net=http://*.allowed.invalid"];
    let world = World::new();
    let variable = format!("KEY={SECRET}");
    let flags = [&flags[..], &["--trace", "--env", &variable]].concat();
    let covered = "[env:KEY].allowed.invalid";
    let run = |tool: &str, arguments: Value| world.run(&guest("courier"), tool, &arguments, &flags).unchecked().run();
    let looked_up = run("lookup", json!({"what": "env:KEY", "behind": ".allowed.invalid"}));
    assert_eq!(to(&looked_up, "dns"), [format!("dns {covered} 0-16 strong env KEY")], "{looked_up}");
    let twin = run("lookup", json!({"what": "k7qz2mxplw93vrt6", "behind": ".allowed.invalid"}));
    assert_eq!(to(&twin, "dns"), Vec::<String>::new(), "{twin}");
    assert_eq!(twin.sinks().iter().filter(|sink| sink.starts_with("dns ")).count(), 1, "{twin}");
}
