//! Limits hold: what is refused, what it is told, and that the truth is booked whatever ends a call.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::site::{DIALECTS, Dialect, KEY, PROVIDER_KEY, Reply, Site};

const CHAT: Dialect = DIALECTS[0];
const MESSAGES: Dialect = DIALECTS[1];
const DECLARED: &str = "teams: { tests: {} }\n";

/// With limits of the team, and of the key that tests call with; another key of the same team has
/// only the team's.
fn site(team: &str, key: &str) -> Site {
    Site::adapted("", |text| {
        assert!(text.contains(DECLARED), "{text}");
        let key = format!(
            "limited: {{ team: tests, secret: \"${{env:PROVIDER_KEY}}\", limits: [ {key} ] }}, "
        );
        text.replace(DECLARED, &format!("teams: {{ tests: {{ limits: [ {team} ] }} }}\n"))
            .replace("keys: { ", &format!("keys: {{ {key}"))
    })
}

fn head(key: &str) -> String {
    format!("authorization: Bearer {key}\r\nanthropic-version: 2023-06-01\r\n")
}

fn call_as(site: &Site, key: &str, dialect: Dialect, model: &str, stream: bool) -> Reply {
    let (path, body) = dialect.call(model, stream);
    site.post(&path, &head(key), &body)
}

fn number(reply: &Reply, header: &str) -> u64 {
    let text = reply.header(header).unwrap_or_else(|| panic!("no {header} in {}", reply.head));
    text.parse().unwrap_or_else(|_| panic!("{header}: {text}"))
}

