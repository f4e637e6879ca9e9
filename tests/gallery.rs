//! The gallery: five tools that people would really use, each under the policy that comes with it. A tool is copied beside its `customs.toml`, as a
//! person would do it, and then run and served from there.

mod gitlog;
mod imageinfo;
mod notes;
mod query;
mod readable;

use crate::support::mcp::Server;
use crate::support::{Run, World, checkout, guest, shared_cache};
use serde_json::{Value, json};

/// The tools, where their sources are, and what the policy of each grants.
const TOOLS: [(&str, &str, &[&str]); 5] = [
    ("notes", "rust/notes", &["allow-write"]),
    ("query", "rust/query", &["allow-read"]),
    ("readable", "rust/readable", &["allow-http"]),
    ("gitlog", "python/gitlog", &["allow-read", "deny-read"]),
    ("imageinfo", "js/imageinfo", &["allow-read"]),
];

/// A tool of the gallery beside its policy.
struct Shown {
    world: World,
    name: &'static str,
}

impl Shown {
    /// None where this machine could not build it, which `make guests` says too.
    #[allow(clippy::print_stderr, reason = "who reads the output of the tests should know what was not tested")]
    fn of(name: &'static str) -> Option<Shown> {
        let needs = match name {
            "gitlog" => Some("python3"),
            "imageinfo" => Some("npm"),
            _ => None,
        };
        let there = checkout().join(format!("guests/dist/{name}.wasm")).is_file();
        if let Some(needs) = needs.filter(|_| !there) {
            let path = std::env::var_os("PATH").unwrap();
            let installed = std::env::split_paths(&path).any(|dir| dir.join(needs).is_file());
            assert!(!installed, "{name} was not built though {needs} is here: run make guests");
            eprintln!("skipped: {name} was not built here, as there is no {needs}");
            return None;
        }
        let world = World::new();
        let source = TOOLS.iter().find(|(own, ..)| *own == name).unwrap().1;
        world.link(&format!("{name}.wasm"), guest(name).to_str().unwrap());
        let policy = std::fs::read(checkout().join("guests").join(source).join("customs.toml")).unwrap();
        world.write("customs.toml", policy);
        if needs.is_some() {
            // Compiled once, not by several tests at the same time: an engine takes long, and compiling has a deadline.
            let turn = std::fs::File::create(shared_cache().with_file_name("gallery.lock")).unwrap();
            turn.lock().unwrap();
            world.customs(&["inspect", &format!("{name}.wasm")]).run().exits(0);
        }
        Some(Shown { world, name })
    }

    /// Puts something else into the policy, which has to be there.
    fn change_policy(&self, from: &str, to: &str) {
        let policy = String::from_utf8(self.world.read("customs.toml")).unwrap();
        assert!(policy.contains(from), "{policy}");
        self.world.write("customs.toml", policy.replace(from, to));
    }

    fn run(&self, tool: &str, arguments: &Value) -> Run {
        let component = self.world.path("").join(format!("{}.wasm", self.name));
        let policy = format!("--policy={}", self.world.path("customs.toml").display());
        self.world.run(&component, tool, arguments, &[&policy]).run()
    }

    /// What an honest call answers. Nothing was denied.
    fn answer(&self, tool: &str, arguments: &Value) -> Value {
        let run = self.run(tool, arguments);
        run.exits(0).denied(&[]);
        run.json["result"]["structuredContent"].clone()
    }

    /// The error of a call that is one, as case and payload.
    fn error(&self, tool: &str, arguments: &Value) -> (String, String) {
        let run = self.run(tool, arguments);
        run.exits(1);
        case(&run.json["result"]["structuredContent"])
    }

    /// What is outside of the grants: a typed error, told to the person with the grant that would help and to nobody else.
    fn refuses(&self, tool: &str, arguments: &Value, denials: &[&str]) {
        let run = self.run(tool, arguments);
        run.exits(1).denied(denials);
        assert_eq!(case(&run.json["result"]["structuredContent"]).0, "not-permitted", "{run}");
        assert!(run.stderr.contains("allow it with --allow-"), "the smallest grant is told: {run}");
        assert!(!run.stdout.contains("--allow-"), "and not to the caller: {run}");
    }

