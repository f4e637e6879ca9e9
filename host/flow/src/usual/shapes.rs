//! Values known by their shape: numbers that programs use, versions, dates and times, sizes, colours, regions, schedules, formats of dates.

/// Cities and districts that name regions of clouds.
const DISTRICTS: [&str; 46] = [
    "north",
    "south",
    "east",
    "west",
    "central",
    "northeast",
    "northwest",
    "southeast",
    "southwest",
    "us",
    "europe",
    "asia",
    "pacific",
    "uk",
    "india",
    "japan",
    "korea",
    "australia",
    "brazil",
    "canada",
    "france",
    "germany",
    "norway",
    "sweden",
    "switzerland",
    "uae",
    "africa",
    "italy",
    "poland",
    "spain",
    "israel",
    "qatar",
    "mexico",
    "china",
    "frankfurt",
    "london",
    "paris",
    "tokyo",
    "sydney",
    "mumbai",
    "singapore",
    "ashburn",
    "phoenix",
    "zurich",
    "amsterdam",
    "osaka",
];

pub(super) fn is_known(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let lower = lower.as_str();
    number(text)
        || version(lower)
        || date(text)
        || clock(text)
        || size(lower)
        || colour(lower)
        || region(lower)
        || machine(lower)
        || schedule(lower)
        || date_format(text)
        || zone(text)
        || uuid(lower)
        || sequence(lower)
        || template(text)
        || file(lower)
        || reference(lower)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Round, near a power of two, of so many seconds, of a port, the largest of a type.
fn number(text: &str) -> bool {
    const KNOWN: [u64; 44] = [
        21, 22, 25, 53, 80, 110, 143, 389, 443, 465, 587, 636, 993, 995, 1025, 1433, 1521, 1883, 2181, 2375, 2376,
        2379, 3128, 3306, 3389, 4222, 4317, 4318, 5432, 5672, 5601, 6379, 6443, 8025, 8080, 8081, 8443, 8888, 9090,
        9092, 9200, 11211, 15672, 27017,
    ];
    const SECONDS: [u64; 14] = [
        1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 31_536_000,
        31_557_600, 63_072_000,
    ];
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some(n) = Some(text).filter(|text| digits(text)).and_then(|text| text.parse::<u64>().ok()) else {
        return false;
    };
    if n > 0 && text.starts_with('0') {
        return false;
    }
    let significant = text.trim_end_matches('0');
    let near = |n: u64| n != 0 && n.trailing_zeros() >= 8 && n >> n.trailing_zeros() < 128;
    let largest = (n == u64::MAX) || (n.wrapping_add(1)).is_power_of_two() && n > 200;
    significant.len() <= 2 && (text.len() <= 3 || significant.len() + 1 < text.len())
        || text.len() <= 2
        || near(n)
        || largest
        || KNOWN.contains(&n)
        || SECONDS.contains(&n)
        || SECONDS.contains(&(n / 1000)) && n.is_multiple_of(1000)
        || matches!(n, 65_534 | 1_000_000_007 | 2_147_483_648 | 4_294_967_296)
        || (1970..2100).contains(&n)
}

/// `v1.22.0-beta.2`, `>=18.0.0`, `6.1.0-18-amd64`: numbers with dots, and words that versions end with.
fn version(text: &str) -> bool {
    let text = text.trim_start_matches(['v', '^', '~', '>', '<', '=', '!', ' ']);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let Some((core, rest)) = text.split_at_checked(end) else { return false };
    let parts: Vec<&str> = core.split('.').collect();
    let all = parts.iter().enumerate().all(|(at, part)| digits(part) && part.len() <= if at == 0 { 4 } else { 3 });
    // Four numbers are an address; browsers end with zeros.
    let fits = matches!(parts.len(), 2 | 3)
        || (parts.len() == 4 && parts.last() == Some(&"0"))
        || (parts.len() == 1 && !rest.is_empty() && core.len() <= 3);
    let ends = [
        "alpha", "beta", "rc", "dev", "pre", "preview", "post", "nightly", "snapshot", "final", "lts", "slim",
        "canary", "release", "next", "stable",
    ];
    all && fits
        && rest.split(['-', '+', '.', '_', '~']).filter(|part| !part.is_empty()).all(|part| {
            let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
            let short = part.len() - word.len() <= 3;
            (short && (word.is_empty() || ends.contains(&word) || word.len() == 1)) || super::atoms::are_known(part)
        })
        && rest.chars().next().is_none_or(|c| "-+._~abrpx".contains(c))
}

/// `2026-11-20`, with a time and a zone.
fn date(text: &str) -> bool {
    let Some((day, rest)) = text.split_at_checked(10) else { return false };
    let shape = day
        .bytes()
        .enumerate()
        .all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' || b == b'/' } else { b.is_ascii_digit() });
    let century = day.starts_with("19") || day.starts_with("20");
    shape && century && (rest.is_empty() || rest.strip_prefix(['T', ' ', 't']).is_some_and(clock))
}

/// `09:26:53.589+01:00`.
fn clock(text: &str) -> bool {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(text.len());
    let Some((time, zone)) = text.split_at_checked(end) else { return false };
    let parts: Vec<&str> = time.split(':').collect();
    let two = |part: &&str| part.split('.').next().is_some_and(|whole| whole.len() == 2 && digits(whole));
    let zone = zone.trim();
    matches!(parts.len(), 2 | 3)
        && parts.iter().all(two)
        && (zone.is_empty()
            || matches!(zone, "Z" | "z" | "UTC" | "GMT")
            || zone
                .strip_prefix(['+', '-'])
                .is_some_and(|offset| offset.bytes().all(|b| b.is_ascii_digit() || b == b':')))
}

/// `512Mi`, `1h30m0s`, `1920x1080`, `50%`, `100/minute`.
fn size(text: &str) -> bool {
    const UNITS: [&str; 52] = [
        "b", "k", "m", "g", "t", "kb", "mb", "gb", "tb", "pb", "ki", "mi", "gi", "ti", "kib", "mib", "gib", "tib",
        "ns", "us", "ms", "s", "sec", "min", "h", "hr", "d", "w", "y", "x", "px", "em", "rem", "pt", "vh", "vw", "%",
        "hz", "khz", "mhz", "ghz", "dpi", "fps", "kbps", "mbps", "gbps", "days", "hours", "minutes", "seconds", "/s",
        "/minute",
    ];
    let mut rest = text;
    let mut count = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let Some((n, after)) = rest.split_at_checked(end) else { return false };
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let Some((unit, after)) = after.split_at_checked(unit) else { return false };
        if n.is_empty()
            || n.len() > 4
            || !(UNITS.contains(&unit) || unit.starts_with('/') && super::atoms::is_word(unit.trim_start_matches('/')))
        {
            // The last number of a width and a height has none.
            return count == 1 && unit.is_empty() && (1..=4).contains(&n.len()) && text.contains('x');
        }
        count += 1;
        rest = after;
    }
    count > 0 && count <= 4
}

