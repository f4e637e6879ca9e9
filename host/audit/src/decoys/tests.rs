use super::*;
use std::collections::{HashMap, HashSet};

/// A generator for tests: not the quality of a real one, and good enough to be told apart.
fn decoys(seed: u64) -> Decoys {
    let mut state = seed;
    Decoys::make(&mut |bytes: &mut [u8]| {
        for byte in bytes {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = u8::try_from((mixed ^ (mixed >> 31)) >> 56).unwrap_or(0);
        }
    })
}

/// Name and secret part of everything.
fn secrets(decoys: &Decoys) -> Vec<(String, Vec<u8>)> {
    let files = decoys.files.iter().flat_map(|f| f.secret_parts().map(|part| (f.path.clone(), part.to_vec())));
    let variables =
        decoys.variables.iter().flat_map(|v| v.secret_parts().map(|part| (v.name.to_owned(), part.to_vec())));
    files.chain(variables).collect()
}

#[test]
fn decoys_are_of_many_kinds_and_their_names_are_the_same_in_every_run() {
    let (a, b) = (decoys(1), decoys(2));
    let kinds: HashSet<&str> = a.files.iter().map(|file| file.kind).collect();
    assert!(kinds.len() >= 20, "{}", kinds.len());
    let kinds: HashSet<&str> = a.variables.iter().filter(|v| !v.secrets.is_empty()).map(|v| v.kind).collect();
    assert!(kinds.len() >= 20, "{}", kinds.len());
    let names = |d: &Decoys| -> Vec<String> {
        d.files.iter().map(|f| f.path.clone()).chain(d.variables.iter().map(|v| v.name.to_owned())).collect()
    };
    assert_eq!(names(&a), names(&b));
    assert_eq!(names(&a).iter().collect::<HashSet<_>>().len(), names(&a).len(), "no name twice");
}

#[test]
fn decoys_share_no_eight_bytes_with_another_or_another_run() {
    let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
    for seed in 0..12 {
        for (name, part) in secrets(&decoys(seed)) {
            let name = format!("{seed} {name}");
            assert!(part.len() >= 8, "{name} has a part of {} bytes", part.len());
            let windows: HashSet<Vec<u8>> = part.windows(8).map(<[u8]>::to_vec).collect();
            assert_eq!(windows.len(), part.len() - 7, "{name} repeats itself");
            for window in windows {
                if let Some(other) = seen.insert(window.clone(), name.clone()) {
                    panic!("{name} and {other} share {:?}", String::from_utf8_lossy(&window));
                }
            }
        }
    }
}

#[test]
fn decoys_secret_parts_stand_nowhere_else_in_what_is_laid_out() {
    let decoys = decoys(3);
    let mut all: Vec<u8> = Vec::new();
    for file in &decoys.files {
        all.extend_from_slice(&file.content);
        all.push(0);
    }
    for variable in &decoys.variables {
        all.extend_from_slice(variable.value.as_bytes());
        all.push(0);
    }
    let mut counts: HashMap<&[u8], u32> = HashMap::new();
    for window in all.windows(8) {
        *counts.entry(window).or_default() += 1;
    }
    for (name, part) in secrets(&decoys) {
        for window in part.windows(8) {
            assert_eq!(counts.get(window), Some(&1), "{name} {:?}", String::from_utf8_lossy(window));
        }
    }
}

#[test]
fn decoys_have_high_entropy_where_they_are_secret() {
    for (name, part) in secrets(&decoys(4)) {
        let different: HashSet<&u8> = part.iter().collect();
        // Sixteen digits are all that hexadecimal has.
        let least = part.len().min(16) / 2;
        assert!(different.len() >= least, "{name}: {} of {}", different.len(), part.len());
    }
}

#[test]
fn decoys_do_not_look_like_decoys() {
    let decoys = decoys(5);
    let mut texts: Vec<String> =
        decoys.files.iter().map(|f| String::from_utf8_lossy(&f.content).to_lowercase()).collect();
    texts.extend(decoys.files.iter().map(|f| f.path.to_lowercase()));
    texts.extend(decoys.variables.iter().map(|v| format!("{}={}", v.name, v.value).to_lowercase()));
    for text in texts {
        for word in
            ["decoy", "canary", "example", "honey", "fake", "dummy", "customs", "sample", "changeme", "todo", "xxxx"]
        {
            assert!(!text.contains(word), "{word} in {}", &text[..text.len().min(60)]);
        }
    }
}

#[test]
fn decoys_are_not_in_debug_lines() {
    let decoys = decoys(6);
    let text = format!("{decoys:?}");
    for (name, part) in secrets(&decoys) {
        let part = String::from_utf8_lossy(&part).into_owned();
        assert!(!text.contains(&part), "{name}");
    }
}

#[test]
fn decoys_have_the_checksums_of_their_formats() {
    let decoys = decoys(7);
    let value = |name: &str| decoys.variables.iter().find(|v| v.name == name).expect("there is one").value.clone();
    for (name, prefix) in [("GITHUB_TOKEN", "ghp_"), ("GH_TOKEN", "gho_"), ("NPM_TOKEN", "npm_")] {
        let token = value(name);
        let (body, sum) = token.strip_prefix(prefix).expect("its prefix").split_at(30);
        assert_eq!(sum, format!("{:0>6}", words::base62(words::crc32(body.as_bytes()))), "{name}");
    }
    for (name, length) in [
        ("AWS_ACCESS_KEY_ID", 20),
        ("AWS_SECRET_ACCESS_KEY", 40),
        ("ANTHROPIC_API_KEY", 108),
        ("GOOGLE_API_KEY", 39),
        ("STRIPE_SECRET_KEY", 107),
        ("GITLAB_TOKEN", 26),
        ("HF_TOKEN", 37),
        ("SENDGRID_API_KEY", 69),
        ("OPENAI_API_KEY", 164),
    ] {
        assert_eq!(value(name).len(), length, "{name}");
    }
}

#[test]
fn decoys_of_json_are_json_and_their_secret_parts_are_inside() {
    let decoys = decoys(8);
    let mut read = 0;
    for file in &decoys.files {
        let json = file.path.ends_with(".json") || file.path.contains("keystore") || file.path.contains("electrum");
        if json {
            serde_json::from_slice::<serde_json::Value>(&file.content).unwrap_or_else(|e| panic!("{} {e}", file.path));
            read += 1;
        }
        for range in &file.secrets {
            assert!(range.end <= file.content.len(), "{}", file.path);
        }
    }
    assert!(read >= 8, "{read}");
}

#[test]
fn decoys_secret_parts_are_not_what_every_such_file_begins_with() {
    let (a, b) = (decoys(9), decoys(10));
    for (x, y) in a.files.iter().zip(&b.files) {
        // The first eight bytes of the first secret part differ: a known head would make two runs alike.
        let head = |file: &DecoyFile| file.secret_parts().next().map(|part| part[..8].to_vec());
        assert!(head(x).is_none() || head(x) != head(y), "{}", x.path);
    }
}

#[test]
fn decoys_of_a_broken_generator_end() {
    for constant in [0_u8, 255] {
        let decoys = Decoys::make(&mut |bytes: &mut [u8]| bytes.fill(constant));
        assert!(!decoys.files.is_empty());
    }
}