/// Waits until every call is booked: then no lease is left.
fn until_booked(site: &Site) {
    let begun = Instant::now();
    while site.metric("tollgate_leases") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "a lease is never settled");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn of_two_hundred_callers_at_once_as_many_pass_as_the_limit_says() {
    let site = site("{ requests: 10, per: hour }", "{ requests: 1000, per: hour }");
    let (passed, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let barrier = Barrier::new(200);
    std::thread::scope(|scope| {
        for n in 0..200 {
            let (site, barrier, passed, refused) = (&site, &barrier, &passed, &refused);
            scope.spawn(move || {
                barrier.wait();
                let key = if n % 2 == 0 { KEY } else { PROVIDER_KEY };
                let reply = call_as(site, key, CHAT, "chat/hello", n % 3 == 0);
                match reply.status {
                    200 => passed.fetch_add(1, Ordering::Relaxed),
                    429 => refused.fetch_add(1, Ordering::Relaxed),
                    status => panic!("{status}: {}", reply.body),
                };
            });
        }
    });
    assert_eq!((passed.into_inner(), refused.into_inner()), (10, 190));
    until_booked(&site);
    let limited =
        "tollgate_limited_total{tollgate_team=\"tests\",tollgate_limit=\"teams.tests.limits[0]\"}";
    assert_eq!(site.metric(limited), 190);
    assert_eq!(site.received().len(), 10, "what was refused never left for a provider");
}

#[test]
fn a_refusal_is_in_the_callers_dialect_and_says_when_to_come_back() {
    let site = site("{ requests: 2, per: minute }", "{ requests: 1, per: hour }");
    for dialect in DIALECTS {
        let model = format!("{}/hello", dialect.provider);
        let first = call_as(&site, PROVIDER_KEY, dialect, &model, false);
        let refused = match first.status {
            200 => call_as(&site, PROVIDER_KEY, dialect, &model, false),
            _ => first,
        };
        assert_eq!(refused.status, 429, "{}", refused.body);
        assert!(dialect.is_error(&refused.json()), "{}", refused.body);
        assert!(refused.body.contains("keys.limited.limits[0]"), "{}", refused.body);
        // The last hour is counted in sixtieths.
        assert!((3_000..=3_660).contains(&number(&refused, "retry-after")), "{}", refused.head);
    }
    // Lines of the access log are written together, a little later.
    let begun = Instant::now();
    while !site.log().contains("\"tollgate.limit\":\"keys.limited.limits[0]\"") {
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", site.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn headers_tell_how_the_limits_stand() {
    let site = site(
        "{ requests: 5, per: minute }, { tokens: 100000, per: day, zone: UTC }",
        "{ requests: 3, per: hour }",
    );
    let first = call_as(&site, PROVIDER_KEY, CHAT, "chat/hello", false);
    assert_eq!(first.status, 200, "{}", first.body);
    // Of the two limits on requests the one that has less left.
    assert_eq!(number(&first, "x-ratelimit-limit-requests"), 3);
    assert_eq!(number(&first, "x-ratelimit-remaining-requests"), 2);
    assert_eq!(number(&first, "x-ratelimit-limit-tokens"), 100_000);
    assert!(first.header("x-ratelimit-reset-tokens").is_some(), "{}", first.head);
    let second = call_as(&site, PROVIDER_KEY, MESSAGES, "messages/hello", true);
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(number(&second, "anthropic-ratelimit-requests-remaining"), 1);
    assert!(second.header("anthropic-ratelimit-requests-reset").unwrap().ends_with('Z'));
    assert!(second.header("x-ratelimit-limit-requests").is_none(), "{}", second.head);
    let other = call_as(&site, KEY, CHAT, "chat/hello", false);
    assert_eq!(number(&other, "x-ratelimit-remaining-requests"), 2, "{}", other.head);
}

#[test]
fn tokens_are_booked_as_the_provider_counts_them() {
    let site = site("{ tokens: 100000, per: hour }", "{ requests: 1000, per: hour }");
    let mut used = 0;
    for stream in [false, true, false] {
        let reply = call_as(&site, KEY, CHAT, "chat/hello", false);
        used += reply.json()["usage"]["total_tokens"].as_u64().unwrap();
        if stream {
            let streamed = call_as(&site, KEY, CHAT, "chat/hello", true);
            assert!(CHAT.ends_cleanly(&streamed.body), "{}", streamed.body);
            // It says the same as the buffered one.
            used += reply.json()["usage"]["total_tokens"].as_u64().unwrap();
        }
        until_booked(&site);
    }
    let last = call_as(&site, KEY, CHAT, "chat/hello", false);
    let own = 100_000 - used - number(&last, "x-ratelimit-remaining-tokens");
    // What is left has the lease of this call taken off, and nothing else.
    assert!((1..4_000).contains(&own), "{used} used before, {own} leased");
    until_booked(&site);
}

#[test]
fn places_are_given_back_whatever_ends_a_call() {
    let site = site("{ concurrent: 2 }", "{ requests: 1000, per: hour }");
    for _ in 0..3 {
        let held: Vec<TcpStream> = (0..2)
            .map(|_| {
                let (path, body) = CHAT.call("chat/fault-stall", true);
                let mut socket = TcpStream::connect(site.address).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: gateway\r\n{}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    head(KEY),
                    body.len()
                );
                socket.write_all(head.as_bytes()).unwrap();
                let mut first = [0; 64];
                assert!(socket.read(&mut first).unwrap() > 0);
                socket
            })
            .collect();
        let refused = call_as(&site, PROVIDER_KEY, CHAT, "chat/hello", false);
        assert_eq!(refused.status, 429, "{}", refused.body);
        assert_eq!(number(&refused, "retry-after"), 1);
        // The callers leave in the middle of their streams.
        drop(held);
        until_booked(&site);
        for model in ["chat/fault-500", "chat/fault-reset", "chat/hello", "chat/fault-html"] {
            call_as(&site, PROVIDER_KEY, CHAT, model, true);
        }
        until_booked(&site);
    }
}

#[test]
fn a_call_that_could_never_pass_is_refused_for_good() {
    let site = site("{ input_tokens: 100, per: minute }", "{ requests: 1000, per: hour }");
    let body = format!(
        r#"{{"model":"chat/hello","messages":[{{"role":"user","content":"{}"}}]}}"#,
        "many words ".repeat(1_000)
    );
    let refused = site.post("/v1/chat/completions", &head(KEY), &body);
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert_eq!(refused.json()["error"]["code"], "call_exceeds_limit", "{}", refused.body);
    assert!(refused.header("retry-after").is_none(), "{}", refused.head);
    assert_eq!(call_as(&site, KEY, CHAT, "chat/hello", false).status, 200);
}

#[test]
fn a_reload_keeps_what_was_counted() {
    let site = site("{ requests: 3, per: hour }", "{ requests: 1000, per: hour }");
    for _ in 0..2 {
        assert_eq!(call_as(&site, KEY, CHAT, "chat/hello", false).status, 200);
    }
    let file = site.folder.join("tollgate.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{ requests: 3, per: hour }", "{ requests: 4, per: hour }"))
        .unwrap();
    site.signal("-HUP");
    let begun = Instant::now();
    let remaining = loop {
        let reply = call_as(&site, KEY, CHAT, "chat/hello", false);
        if reply.status == 200 && number(&reply, "x-ratelimit-limit-requests") == 4 {
            break number(&reply, "x-ratelimit-remaining-requests");
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it is never read anew");
    };
    // Two or three calls went before; the limit is four.
    assert!(remaining <= 1, "{remaining}");
    while call_as(&site, KEY, CHAT, "chat/hello", false).status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the limit does not hold");
    }
}
