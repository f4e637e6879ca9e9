use super::*;

#[test]
fn what_everybody_has_is_usual_and_its_twin_of_ones_own_is_not() {
    let mut wrong = Vec::new();
    for (usual, own) in [
        ("eu-central-1", "eu-central-k7"),
        ("europe-west6-a", "europe-zgraggen6-a"),
        ("westeurope", "westzgraggen"),
        ("aarch64-unknown-linux-gnu", "aarch64-unknown-linux-k7Qz"),
        ("linux/amd64", "linux/k7Qz2m"),
        ("text/html; charset=utf-8", "text/html; charset=k7Qz2m"),
        ("1.22.0-rc.1", "1.22.0-k7Qz2m"),
        (">=18.0.0 <21.0.0", ">=18.0.0 <21.0.0 k7Qz2"),
        ("2026-11-20T00:00:00Z", "2026-11-20T00:00:00-k7Q"),
        ("1048576", "1048571"),
        ("86400", "86417"),
        ("2147483647", "2147481647"),
        ("512Mi", "512Qz"),
        ("1920x1080", "1920x1080k7"),
        ("#336699", "#33669k7"),
        ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-7f3e9ad053c1"),
        ("/usr/local/bin:/usr/bin:/bin", "/usr/local/bin:/usr/bin:/home/zgraggen/bin"),
        ("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/fluehli-2207.crt"),
        ("web-01", "db-7f3k"),
        ("localhost:5432", "db-7f3k.internal:5432"),
        ("https://api.example.com/v1", "https://api.fluehli.ch/v1"),
        ("https://api.github.com/", "https://api.github.com/?token=k7Qz2mXp"),
        ("https://docs.example.com/start?page=2", "https://docs.example.com/start?token=sunshine"),
        (
            "postgres://postgres:postgres@localhost:5432/postgres",
            "postgres://postgres:sunshine@localhost:5432/postgres",
        ),
        ("noreply@example.com", "zgraggen@fluehli.ch"),
        ("python:3.12-slim-bookworm", "python:3.12-k7Qz2m"),
        ("--max-old-space-size=4096", "--key-file=k7Qz2mXp"),
        ("0 3 * * 1-5", "0 3 * * k7Qz"),
        ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d k7Qz"),
        ("your-api-key-here", "k7-api-key-2mXp"),
        ("<your token>", "<k7Qz2mXp>"),
        ("my-bucket", "zgraggen-bucket"),
        ("qwertyuiop", "qwertyuk7Qz2"),
        ("Europe/Zurich", "Europe/k7Qz2m"),
        ("host=localhost port=5432 dbname=postgres", "host=localhost port=5432 password=sunshine"),
        ("SHA-256", "SHA-k7Qz2"),
        ("10.0.0.0/16", "10.20.30.40"),
        ("November", "Zgraggen"),
    ] {
        wrong.extend((!is_usual(usual.as_bytes())).then_some(usual));
        wrong.extend(is_usual(own.as_bytes()).then_some(own));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Words that somebody chose are a secret as good as another, and so is a name with many of them.
#[test]
fn phrases_that_people_choose_are_their_own() {
    for own in [
        "velvet-anchor-piano-lantern",
        "top-secret",
        "Sunshine2024!",
        "correct horse battery staple",
        "hunter2",
        "4711",
        "r.aebischer@fluehli.example",
        "CH93 0076 2011 6238 5295 7",
        "postgres://app:app@10.20.30.40:5432/app",
        "sk_live_51H8",
        "velvet anchor on linux and piano lantern",
        "0x7f3e9ad0",
        "Server=db;User=app;Password=sunshine",
    ] {
        assert!(!is_usual(own.as_bytes()), "{own}");
    }
}

#[test]
fn phrases_cost_what_a_word_costs_and_what_stands_between_them_what_it_did() {
    let licence = b"Permission is hereby granted, free of charge, to any person obtaining a copy";
    assert!(weight(licence) <= 5 * rarity::UNIT);
    let own = b"Permission is hereby k7Qz2mXp granted, free of charge";
    assert!(weight(own) >= rarity::bits(b"k7Qz2mXp"));
    assert_eq!(weight(b"k7Qz2mXp"), rarity::bits(b"k7Qz2mXp"));
}

#[test]
fn hostile_values_cost_little_and_never_fail() {
    for value in [
        &b""[..],
        b"\xff\xfe",
        b"://",
        b"@",
        b"://@:/",
        b"%%%%",
        b"....",
        b"----",
        &[b'0'; 512],
        &[b'-'; 5000],
        b"v",
        b"#",
        b"jdbc:",
        b"[",
        b"1x",
    ] {
        is_usual(value);
        is_usual_part(value);
        weight(value);
    }
    let nested = "southeast".repeat(50);
    is_usual(nested.as_bytes());
    is_usual(format!("{nested}!").as_bytes());
}