    fn serve(&self) -> Server {
        Server::start(self.world.customs(&["serve", "--policy", "{world}/customs.toml"]))
    }

    /// A client lists these tools with words and schemas, gets the answer that a run gave, and of a refusal the code alone.
    fn is_served(&self, tools: &[&str], call: (&str, &Value, &Value), refused: (&str, &Value)) -> Server {
        let mut server = self.serve();
        let listed = server.ask("tools/list", json!({}))["result"]["tools"].clone();
        let names: Vec<&str> = listed.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(names, tools);
        for tool in listed.as_array().unwrap() {
            assert!(tool["description"].as_str().is_some_and(|words| words.len() > 20), "{tool}");
            assert_eq!(
                (&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]),
                (&json!("object"), &json!("object"))
            );
        }
        let (tool, arguments, answer) = call;
        let result = server.result(tool, arguments.clone());
        assert_eq!((&result["isError"], &result["structuredContent"]), (&json!(false), answer), "{result}");
        let result = server.result(refused.0, refused.1.clone());
        assert_eq!(
            (&result["isError"], &result["_meta"]["dev.customs/denials"][0]["code"]),
            (&json!(true), &json!("no-grant")),
            "{result}"
        );
        assert_eq!(case(&result["structuredContent"]).0, "not-permitted", "{result}");
        assert!(!result.to_string().contains("allow"), "a model is not told which grant would help: {result}");
        server
    }
}

/// The case of a typed error, and its payload as text.
fn case(content: &Value) -> (String, String) {
    let error = content["error"].as_object().unwrap_or_else(|| panic!("no error of the WIT: {content}"));
    let (case, payload) = error.iter().next().unwrap();
    (case.clone(), payload.as_str().map_or_else(|| payload.to_string(), str::to_owned))
}

/// Hostile files, one call after the other in one server: each is an answer or an error of these cases, and no call is stopped.
fn survives(server: &mut Server, tool: &str, calls: impl Iterator<Item = (String, Value)>, cases: &[&str]) -> usize {
    let mut errors = 0;
    for (what, arguments) in calls {
        let result = server.result(tool, arguments);
        let content = &result["structuredContent"];
        if result["isError"] == true {
            assert!(content["error"].is_object(), "{what}: the call was stopped: {result}");
            let (case, words) = case(content);
            assert!(cases.contains(&case.as_str()), "{what}: {case} {words}");
            errors += 1;
        }
    }
    errors
}

#[test]
fn every_tool_of_the_gallery_is_in_the_guide_with_words_and_least_grants() {
    let guide = std::fs::read_to_string(checkout().join("docs/gallery.md")).unwrap();
    for (name, source, grants) in TOOLS {
        let policy = std::fs::read_to_string(checkout().join("guests").join(source).join("customs.toml")).unwrap();
        let lines = policy.lines().filter_map(|line| line.split_once(" = ").map(|(key, _)| key));
        let granted: Vec<&str> = lines.filter(|key| key.contains('-') && !key.starts_with("max-")).collect();
        assert_eq!(granted, grants, "{name}");
        assert!(guide.contains(&format!("\n## {name}\n")) && guide.contains(&format!("guests/{source}")), "{name}");
        let Some(shown) = Shown::of(name) else { continue };
        let inspected = shown.world.customs(&["inspect", &format!("{name}.wasm"), "-o", "json"]).run();
        for tool in inspected.exits(0).json["tools"].as_array().unwrap() {
            assert!(tool["description"].is_string(), "{name}: {tool}");
            let function = tool["name"].as_str().unwrap();
            assert!(guide.contains(&format!("`{function}`")), "the guide tells of {name} {function}");
        }
    }
}
