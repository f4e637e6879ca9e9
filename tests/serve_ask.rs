//! `customs serve --ask`: a person may grant what a tool was refused, and nobody else may. Both ways in which clients put questions to people:
//! while the call is open (up to 2025-11-25), and between two requests (since 2026-07-28).

use crate::support::mcp::{MODERN, Server, USUAL, ledgers};
use crate::support::servers::Server as Network;
use crate::support::{Customs, World, guest};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// Capabilities of a client that can show a person a form.
fn forms() -> Value {
    json!({"elicitation": {}})
}

fn accept(choice: &str) -> Value {
    json!({"action": "accept", "content": {"grant": choice}})
}

/// The puppet, which may read `ro` as `/ro`, and what else is given.
fn puppet(world: &World, flags: &[&str]) -> Customs {
    world.dir("ledgers");
    let mut customs =
        world.customs(&["serve", "--allow-read={ro}::/ro", "--ledger", "{world}/ledgers"]).arg(guest("puppet"));
    for flag in flags {
        customs = customs.arg(world.fill(flag));
    }
    customs
}

/// Reads a file of the host from its own path.
fn reading(world: &World, path: &str) -> Value {
    let path = world.fill(path);
    json!([{"op": "open", "dir": "/", "path": path.trim_start_matches('/'), "as": "h"}, {"op": "read", "handle": "h"}])
}

/// A call of the puppet with a person behind the client.
struct Client {
    server: Server,
    next: u64,
    modern: bool,
    capabilities: Value,
}

impl Client {
    fn new(customs: Customs, revision: &str, capabilities: Value) -> Client {
        let server = Server::speaking(customs, revision, &capabilities);
        Client { server, next: 10_000, modern: revision == MODERN, capabilities }
    }

    fn send(&mut self, mut params: Value) -> u64 {
        if self.modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": self.capabilities,
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            });
        }
        self.next += 1;
        self.server.say(&json!({"jsonrpc": "2.0", "id": self.next, "method": "tools/call", "params": params}));
        self.next
    }

    /// Calls, answers each question with the next of `answers` (none: not at all), and gives the last message and the questions.
    fn call(&mut self, script: &Value, answers: &[Option<Value>]) -> (Value, Vec<Value>) {
        let call = json!({"name": "perform", "arguments": {"script": script.to_string()}});
        let mut answers = answers.iter();
        let mut questions = Vec::new();
        let mut id = self.send(call.clone());
        loop {
            let message = self.server.next(PATIENCE).expect("the server is there");
            if message["method"] == "elicitation/create" {
                assert!(!self.modern, "{message}");
                questions.push(message["params"].clone());
                let answer = answers.next().unwrap_or_else(|| panic!("a question too many: {message}"));
                if let Some(answer) = answer {
                    self.server.say(&json!({"jsonrpc": "2.0", "id": message["id"], "result": answer}));
                }
            } else if message["result"]["resultType"] == "input_required" {
                let (key, question) = message["result"]["inputRequests"].as_object().unwrap().iter().next().unwrap();
                assert_eq!(question["method"], "elicitation/create");
                questions.push(question["params"].clone());
                let answer = answers.next().unwrap_or_else(|| panic!("a question too many: {message}"));
                let Some(answer) = answer else { return (message, questions) };
                let mut again = call.clone();
                again["requestState"] = message["result"]["requestState"].clone();
                again["inputResponses"] = json!({ key: answer });
                id = self.send(again);
            } else if message["id"] == id {
                assert!(answers.next().is_none(), "a question too few: {message}");
                return (message, questions);
            }
        }
    }

    /// The request of a retry, to be changed.
    fn retry(&mut self, call: &Value, state: &Value, answer: &Value) -> Value {
        let mut again = call.clone();
        again["requestState"] = state.clone();
        again["inputResponses"] = json!({"dev.customs/grant": answer});
        let id = self.send(again);
        self.server.answer(id)
    }
}

