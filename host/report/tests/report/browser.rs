//! The page in a real browser: what it makes of the page is what was written, it runs and loads nothing, and it honours the page's policy.
//!
//! The browser is `CUSTOMS_BROWSER`, or a Chromium on the `PATH`. Where there is none these tests say so and check nothing.

use crate::inert::{EVIL, hostile};
use crate::support::page::{Element, elements, parsed_by_browser};
use crate::support::{call, denied, end, fixture, ledger, open, sink, small, source, story};
use crate::traced::drawn_as;
use customs_report::{html, html_of_run};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NAMES: [&str; 5] = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"];

struct Browser {
    program: PathBuf,
    dir: PathBuf,
}

/// None, and a word about it, where there is no browser.
fn browser(test: &str) -> Option<Browser> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = || {
        let all = std::env::split_paths(&path).collect::<Vec<_>>();
        NAMES.iter().flat_map(|name| all.iter().map(move |dir| dir.join(name))).find(|file| file.is_file())
    };
    let program =
        std::env::var_os("CUSTOMS_BROWSER").filter(|name| !name.is_empty()).map(PathBuf::from).or_else(on_path);
    if program.is_none() {
        eprintln!("{test}: skipped: no browser");
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    program.map(|program| Browser { program, dir })
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _left_over = std::fs::remove_dir_all(&self.dir);
    }
}

