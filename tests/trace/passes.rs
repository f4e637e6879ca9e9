//! More sources than labels: the run says so, and its replay makes several passes and tells them apart.

use super::traced;
use crate::support::{Run, World, guest};
use serde_json::{Value, json};

/// A recorded run that reads so many files and says what is in them, and its traced replay.
fn replayed(many: usize) -> (Run, Run) {
    let world = World::new();
    let mut script = Vec::new();
    for at in 0..many {
        world.write(&format!("box/{at:02}"), format!("[content of file {at:02}]"));
        script.push(json!({"op": "open", "dir": "/box", "path": format!("{at:02}"), "as": "f"}));
        script.push(json!({"op": "read", "handle": "f"}));
    }
    let script = json!({"script": Value::Array(script).to_string()});
    let flags = ["--allow-read=./box::/box", "--trace", "--record", "run.rec"];
    let run = world.run(&guest("puppet"), "perform", &script, &flags).unchecked().run();
    assert_eq!(run.code, 0, "{run}");
    let replay = world.customs(&["replay", "run.rec", "--trace", "-o", "json"]).unchecked().run();
    assert_eq!((replay.code, &replay.json["replay"]["identical"]), (0, &json!(true)), "{replay}");
    assert_eq!(replay.json["result"], run.json["result"], "{replay}");
    (run, replay)
}

/// The files that are traced to the bytes of the answer where their content stands, by their numbers.
fn at(run: &Run, file: usize) -> Vec<String> {
    let text = run.json["result"]["structuredContent"]["result"].as_str().unwrap();
    let from = text.find(&format!("[content of file {file:02}]")).unwrap();
    let range = format!("return /result {from}-{} ", from + 20);
    let line = traced(run).into_iter().find_map(|line| line.strip_prefix(&range).map(str::to_owned));
    let line = line.unwrap_or_else(|| panic!("{range}: {:?}", traced(run)));
    line.split(", ").filter_map(|source| source.strip_prefix("strong file /box/")).map(str::to_owned).collect()
}

#[test]
fn sources_that_share_a_label_in_the_run_are_told_apart_by_passes_over_its_recording() {
    let (run, replay) = replayed(6);
    for file in 0..6 {
        assert_eq!(at(&replay, file), [format!("{file:02}")], "{replay}");
        let in_run = if file < 3 { vec![format!("{file:02}")] } else { vec!["03".into(), "04".into(), "05".into()] };
        assert_eq!(at(&run, file), in_run, "{run}");
    }
    assert_eq!(
        (&replay.json["replay"]["passes"], &replay.json["replay"]["sharing"]),
        (&json!(2), &json!(0)),
        "{replay}"
    );
    assert!(run.stderr.contains("more sources than labels"), "{run}");
    let shared = |run: &Run| {
        let ranges = run.json["traced"].as_array().unwrap().iter().flat_map(|sink| sink["ranges"].as_array().unwrap());
        ranges.filter(|range| range["shared"] == true).count()
    };
    assert!(shared(&run) > 0 && shared(&replay) == 0, "{replay}");
    let unsure = |run: &Run| {
        let found = run.json["findings"].as_array().unwrap().iter().filter(|f| f["method"] == "trace");
        found.filter(|f| f["note"].as_str().is_some_and(|note| note.contains("shares"))).count()
    };
    assert_eq!((unsure(&run), unsure(&replay)), (3, 0), "{replay}");
}

#[test]
fn three_files_need_one_pass_and_the_second_is_for_what_the_caller_said() {
    let (_, replay) = replayed(3);
    assert_eq!(replay.json["replay"]["passes"], 2, "{replay}");
    let words = traced(&replay).into_iter().filter(|line| line.contains("strong argument /script")).count();
    assert!(words > 0, "{replay}");
}

#[test]
fn past_the_most_that_are_told_apart_sources_share_and_the_replay_says_how_many() {
    let (_, replay) = replayed(66);
    assert_eq!(at(&replay, 63), ["63"], "{replay}");
    assert_eq!(at(&replay, 65), ["64", "65"], "{replay}");
    // Three in the first pass, four in each of sixteen others but the last, and one for the rest: two files and the script.
    assert_eq!(
        (&replay.json["replay"]["passes"], &replay.json["replay"]["sharing"]),
        (&json!(18), &json!(3)),
        "{replay}"
    );
    assert!(replay.stderr.contains("3 sources share a label"), "{replay}");
}