/// What the script's operations said.
fn said(answer: &Value) -> Vec<String> {
    let text = answer["result"]["structuredContent"]["result"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let outcomes: Vec<Value> = serde_json::from_str(text).unwrap();
    outcomes
        .iter()
        .map(|o| if o["ok"] == true { "ok".to_owned() } else { o["error"].as_str().unwrap().to_owned() })
        .collect()
}

fn got_it(world: &World, answer: &Value) -> bool {
    answer["result"].to_string().contains(&world.outside)
}

/// Nothing that a model reads says what would have to be asked for.
fn no_recipe(world: &World, answer: &Value) {
    let text = answer.to_string();
    for word in ["--allow", "allow-read", "--dir", world.path("work").to_str().unwrap()] {
        assert!(!text.contains(word), "{word} is in {text}");
    }
}

/// Every revision and both ways: the first denial, what the person says, and what comes of it.
fn everywhere(test: impl Fn(&str)) {
    for revision in ["2025-06-18", USUAL, MODERN] {
        test(revision);
    }
}

#[test]
fn a_yes_for_once_makes_the_call_again_and_holds_for_that_call_alone() {
    everywhere(|revision| {
        let world = World::new();
        let mut client = Client::new(puppet(&world, &["--ask"]), revision, forms());
        let script = reading(&world, "{outside}/canary");
        let (answer, questions) = client.call(&script, &[Some(accept("once"))]);
        assert!(got_it(&world, &answer), "{revision}: {answer}");
        assert_eq!(answer["result"]["_meta"]["dev.customs/granted"], "once");
        no_recipe(&world, &answer);
        // The person saw what it was, and the rule.
        let message = questions[0]["message"].as_str().unwrap();
        let path = world.path("outside/canary");
        let path = path.to_str().unwrap();
        for part in
            ["\"perform\"", "\"puppet.wasm\"", "fs.read", &format!("\"{path}\""), &format!("--allow-read={path}")]
        {
            assert!(message.contains(part), "{part} is not in {message}");
        }
        assert_eq!(questions[0]["requestedSchema"]["properties"]["grant"]["default"], "deny");
        // The next call asks again.
        let (answer, questions) = client.call(&script, &[Some(json!({"action": "decline"}))]);
        assert_eq!(
            (said(&answer), questions.len()),
            (vec!["access".to_owned(), "no-handle".to_owned()], 1),
            "{revision}"
        );
        let ended = client.server.finish();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("granted when asked (once)"), "{}", ended.stderr);
        // The widened run has a ledger of its own that says who granted what.
        let noted = |ledger: &Vec<Value>| {
            ledger[0]["grants"]
                .as_array()
                .unwrap()
                .iter()
                .any(|g| g.as_str().unwrap().starts_with("granted by a person when asked (once): --allow-read="))
        };
        let ledgers = ledgers(&world.path("ledgers"));
        let with: Vec<bool> = ledgers.iter().map(noted).collect();
        assert_eq!((with.len(), with.iter().filter(|w| **w).count()), (2, 1));
        let calls =
            |with: bool| ledgers.iter().filter(|l| noted(l) == with).flatten().filter(|r| r["event"] == "call").count();
        assert_eq!((calls(true), calls(false)), (1, 2));
    });
}

#[test]
fn a_no_is_a_no_and_is_not_asked_again() {
    for answer in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        accept("deny"),
        accept("everything"),
        accept("always"), // There is no policy file: it was not offered.
        json!({"action": "accept"}),
        json!({"action": "accept", "content": {}}),
    ] {
        everywhere(|revision| {
            let world = World::new();
            let mut client = Client::new(puppet(&world, &["--ask"]), revision, forms());
            let script = reading(&world, "{outside}/canary");
            let (first, questions) = client.call(&script, &[Some(answer.clone())]);
            assert_eq!((said(&first)[0].as_str(), questions.len()), ("access", 1), "{revision} {answer}: {first}");
            assert!(first["result"]["_meta"].get("dev.customs/granted").is_none());
            no_recipe(&world, &first);
            let (second, questions) = client.call(&script, &[]);
            assert_eq!((said(&second)[0].as_str(), questions.len()), ("access", 0), "{revision} {answer}");
            // Something else is another question.
            let (_, questions) = client.call(&reading(&world, "{work}/f"), &[Some(json!({"action": "decline"}))]);
            assert_eq!(questions.len(), 1, "{revision} {answer}");
            client.server.finish();
        });
    }
}