fn colour(text: &str) -> bool {
    let hex = text.strip_prefix('#');
    hex.is_some_and(|hex| matches!(hex.len(), 3 | 4 | 6 | 8) && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        || ["rgb(", "rgba(", "hsl(", "hsla("].iter().any(|start| {
            let inside = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(')'));
            inside.is_some_and(|inside| inside.bytes().all(|b| b.is_ascii_digit() || b" ,.%/".contains(&b)))
        })
}

/// Regions and zones: `eu-central-1`, `europe-west6-a`, `westeurope`, `us-gov-east-1b`.
fn region(text: &str) -> bool {
    // Longer ones could be cut into districts in too many ways.
    const LONGEST: usize = 32;
    if text.len() > LONGEST {
        return false;
    }
    const FIRST: [&str; 20] = [
        "us",
        "eu",
        "ap",
        "ca",
        "sa",
        "me",
        "af",
        "cn",
        "il",
        "mx",
        "uk",
        "asia",
        "europe",
        "northamerica",
        "southamerica",
        "australia",
        "africa",
        "global",
        "nam",
        "eur",
    ];
    let mut parts = text.split('-');
    let named = parts.next().is_some_and(|first| FIRST.contains(&first));
    let districts = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - word.len() <= 1 && !word.is_empty() && is_made_of(word)
    };
    let rest: Vec<&str> = parts.collect();
    let end = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (named
        && rest.iter().any(|part| districts(part))
        && rest.iter().all(|part| districts(part) || end(part) || matches!(*part, "gov" | "iso")))
        || (text.len() >= 6 && rest.is_empty() && districts(text))
}

/// Whether a word is made of districts and nothing else.
fn is_made_of(word: &str) -> bool {
    word.is_empty() || DISTRICTS.iter().any(|district| word.strip_prefix(district).is_some_and(is_made_of))
}

