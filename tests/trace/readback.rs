//! What the guest wrote in this call and reads again: it is what it was when it was written, byte by byte, and not a new source.

use super::{SECRET, traced};
use crate::support::{Run, World, guest};
use serde_json::json;

/// Writes the secret, or a word of the caller's, into a file that has ten digits, and reads it again.
fn keep(what: &str, how: &str) -> (World, Run) {
    let world = World::new();
    world.write("box/file", "0123456789");
    let variable = format!("KEY={SECRET}");
    let arguments = json!({"what": what, "path": "/box/file", "how": how});
    let flags = ["--trace", "--env", &variable, "--allow-write=./box::/box"];
    let run = world.run(&guest("courier"), "keep", &arguments, &flags).unchecked().run();
    assert_eq!(run.code, 0, "{run}");
    (world, run)
}

fn returned(run: &Run) -> Vec<String> {
    traced(run).into_iter().filter_map(|line| line.strip_prefix("return /result ").map(str::to_owned)).collect()
}

#[test]
fn what_was_written_and_is_read_again_has_the_labels_that_it_was_written_with() {
    let own = |range: &str| format!("{range} strong file /box/file");
    let key = |range: &str| format!("{range} strong env KEY");
    for (how, text, labels, clean) in [
        ("inside", format!("0123{SECRET}"), vec![own("0-4"), key("4-20")], vec![own("0-4")]),
        ("stream", format!("01..{SECRET}"), vec![own("0-2"), key("4-20")], vec![own("0-2")]),
        ("append", format!("0123456789{SECRET}!"), vec![own("0-10"), key("10-26")], vec![own("0-10")]),
        ("over", format!("----{}", &SECRET[4..]), vec![key("4-16")], vec![]),
        ("cut", format!("{}then", &SECRET[..4]), vec![key("0-4")], vec![]),
        ("empty", "nothing of it".to_owned(), vec![], vec![]),
        ("rename", SECRET.to_owned(), vec![key("0-16")], vec![]),
        ("part", SECRET[2..6].to_owned(), vec![key("0-4")], vec![]),
    ] {
        let (_world, run) = keep("env:KEY", how);
        assert_eq!(run.json["result"]["structuredContent"]["result"], text, "{how}: {run}");
        assert_eq!(returned(&run), labels, "{how}: {run}");
        let (_world, run) = keep("k7Qz2mXpLw93vRt6", how);
        assert_eq!(returned(&run), clean, "{how}: {run}");
    }
}

/// The name of what is made is what the path ended in: its bytes in it, not where they stood in the path.
#[test]
fn names_of_files_folders_and_links_are_labelled_where_the_value_stands_in_them() {
    for (how, sink) in [
        ("file", "file /box/of-[env:KEY].txt#name 3-19 strong env KEY"),
        ("folder", "file /box/of-[env:KEY].txt#name 3-19 strong env KEY"),
        ("link", "file /box/link#target 3-19 strong env KEY"),
    ] {
        let variable = format!("KEY={SECRET}");
        let name = |what: &str| {
            let world = World::new();
            world.dir("box");
            let arguments = json!({"what": what, "path": "/box", "how": how});
            let flags = ["--trace", "--env", &variable, "--allow-write=./box::/box"];
            let run = world.run(&guest("courier"), "name", &arguments, &flags).unchecked().run();
            assert_eq!(run.code, 0, "{run}");
            run
        };
        assert_eq!(traced(&name("env:KEY")), [sink], "{how}");
        assert_eq!(traced(&name("k7Qz2mXpLw93vRt6")), Vec::<String>::new(), "{how}");
    }
}