#[test]
fn a_session_grant_lasts_as_long_as_the_server() {
    everywhere(|revision| {
        let world = World::new();
        let mut client = Client::new(puppet(&world, &["--ask"]), revision, forms());
        let script = reading(&world, "{outside}/canary");
        let (answer, _) = client.call(&script, &[Some(accept("session"))]);
        assert!(got_it(&world, &answer), "{revision}: {answer}");
        let (answer, questions) = client.call(&script, &[]);
        assert!(got_it(&world, &answer) && questions.is_empty(), "{revision}: {answer}");
        // A second grant joins the first.
        let (answer, _) = client.call(&reading(&world, "{work}/f"), &[Some(accept("session"))]);
        assert!(answer.to_string().contains(&world.inside), "{answer}");
        let (answer, _) = client.call(&script, &[]);
        assert!(got_it(&world, &answer), "{answer}");
        client.server.finish();
        ledgers(&world.path("ledgers"));
        let mut another = Client::new(puppet(&world, &["--ask"]), revision, forms());
        let (_, questions) = another.call(&script, &[Some(accept("deny"))]);
        assert_eq!(questions.len(), 1, "another server asks again");
        another.server.finish();
    });
}

#[test]
fn nobody_is_asked_without_the_flag_or_through_a_client_without_forms() {
    for (flags, capabilities) in
        [(&[][..], forms()), (&["--ask"][..], json!({})), (&["--ask"][..], json!({"elicitation": {"url": {}}}))]
    {
        everywhere(|revision| {
            let world = World::new();
            let mut client = Client::new(puppet(&world, flags), revision, capabilities.clone());
            let (answer, questions) = client.call(&reading(&world, "{outside}/canary"), &[]);
            assert_eq!((said(&answer)[0].as_str(), questions.len()), ("access", 0), "{revision} {capabilities}");
            client.server.finish();
        });
    }
}

#[test]
fn a_call_that_reached_out_before_it_was_refused_is_not_made_again() {
    everywhere(|revision| {
        let world = World::new();
        let mut client = Client::new(puppet(&world, &["--ask", "--allow-write={work}::/box"]), revision, forms());
        // Appends: made twice it would be there twice.
        let mut script = json!([
            {"op": "open", "dir": "/box", "path": "log", "write": true, "create": true, "as": "w"},
            {"op": "append-via-stream", "handle": "w", "as": "s"},
            {"op": "stream-blocking-write-and-flush", "handle": "s", "text": "once;"},
        ]);
        script.as_array_mut().unwrap().extend(reading(&world, "{outside}/canary").as_array().unwrap().clone());
        let (answer, questions) = client.call(&script, &[Some(accept("session"))]);
        assert_eq!(world.read("work/log"), b"once;", "{revision}");
        assert_eq!(questions[0]["requestedSchema"]["properties"]["grant"]["enum"], json!(["deny", "session"]));
        assert!(!got_it(&world, &answer), "{answer}");
        assert_eq!(answer["result"]["_meta"]["dev.customs/granted"], "session");
        assert!(answer["result"]["content"].to_string().contains("not made again"), "{answer}");
        no_recipe(&world, &answer);
        let (answer, _) = client.call(&reading(&world, "{outside}/canary"), &[]);
        assert!(got_it(&world, &answer), "the grant holds from the next call: {answer}");
        client.server.finish();
        // The twin that only tried to write is made again.
        let world = World::new();
        let mut client = Client::new(puppet(&world, &["--ask"]), revision, forms());
        let (answer, _) = client.call(&reading(&world, "{outside}/canary"), &[Some(accept("once"))]);
        assert!(got_it(&world, &answer), "{answer}");
        client.server.finish();
    });
}