/// Sizes of machines: `t3.micro`, `Standard_D2s_v3`, `n1-standard-4`, `s-1vcpu-1gb`.
fn machine(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '-', '_']).collect();
    let sizes = [
        "nano", "micro", "small", "medium", "large", "xlarge", "metal", "standard", "highmem", "highcpu", "basic",
        "premium", "shared", "vcpu", "gb",
    ];
    let is_size = |part: &str| sizes.contains(&part.trim_start_matches(|c: char| c.is_ascii_digit()));
    let series = |part: &str| {
        part.len() <= 5 && part.bytes().any(|b| b.is_ascii_digit()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    (2..=4).contains(&parts.len())
        && parts.iter().any(|part| is_size(part))
        && parts.iter().all(|part| is_size(part) || series(part) || part.len() == 1)
}

/// Five or six fields of cron.
fn schedule(text: &str) -> bool {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let field = |field: &&str| {
        field.len() <= 12 && field.bytes().all(|b| b.is_ascii_digit() || b"*/,-?#l".contains(&b))
            || matches!(*field, "mon-fri" | "sun" | "mon" | "sat")
    };
    (matches!(fields.len(), 5 | 6) && text.contains('*') && fields.iter().all(field))
        || matches!(text, "@hourly" | "@daily" | "@weekly" | "@monthly" | "@yearly" | "@reboot" | "@midnight")
}

/// `%Y-%m-%d %H:%M`, `yyyy-MM-dd'T'HH:mm:ss`.
fn date_format(text: &str) -> bool {
    let mark = |c: char| " -:/.,T'[]()Z_".contains(c);
    let directives = text.matches('%').count();
    let mut before = ' ';
    let percent = directives >= 2
        && text.chars().all(|c| {
            let fits = c == '%' || mark(c) || (before == '%' && c.is_ascii_alphabetic());
            before = c;
            fits
        });
    let fields = ["yyyy", "YYYY", "MM", "dd", "DD", "HH", "hh", "mm", "ss", "SSS"]
        .iter()
        .filter(|field| text.contains(**field))
        .count();
    percent || (fields >= 2 && text.chars().all(|c| mark(c) || "yYMdDHhmsSaAXxZzE".contains(c)))
}

/// `Europe/Zurich`, `America/Argentina/Salta`.
fn zone(text: &str) -> bool {
    const AREAS: [&str; 13] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
        "Etc",
        "US",
        "Canada",
    ];
    let mut parts = text.split('/');
    parts.next().is_some_and(|area| AREAS.contains(&area))
        && text.contains('/')
        && parts.all(|part| {
            (2..=16).contains(&part.len())
                && part.starts_with(|c: char| c.is_ascii_uppercase())
                && part.bytes().all(|b| {
                    b.is_ascii_alphabetic()
                        || matches!(b, b'_' | b'-' | b'+')
                        || (text.starts_with("Etc") && b.is_ascii_digit())
                })
        })
}

/// All of one digit, or zeros but for the end.
fn uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let shape = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()));
    let same = |groups: &[&str]| {
        let mut bytes = groups.iter().flat_map(|group| group.bytes());
        bytes.next().is_some_and(|first| bytes.all(|b| b == first))
    };
    shape
        && (groups.iter().all(|group| same(std::slice::from_ref(group)))
            || groups.split_last().is_some_and(|(last, first)| same(first) && last.starts_with("00000000")))
}

/// Letters, digits or keys in their order, or the same again and again.
fn sequence(text: &str) -> bool {
    const ROWS: [&str; 5] =
        ["abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "98765432109876543210", "qwertyuiop", "asdfghjkl"];
    let bytes = text.as_bytes();
    let repeats =
        |period: usize| bytes.len() >= 4 * period && bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b);
    text.len() >= 4 && (ROWS.iter().any(|row| row.contains(text)) || repeats(1) || repeats(2))
}

/// What stands where a value should be put: `<your token>`, `${TOKEN}`, `{{ token }}`.
fn template(text: &str) -> bool {
    [("<", ">"), ("${", "}"), ("{{", "}}"), ("%(", ")s"), ("$(", ")"), ("[", "]")].iter().any(|(from, to)| {
        let inside = text.strip_prefix(from).and_then(|rest| rest.strip_suffix(to));
        inside.is_some_and(|inside| {
            inside
                .split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|part| !part.is_empty())
                .all(super::atoms::is_usual_word)
        })
    })
}

/// `config.yaml`, `.env.local`: common words and an ending.
fn file(text: &str) -> bool {
    let parts: Vec<&str> = text.trim_start_matches("./").split(['.', '-', '_']).collect();
    let ends = parts.last().is_some_and(|end| (1..=5).contains(&end.len()) && super::atoms::is_usual_word(end));
    text.contains('.')
        && !text.contains(' ')
        && ends
        && (2..=4).contains(&parts.len())
        && parts.iter().all(|part| part.is_empty() || super::atoms::is_usual_word(part))
}

/// `refs/heads/main`, `origin/main`, and what starts a workflow.
fn reference(text: &str) -> bool {
    let branch = ["refs/heads/", "refs/tags/", "refs/remotes/origin/", "origin/"]
        .iter()
        .find_map(|start| text.strip_prefix(start));
    branch.is_some_and(|branch| super::atoms::is_usual_word(branch) || version(branch))
        || matches!(
            text,
            "pull_request"
                | "pull_request_target"
                | "workflow_dispatch"
                | "workflow_run"
                | "workflow_call"
                | "push"
                | "schedule"
                | "merge_group"
        )
}
