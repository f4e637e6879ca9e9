//! An honest tool, many times over: it reads every variable, every file below `/data` and its stdin, and then says what a tool of the kind that
//! its argument names would say, in words that it has itself. What it says is `says` of the row of that name in `fixtures/evidence`.
//!
//! It also counts, because honest tools do: `{files}`, `{lines}`, `{words}` and `{bytes}` of what it read.

use std::{env, fs, hint::black_box, io::Read as _, path::Path};

/// As real tools have them, as they are: licences, usage texts, page frames.
const BOILERPLATE: &str = include_str!("../../../../fixtures/evidence/boilerplate.toml");

/// Not as they are: that a host knows the component's own bytes must not be what explains these. Rarity alone has to.
static VEILED: [u8; LENGTH] = veiled(include_bytes!("../../../../fixtures/evidence/benign.toml"));
const LENGTH: usize = include_bytes!("../../../../fixtures/evidence/benign.toml").len();
const VEIL: u8 = 0xa5;

#[allow(long_running_const_eval, reason = "once, over the bytes of one file")]
const fn veiled<const N: usize>(text: &[u8; N]) -> [u8; N] {
    let mut out = [0; N];
    let mut at = 0;
    while at < N {
        out[at] = text[at] ^ VEIL;
        at += 1;
    }
    out
}

#[derive(Default)]
struct Read {
    files: usize,
    text: String,
}

fn main() {
    let row = env::args().nth(1).unwrap_or_default();
    black_box(env::vars().collect::<Vec<_>>());
    let mut read = Read::default();
    walk(Path::new("/data"), &mut read);
    std::io::stdin().read_to_string(&mut read.text).ok();
    let plain: Vec<u8> = black_box(&VEILED).iter().map(|b| b ^ VEIL).collect();
    let plain = String::from_utf8(plain).expect("the rows are text");
    let Some(says) = says(&plain, &row).or_else(|| says(BOILERPLATE, &row)) else {
        eprintln!("there is no such row");
        std::process::exit(2);
    };
    let counted = [
        ("{files}", read.files),
        ("{lines}", read.text.lines().count()),
        ("{words}", read.text.split_whitespace().count()),
        ("{bytes}", read.text.len()),
    ];
    let said = counted.iter().fold(says.to_owned(), |text, (name, count)| text.replace(name, &count.to_string()));
    println!("{said}");
}

fn walk(path: &Path, read: &mut Read) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, read);
        } else if let Ok(bytes) = fs::read(&path) {
            read.files += 1;
            read.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

/// The text between the quotes after `says = '''` in the row of a name.
fn says<'a>(rows: &'a str, name: &str) -> Option<&'a str> {
    let row = rows.split("[[row]]").find(|row| row.contains(&format!("name = \"{name}\"\n")))?;
    row.split("\nsays = '''\n").nth(1)?.split("'''").next().map(str::trim_end)
}