#[test]
fn a_person_who_does_not_answer_in_time_says_no() {
    let world = World::new();
    let mut client = Client::new(puppet(&world, &["--ask", "--ask-time=1s"]), USUAL, forms());
    let begin = Instant::now();
    let (answer, questions) = client.call(&reading(&world, "{outside}/canary"), &[None]);
    assert_eq!((said(&answer)[0].as_str(), questions.len()), ("access", 1));
    assert!((1..20).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    client.server.finish();

    let mut client = Client::new(puppet(&world, &["--ask", "--ask-time=1s"]), MODERN, forms());
    let script = reading(&world, "{outside}/canary");
    let (question, _) = client.call(&script, &[None]);
    let call = json!({"name": "perform", "arguments": {"script": script.to_string()}});
    std::thread::sleep(Duration::from_millis(1_200));
    let late = client.retry(&call, &question["result"]["requestState"], &accept("once"));
    assert!(late["error"]["message"].as_str().unwrap().contains("expired"), "{late}");
    client.server.finish();
}

#[test]
fn the_end_of_the_client_ends_a_question() {
    let world = World::new();
    let mut client = Client::new(puppet(&world, &["--ask"]), USUAL, forms());
    let script = reading(&world, "{outside}/canary");
    client.send(json!({"name": "perform", "arguments": {"script": script.to_string()}}));
    let question = client.server.next(PATIENCE).unwrap();
    assert_eq!(question["method"], "elicitation/create");
    let ended = client.server.finish();
    assert!(ended.code == Some(0) && ended.took < Duration::from_secs(4), "{:?} {}", ended.took, ended.stderr);
}

#[test]
fn only_the_state_of_this_question_of_this_server_is_an_answer_and_only_once() {
    let world = World::new();
    let mut client = Client::new(puppet(&world, &["--ask"]), MODERN, forms());
    let script = reading(&world, "{outside}/canary");
    let call = json!({"name": "perform", "arguments": {"script": script.to_string()}});
    let (question, _) = client.call(&script, &[None]);
    let state = question["result"]["requestState"].clone();
    let text = state.as_str().unwrap().to_owned();
    let outside = world.path("outside/canary");
    assert!(!question["result"]["requestState"].to_string().contains(outside.to_str().unwrap()));

    let refused = |client: &mut Client, call: &Value, state: Value| {
        let answer = client.retry(call, &state, &accept("session"));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    };
    // Tampered, of another call, foreign.
    for at in [4, text.len() / 2, text.len() - 2] {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        refused(&mut client, &call, json!(String::from_utf8(bytes).unwrap()));
    }
    let other = json!({"name": "perform", "arguments": {"script": reading(&world, "{work}/f").to_string()}});
    refused(&mut client, &other, state.clone());
    refused(&mut client, &json!({"name": "big-list", "arguments": {"n": 1}}), state.clone());
    let mut foreign = Client::new(puppet(&world, &["--ask"]), MODERN, forms());
    let (theirs, _) = foreign.call(&script, &[None]);
    refused(&mut client, &call, theirs["result"]["requestState"].clone());
    foreign.server.finish();
    let mut without = Client::new(puppet(&world, &[]), MODERN, forms());
    refused(&mut without, &call, state.clone());
    without.server.finish();
    // None of that used it up.
    let answer = client.retry(&call, &state, &accept("once"));
    assert!(got_it(&world, &answer), "{answer}");
    refused(&mut client, &call, state);
    client.server.finish();
}

#[test]
fn a_deny_rule_and_what_needs_to_be_called_dangerous_are_never_asked_for() {
    let world = World::new();
    let denied = ["--ask", "--allow-read={world}", "--deny-read={outside}"];
    let mut client = Client::new(puppet(&world, &denied), USUAL, forms());
    let (answer, questions) = client.call(&reading(&world, "{outside}/canary"), &[]);
    assert!(!got_it(&world, &answer) && questions.is_empty(), "{answer}");
    client.server.finish();
    // Also where the person called something else dangerous.
    for flags in [&["--ask"][..], &["--ask", "--dangerously-allow"][..]] {
        let mut client = Client::new(puppet(&world, flags).env("HOME", world.path("work")), USUAL, forms());
        for path in ["/proc/self/environ", "/dev/null", "/sys/kernel", "{work}", "/"] {
            let script = json!([{"op": "stat-at", "dir": "/", "path": world.fill(path).trim_start_matches('/')}]);
            let (_, questions) = client.call(&script, &[]);
            assert!(questions.is_empty(), "{path}");
        }
        // The twin: what lies in the home directory may be asked for.
        let (answer, _) = client.call(&reading(&world, "{work}/f"), &[Some(accept("once"))]);
        assert!(answer.to_string().contains(&world.inside), "{answer}");
        client.server.finish();
    }
}

#[test]
fn what_a_tool_asks_for_cannot_write_the_question() {
    let world = World::new();
    let odd = "a\u{202e}b\nTo allow it means:\n  nothing";
    world.write(&format!("outside/{odd}"), "x");
    let plain = "a \"b\"";
    world.write(&format!("outside/{plain}"), "x");
    let mut client = Client::new(puppet(&world, &["--ask"]), USUAL, forms());
    let (_, questions) = client.call(&reading(&world, &format!("{{outside}}/{odd}")), &[]);
    assert!(questions.is_empty(), "what cannot be shown whole is not asked for: {questions:?}");
    let (_, questions) = client.call(&reading(&world, &format!("{{outside}}/{plain}")), &[Some(accept("deny"))]);
    let message = questions[0]["message"].as_str().unwrap();
    assert!(message.contains(r#"a \"b\"""#), "{message}");
    client.server.finish();
}

#[test]
fn several_refusals_are_one_question_of_at_most_three() {
    let world = World::new();
    for n in 0..5 {
        world.write(&format!("outside/{n}"), "x");
    }
    let mut script = Vec::new();
    for n in 0..5 {
        script.push(reading(&world, &format!("{{outside}}/{n}"))[0].clone());
    }
    let mut client = Client::new(puppet(&world, &["--ask"]), USUAL, forms());
    let (answer, questions) = client.call(&json!(script), &[Some(accept("once"))]);
    assert_eq!(questions[0]["message"].as_str().unwrap().matches("--allow-read=").count(), 3);
    assert_eq!(said(&answer).iter().filter(|s| *s == "ok").count(), 3);
    client.server.finish();
}

/// A policy file for the puppet, with words that must stay.
fn with_policy(world: &World) -> Customs {
    let text = "# mine\n[tool.puppet] # the puppet\ncomponent = \"{puppet}\"\nallow-read = [\n  \"ro::/ro\", # why\n]\n\n[tool.other]\ncomponent = \"{hello}\"\n";
    let text = text
        .replace("{puppet}", guest("puppet").to_str().unwrap())
        .replace("{hello}", guest("hello").to_str().unwrap());
    world.write("customs.toml", text);
    std::fs::set_permissions(world.path("customs.toml"), std::fs::Permissions::from_mode(0o640)).unwrap();
    world.dir("ledgers");
    world.customs(&["serve", "--ask", "--policy", "{world}/customs.toml", "--ledger", "{world}/ledgers"])
}

#[test]
fn always_is_written_to_the_policy_file_and_leaves_the_rest_of_it_alone() {
    everywhere(|revision| {
        let world = World::new();
        let mut client = Client::new(with_policy(&world), revision, forms());
        let before = String::from_utf8(world.read("customs.toml")).unwrap();
        let script = reading(&world, "{outside}/canary");
        let (answer, questions) = client.call(&script, &[Some(accept("always"))]);
        assert!(got_it(&world, &answer), "{revision}: {answer}");
        assert_eq!(
            questions[0]["requestedSchema"]["properties"]["grant"]["enum"],
            json!(["deny", "once", "session", "always"])
        );
        let after = String::from_utf8(world.read("customs.toml")).unwrap();
        let path = world.path("outside/canary");
        let path = path.to_str().unwrap();
        assert_eq!(after, before.replace("# why\n", &format!("# why\n  \"{path}\",\n")));
        let mode = std::fs::metadata(world.path("customs.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let left: Vec<_> = std::fs::read_dir(world.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".customs")), "{left:?}");
        // It holds now, and for the next server, which asks nothing.
        let (answer, _) = client.call(&script, &[]);
        assert!(got_it(&world, &answer), "{answer}");
        let ended = client.server.finish();
        assert!(!ended.stderr.contains("policy   changed"), "what we wrote ourselves is no change: {}", ended.stderr);
        let mut next =
            Client::new(world.customs(&["serve", "--ask", "--policy", "{world}/customs.toml"]), revision, forms());
        let (answer, _) = next.call(&script, &[]);
        assert!(got_it(&world, &answer), "{answer}");
        next.server.finish();
    });
}

#[test]
fn always_is_offered_only_where_the_file_is_the_persons_to_write() {
    let world = World::new();
    let customs = with_policy(&world);
    std::fs::set_permissions(world.path("customs.toml"), std::fs::Permissions::from_mode(0o440)).unwrap();
    // Root may write everything, so the file cannot be kept from it.
    if std::fs::OpenOptions::new().append(true).open(world.path("customs.toml")).is_ok() {
        return;
    }
    let mut client = Client::new(customs, USUAL, forms());
    let (_, questions) = client.call(&reading(&world, "{outside}/canary"), &[Some(accept("deny"))]);
    assert_eq!(questions[0]["requestedSchema"]["properties"]["grant"]["enum"], json!(["deny", "once", "session"]));
    client.server.finish();
}

#[test]
fn a_policy_file_that_changed_while_a_person_was_asked_is_not_written_and_nothing_is_carried_over() {
    let world = World::new();
    let mut client = Client::new(with_policy(&world), MODERN, forms());
    let script = reading(&world, "{outside}/canary");
    let call = json!({"name": "perform", "arguments": {"script": script.to_string()}});
    let (question, _) = client.call(&script, &[None]);
    let mut text = String::from_utf8(world.read("customs.toml")).unwrap();
    text.push_str("# changed\n");
    world.write("customs.toml", &text);
    let answer = client.retry(&call, &question["result"]["requestState"], &accept("always"));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert_eq!(String::from_utf8(world.read("customs.toml")).unwrap(), text);
    client.server.finish();
}

#[test]
fn another_policy_drops_what_was_granted_for_the_session() {
    everywhere(|revision| {
        let world = World::new();
        let mut client = Client::new(with_policy(&world), revision, forms());
        let script = reading(&world, "{outside}/canary");
        let (answer, _) = client.call(&script, &[Some(accept("session"))]);
        assert!(got_it(&world, &answer), "{revision}: {answer}");
        let mut text = String::from_utf8(world.read("customs.toml")).unwrap();
        text.push_str("# changed\n");
        world.write("customs.toml", &text);
        let (answer, questions) = client.call(&script, &[Some(accept("deny"))]);
        assert!(!got_it(&world, &answer) && questions.len() == 1, "{revision}: {answer}");
        client.server.finish();
        ledgers(&world.path("ledgers"));
    });
}

#[test]
fn leave_to_write_is_asked_for_by_the_place_that_is_granted_already() {
    everywhere(|revision| {
        let world = World::new();
        // The file is beside what it grants, the program somewhere else: "work" is not what it is from there.
        world.dir("elsewhere/work");
        let text =
            format!("[tool.puppet]\ncomponent = \"{}\"\nallow-read = [\"work::/box\"]\n", guest("puppet").display());
        world.write("customs.toml", text);
        let customs =
            world.customs(&["serve", "--ask", "--policy", "{world}/customs.toml"]).cwd(&world.path("elsewhere"));
        let mut client = Client::new(customs, revision, forms());
        let script = json!([{"op": "open", "dir": "/box", "path": "new", "write": true, "create": true}]);
        let (_, questions) = client.call(&script, &[Some(accept("session"))]);
        let rule = world.fill("--allow-write={work}::/box");
        assert!(questions[0]["message"].as_str().unwrap().contains(&rule), "{}", questions[0]);
        assert!(world.exists("work/new") && !world.exists("elsewhere/work/new"), "{revision}");
        client.server.finish();
    });
}

#[test]
fn a_request_that_was_refused_is_sent_once_and_one_that_was_sent_is_not_sent_again() {
    everywhere(|revision| {
        let world = World::new();
        let (asked, known) = (Network::http(), Network::http());
        let get = |server: &Network| json!({"op": "http", "url": format!("{}/x", server.origin())});
        let mut client = Client::new(puppet(&world, &["--ask"]), revision, forms());
        let (answer, questions) = client.call(&json!([get(&asked)]), &[Some(accept("once"))]);
        let rule = format!("--allow-net={}", asked.origin());
        assert!(questions[0]["message"].as_str().unwrap().contains(&rule), "{}", questions[0]);
        assert_eq!(said(&answer), ["ok"], "{revision}");
        assert!(!answer.to_string().contains("--allow"));
        asked.heard_once();
        let (_, questions) = client.call(&json!([get(&asked)]), &[Some(accept("deny"))]);
        assert_eq!(questions.len(), 1);
        asked.heard_once();
        client.server.finish();

        let other = Network::http();
        let allowed = format!("--allow-net={}", known.origin());
        let mut client = Client::new(puppet(&world, &["--ask", &allowed]), revision, forms());
        let (answer, questions) = client.call(&json!([get(&known), get(&other)]), &[Some(accept("session"))]);
        assert_eq!(questions[0]["requestedSchema"]["properties"]["grant"]["enum"], json!(["deny", "session"]));
        assert_eq!(said(&answer)[0], "ok", "{revision}");
        known.heard_once();
        other.untouched();
        client.server.finish();
    });
}
