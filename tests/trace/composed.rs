//! A composition: one component asks another, and each reads files. What crosses between them keeps its labels.

use super::found;
use crate::support::{Run, World, guest};

const SECRET: &str = "k7Qz2mXpLw93vRt5";

fn call(tool: &str, arguments: &[&str]) -> Run {
    let world = World::new();
    world.write("box/secret.txt", SECRET);
    world.write("box/own.txt", "a line of its own\nand another");
    let component = guest("composed");
    let mut all = vec!["run", component.to_str().unwrap(), tool, "-o", "json", "--trace", "--allow-read=./box::/box"];
    for argument in arguments {
        all.extend(["--arg", *argument]);
    }
    world.customs(&all).unchecked().run()
}

fn traced(run: &Run) -> Vec<String> {
    found(run).into_iter().filter(|line| line.starts_with("trace")).collect()
}

#[test]
fn what_two_components_read_is_told_apart_in_what_one_of_them_says() {
    let run = call("pass", &["transform=split", "source=file:/box/secret.txt", "file=/box/own.txt"]);
    run.exits(0);
    let text = run.json["result"]["structuredContent"]["result"].as_str().unwrap();
    assert_eq!(text, "HEAD:Lw93vRt5--k7Qz2mXp / a line of its own", "{run}");
    let own = "trace strong file /box/own.txt -> return /result [[26,43]]";
    let other = "trace strong file /box/secret.txt -> return /result [[5,13],[15,23]]";
    let found = traced(&run);
    assert!(found.contains(&own.to_owned()) && found.contains(&other.to_owned()), "{found:?}\n{run}");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn bytes_in_lists_keep_their_labels_from_one_component_to_the_next() {
    let run = call("pieces", &["transform=xor", "source=file:/box/secret.txt"]);
    assert_eq!(traced(run.exits(0)), ["trace strong file /box/secret.txt -> return /result/1 [[0,24]]"], "{run}");
}

#[test]
fn what_one_component_gives_another_is_followed_there_and_back() {
    let through = |transform: &str| call("through", &[&format!("transform={transform}"), "file=/box/secret.txt"]);
    let run = through("caesar");
    assert_eq!(traced(run.exits(0)), ["trace strong file /box/secret.txt -> return /result [[8,24]]"], "{run}");
    let run = through("error");
    let error = "trace strong file /box/secret.txt -> error /error [[25,41]]".to_owned();
    assert!(traced(&run).contains(&error), "{:?}\n{run}", traced(&run));
    let run = through("untouched");
    assert_eq!(traced(run.exits(0)), Vec::<String>::new(), "{run}");
}

#[test]
fn branches_are_not_followed_through_a_composition_and_that_is_said() {
    let world = World::new();
    let component = guest("composed");
    let run = |trace: &str| {
        let all = ["run", component.to_str().unwrap(), "pieces", "--arg=transform=plain", "--arg=source=x", trace];
        world.customs(&all).unchecked().run()
    };
    let refused = run("--trace=branches");
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("branches are followed in one component"), "{refused}");
    assert_eq!(run("--trace=data").code, 0);
}