impl Browser {
    /// Runs it on one page. It may run as root in a container, where its own sandbox does not start; the pages are ours.
    fn run(&self, page: &str, flags: &[&str]) -> String {
        let file = self.dir.join("page.html");
        std::fs::write(&file, page).unwrap();
        let (out, log) = (self.dir.join("out"), self.dir.join("log"));
        let mut child = Command::new(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,1400"])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-proxy-server",
            ])
            .arg(format!("--user-data-dir={}", self.dir.join("profile").display()))
            .args(flags)
            .arg(format!("file://{}", file.display()))
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > Duration::from_secs(90) {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("the browser did not end: {}", std::fs::read_to_string(&log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{}", String::from_utf8_lossy(&std::fs::read(&log).unwrap()));
        String::from_utf8(std::fs::read(&out).unwrap()).unwrap()
    }

    fn dom(&self, page: &str) -> String {
        self.run(page, &["--dump-dom"])
    }

    fn picture(&self, page: &str) -> Vec<u8> {
        let file = self.dir.join("page.png");
        self.run(page, &[&format!("--screenshot={}", file.display())]);
        std::fs::read(&file).unwrap()
    }
}

/// One line for each element. Blanks between elements are the parser's.
fn shape(elements: &[Element]) -> Vec<String> {
    let line = |text: &str| text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    elements.iter().map(|e| format!("{} {:?} {}", e.tag, e.attributes, line(&e.text))).collect()
}

fn hostile_pages() -> Vec<String> {
    let mut odd = vec![open(), call(1, "\u{5d0}\u{5d1}/\u{645}"), denied(1, "dns.lookup", "\u{430}pi.example.com")];
    // What parsers have their own rules for: the first line end of a block, entities without an end, tables, foreign elements, frames.
    let pieces = [
        "\n\nx",
        "&ltscript&gt",
        "&#60;script&#62;",
        "</td></tr></table>",
        "</svg><foreignObject>",
        "<![CDATA[<script>]]>",
        "</bdo>",
        "--><!--",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<plaintext>",
        "<noscript><p title=\"</noscript><img src=x>\">",
        "<template>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content=0>",
        "\u{0}",
        "\u{feff}<b>",
        "{{constructor}}",
        "${1}",
    ];
    odd.extend((1..).zip(pieces).map(|(n, piece)| source(1, n, piece, n)));
    odd.extend((1..).zip(pieces).map(|(n, piece)| sink(1, n, piece, n)));
    odd.push(end(1));
    let ledgers = [hostile(), fixture("hostile.jsonl"), fixture("weather.jsonl"), ledger(&odd), ledger(&small())];
    let drawn = pieces.into_iter().chain([EVIL]).map(|piece| {
        let (story, contents) = drawn_as(piece, piece.as_bytes());
        html_of_run(&story, &contents)
    });
    ledgers.iter().map(|bytes| html(&story(bytes))).chain(drawn).collect()
}

/// 164, 165, 166: element by element what was written, in every hostile page.
#[test]
fn a_browser_makes_of_the_page_what_was_written() {
    let Some(browser) = browser("a_browser_makes_of_the_page_what_was_written") else { return };
    for page in hostile_pages() {
        let dom = parsed_by_browser(&browser.dom(&page)).unwrap();
        for element in &dom {
            let is_active = ["script", "img", "link", "iframe", "object", "embed", "form", "base", "use", "image"];
            assert!(!is_active.contains(&element.tag.as_str()), "{element:?}");
            let bad = element.attributes.iter().find(|(key, value)| {
                // Links lead to rows of sources, and nowhere else.
                let leads_out = !value
                    .strip_prefix("#source-")
                    .is_some_and(|rest| rest.chars().all(|c| c == '-' || c.is_ascii_digit()));
                key.starts_with("on") || *key == "src" || (key.contains("href") && (leads_out || element.tag != "a"))
            });
            assert_eq!(bad, None, "{element:?}");
        }
        assert_eq!(shape(&dom), shape(&elements(&page).unwrap()));
    }
    // The twin: what is not escaped is seen as an element.
    let raw = html(&story(&ledger(&small()))).replace("</main>", "<img src=\"x\"></main>");
    let dom = parsed_by_browser(&browser.dom(&raw)).unwrap();
    assert!(dom.iter().any(|e| e.tag == "img"), "{dom:?}");
}

/// 165: nothing asks for anything, and a page with an image does.
#[test]
fn a_browser_asks_nobody_for_anything() {
    let Some(browser) = browser("a_browser_asks_nobody_for_anything") else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let _refused = stream.write_all(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let asked = || asked.swap(0, Ordering::SeqCst);
    let name = format!(
        "{address} url({address}) <img src={address}> <link rel=stylesheet href={address}> @import '{address}'; {EVIL}"
    );
    let records =
        [open(), call(1, &name), denied(1, "http.request", &format!("GET {address}")), source(1, 1, &name, 1), end(1)];
    let page = html(&story(&ledger(&records)));
    browser.dom(&page);
    assert_eq!(asked(), 0);
    // The page's own policy stops what would be put into it; without the policy the same element asks.
    let image = page.replace("</main>", &format!("<img src=\"{address}\"></main>"));
    browser.dom(&image);
    assert_eq!(asked(), 0);
    browser.dom(&without_policy(&image));
    assert_ne!(asked(), 0);
}

fn without_policy(page: &str) -> String {
    page.replace("http-equiv=\"Content-Security-Policy\"", "name=\"x\"")
}

/// 166: a script that was put into the page does not run; without the policy it does.
#[test]
fn a_browser_honours_the_policy_of_the_page() {
    let Some(browser) = browser("a_browser_honours_the_policy_of_the_page") else { return };
    let page = html(&story(&hostile()));
    for script in [
        "<script>document.body.setAttribute('data-owned', '1')</script>",
        "<b style=\"color:red\" id=\"b\"></b><svg onload=\"document.body.setAttribute('data-owned', '1')\"></svg>",
    ] {
        let scripted = page.replace("</main>", &format!("{script}</main>"));
        assert!(!browser.dom(&scripted).contains("data-owned=\"1\""), "{script}");
        assert!(browser.dom(&without_policy(&scripted)).contains("data-owned=\"1\""), "{script}");
    }
}

/// The style is the one that the policy names: the page looks as it does without a policy, and otherwise with another style.
#[test]
fn a_browser_shows_the_page_in_its_style() {
    let Some(browser) = browser("a_browser_shows_the_page_in_its_style") else { return };
    let page = html(&story(&fixture("weather.jsonl")));
    let shown = browser.picture(&page);
    assert!(shown.len() > 10_000, "{}", shown.len());
    assert!(browser.picture(&without_policy(&page)) == shown);
    assert!(browser.picture(&page.replace("</style>", " </style>")) != shown);
}
