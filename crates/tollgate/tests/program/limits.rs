//! Limits hold: what is refused, what it is told, and that the truth is booked whatever ends a call.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use super::site::{DIALECTS, Dialect, KEY, Reply, Site};

const CHAT: Dialect = DIALECTS[0];
/// Another key of the same team, and one of a team without limits.
const OTHER: &str = "tg-other-test-key-not-a-secret";
const FREE: &str = "tg-free-test-key-not-a-secret";

/// With limits of the team and of the key that tests call with.
fn site(team: &str, key: &str) -> Site {
    let environment = [("OTHER_KEY", OTHER.to_owned()), ("FREE_KEY", FREE.to_owned())];
    Site::surrounded(&environment, |text| limited(&text, team, key))
}

fn limited(text: &str, team: &str, key: &str) -> String {
    let list = |limits: &str| match limits {
        "" => String::new(),
        limits => format!("limits: [ {limits} ]"),
    };
    let (before, _) = text.split_once("teams:").unwrap();
    let own = if key.is_empty() { String::new() } else { format!(", {}", list(key)) };
    format!(
        "{before}teams: {{ tests: {{ {} }}, free: {{}} }}\nkeys:\n  tests: {{ team: tests, secret: \"${{env:TEST_KEY}}\"{own} }}\n  other: {{ team: tests, secret: \"${{env:OTHER_KEY}}\" }}\n  free: {{ team: free, secret: \"${{env:FREE_KEY}}\" }}\n",
        list(team)
    )
}

fn headers(key: &str) -> String {
    format!("authorization: Bearer {key}\r\nanthropic-version: 2023-06-01\r\n")
}

fn call_as(site: &Site, key: &str, dialect: Dialect, model: &str) -> Reply {
    let (path, body) = dialect.call(model, false);
    site.post(&path, &headers(key), &body)
}

fn model_of(dialect: Dialect) -> String {
    format!("{}/hello", dialect.provider)
}

fn number(reply: &Reply, header: &str) -> u64 {
    let text = reply.header(header);
    let text = text.unwrap_or_else(|| panic!("no {header} in {}", reply.head));
    text.parse().unwrap_or_else(|_| panic!("{header}: {text}"))
}

/// Waits until every call is booked.
fn until_booked(site: &Site) {
    let begun = Instant::now();
    while site.metric("tollgate_in_flight") > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "a call is not booked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(site.metric("tollgate_leases"), 0, "a call is booked and its lease is not");
}

/// The tokens of a whole answer, as its provider states them.
fn tokens(reply: &Reply) -> u64 {
    reply.json()["usage"]["total_tokens"].as_u64().unwrap()
}

/// A socket on which a stream has begun.
fn begin(site: &Site, model: &str) -> TcpStream {
    let (path, body) = CHAT.call(model, true);
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\n{}content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        headers(KEY),
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut first = [0; 16];
    socket.read_exact(&mut first).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
    socket
}

#[test]
fn a_caller_at_its_limit_is_refused_in_its_own_dialect_and_told_when_to_come_again() {
    for caller in DIALECTS {
        let site = site("{ requests: 2, per: minute }", "");
        for _ in 0..2 {
            let reply = call_as(&site, KEY, caller, &model_of(caller));
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
        let before = site.received().len();
        let reply = call_as(&site, KEY, caller, &model_of(caller));
        assert_eq!(reply.status, 429, "{}", reply.body);
        assert!(caller.is_error(&reply.json()), "{}", reply.body);
        let wait = number(&reply, "retry-after");
        assert!((50..=61).contains(&wait), "{wait}");
        assert!(reply.body.contains("teams.tests.limits[0]"), "{}", reply.body);
        assert!(!reply.body.contains(KEY) && reply.header("x-should-retry").is_none());
        assert_eq!(site.received().len(), before, "a refused call left for a provider");
        until_booked(&site);
        let series = "tollgate_limited_total{tollgate_team=\"tests\",tollgate_limit=\"teams.tests.limits[0]\"}";
        assert_eq!(site.metric(series), 1);
        site.until_logged(r#""tollgate.limit":"teams.tests.limits[0]""#);
    }
}

#[test]
fn the_headers_of_limits_are_the_callers_own_and_true() {
    let limits =
        "{ requests: 3, per: minute }, { requests: 100, per: hour }, { tokens: 90000, per: day }";
    let site = site(limits, "{ input_tokens: 50000, per: minute }");
    let reply = call_as(&site, KEY, CHAT, "chat/hello");
    assert_eq!(number(&reply, "x-ratelimit-limit-requests"), 3);
    assert_eq!(number(&reply, "x-ratelimit-remaining-requests"), 2);
    let reset = reply.header("x-ratelimit-reset-requests").unwrap();
    assert!(reset.starts_with("1m0") || reset.starts_with("1m1s"), "{reset}");
    assert_eq!(number(&reply, "x-ratelimit-limit-tokens"), 90_000);
    let (used, first) = (tokens(&reply), 90_000 - number(&reply, "x-ratelimit-remaining-tokens"));
    until_booked(&site);
    // What was leased and not used is back.
    let next = site.call(CHAT, "chat/hello", true);
    let leased = 90_000 - used - number(&next, "x-ratelimit-remaining-tokens");
    assert!(used < first && (1..=first).contains(&leased), "{used} used, {first}, {leased} leased");
    assert!(next.body.contains("[DONE]"));
    let messages = DIALECTS[1];
    let reply = call_as(&site, KEY, messages, "messages/hello");
    assert_eq!(number(&reply, "anthropic-ratelimit-requests-limit"), 3);
    assert_eq!(number(&reply, "anthropic-ratelimit-requests-remaining"), 0);
    assert!(number(&reply, "anthropic-ratelimit-input-tokens-remaining") < 50_000);
    let reset = reply.header("anthropic-ratelimit-requests-reset").unwrap();
    let reset: jiff::Timestamp = reset.parse().unwrap();
    let wait = reset.as_second() - jiff::Timestamp::now().as_second();
    assert!((55..=63).contains(&wait), "{reset}");
    let refused = call_as(&site, KEY, CHAT, "chat/hello");
    assert_eq!((refused.status, number(&refused, "x-ratelimit-remaining-requests")), (429, 0));
    // A caller without limits hears what the provider says of its own.
    let free = call_as(&site, FREE, CHAT, "chat/hello");
    assert_eq!(number(&free, "x-ratelimit-limit-requests"), 10_000);
    // Nobody hears of headers that its dialect does not have.
    let crossing = call_as(&site, FREE, messages, "chat/hello");
    assert!(!crossing.head.contains("ratelimit"), "{}", crossing.head);
}

#[test]
fn two_hundred_callers_at_once_against_ten_let_exactly_ten_pass() {
    for (limits, streams) in [
        ("{ requests: 10, per: hour }", false),
        ("{ requests: 10, per: hour }, { concurrent: 200 }, { tokens: 1000000, per: hour }", true),
    ] {
        let site = Arc::new(site(limits, ""));
        let barrier = Arc::new(Barrier::new(200));
        let callers: Vec<_> = (0..200)
            .map(|_| {
                let (site, barrier) = (site.clone(), barrier.clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    site.call(CHAT, "chat/hello", streams).status
                })
            })
            .collect();
        let statuses: Vec<u16> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
        let count = |status| statuses.iter().filter(|one| **one == status).count();
        assert_eq!((count(200), count(429)), (10, 190));
        assert_eq!(site.received().len(), 10);
        until_booked(&site);
    }
}

#[test]
fn a_place_among_the_concurrent_is_free_when_its_call_ends_or_its_caller_leaves() {
    let site = site("{ concurrent: 2 }", "");
    let stream = begin(&site, "chat/hello-pace-100ms-words-60");
    let other = begin(&site, "chat/hello-pace-100ms-words-60");
    let refused = call_as(&site, KEY, CHAT, "chat/hello");
    assert_eq!(refused.status, 429);
    assert!(refused.body.contains("concurrency_limit"), "{}", refused.body);
    assert_eq!(number(&refused, "retry-after"), 1);
    drop(stream);
    let begun = Instant::now();
    while call_as(&site, KEY, CHAT, "chat/hello").status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(3), "the place is not given back");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(other);
    until_booked(&site);
    for fault in ["fault-500", "fault-429", "fault-cut", "fault-silence"] {
        for _ in 0..3 {
            if fault == "fault-silence" {
                let (path, body) = CHAT.call("chat/fault-silence", true);
                let mut socket = TcpStream::connect(site.address).unwrap();
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: gateway\r\n{}content-length: {}\r\n\r\n{body}",
                    headers(KEY),
                    body.len()
                );
                socket.write_all(head.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(50));
            } else {
                site.call(CHAT, &format!("chat/{fault}"), true);
            }
        }
        until_booked(&site);
    }
    assert_eq!(call_as(&site, KEY, CHAT, "chat/hello").status, 200);
}

#[test]
fn tokens_are_booked_as_the_provider_states_them_also_beyond_the_limit() {
    let site = site("{ tokens: 600, per: hour }", "");
    let mut used = 0;
    let mut refused = None;
    for _ in 0..200 {
        let reply = call_as(&site, KEY, CHAT, "chat/hello");
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        used += tokens(&reply);
        until_booked(&site);
    }
    let refused = refused.expect("a limit of tokens that nobody reaches");
    assert!(refused.body.contains("tokens_limit"), "{}", refused.body);
    assert_eq!(number(&refused, "x-ratelimit-remaining-tokens"), 600 - used);
    // A long stream goes on to its end, and what it used beyond the limit keeps the next ones out.
    let site = self::site("{ output_tokens: 100, per: hour }", "");
    let long = site.call(CHAT, "chat/hello-words-400", true);
    assert!(long.status == 200 && long.body.contains("[DONE]"), "{}", long.body);
    until_booked(&site);
    let next = site.call(CHAT, "chat/hello", true);
    assert_eq!(next.status, 429, "{}", next.body);
    assert!(number(&next, "retry-after") > 3_000);
}

#[test]
fn a_stream_that_is_left_counts_with_what_was_delivered() {
    let site = site("{ output_tokens: 100000, per: hour }, { tokens: 1000000, per: hour }", "");
    let mut socket = begin(&site, "chat/hello-pace-20ms-words-200");
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while String::from_utf8_lossy(&bytes).matches("data:").count() < 40 {
        let read = socket.read(&mut buffer).unwrap();
        assert!(read > 0);
        bytes.extend_from_slice(&buffer[..read]);
    }
    drop(socket);
    until_booked(&site);
    let next = call_as(&site, KEY, CHAT, "chat/hello");
    let gone = 1_000_000 - number(&next, "x-ratelimit-remaining-tokens");
    // Forty pieces of some two hundred and fifty bytes, the request, and the lease of this call.
    assert!((40..1_000).contains(&gone), "{gone}");
}

#[test]
fn a_call_that_fails_before_its_answer_counts_as_a_request_and_uses_no_tokens() {
    let site = site("{ requests: 100, per: hour }, { tokens: 100000, per: hour }", "");
    for fault in ["fault-500", "fault-429", "fault-reset"] {
        assert_ne!(call_as(&site, KEY, CHAT, &format!("chat/{fault}")).status, 200);
        until_booked(&site);
    }
    let reply = call_as(&site, KEY, CHAT, "chat/hello");
    assert_eq!(number(&reply, "x-ratelimit-remaining-requests"), 96);
    assert!(100_000 - number(&reply, "x-ratelimit-remaining-tokens") < 400);
}

#[test]
fn t61_a_call_that_can_never_pass_is_not_tried_again_and_never_leaves() {
    for caller in DIALECTS {
        let site = site("{ input_tokens: 1000, per: minute }", "");
        let (path, body) = caller.call(&model_of(caller), false);
        let body = body.replace("Say a few words.", &"Say a few words. ".repeat(2_000));
        let reply = site.post(&path, &headers(KEY), &body);
        assert_eq!(reply.status, 429, "{}", reply.body);
        assert!(caller.is_error(&reply.json()));
        assert_eq!(reply.header("x-should-retry"), Some("false"));
        assert_eq!(reply.header("retry-after"), None);
        assert!(site.received().is_empty());
    }
}

#[test]
fn a_keys_own_limits_hold_beside_its_teams() {
    let site = site("{ requests: 5, per: hour }", "{ requests: 2, per: hour }");
    let status = |key| call_as(&site, key, CHAT, "chat/hello").status;
    assert_eq!([KEY, KEY, KEY].map(status), [200, 200, 429]);
    // A refused call took nothing of the team's.
    assert_eq!([OTHER, OTHER, OTHER, OTHER].map(status), [200, 200, 200, 429]);
    assert_eq!(status(FREE), 200);
}

#[test]
fn t26_nothing_that_a_caller_may_write_is_another_caller() {
    let site = site("{ requests: 4, per: hour }", "");
    let mut through = 0;
    for number in 0..12 {
        let body = format!(
            r#"{{"model":"chat/hello","user":"user-{number}","messages":[{{"role":"user","content":"Hi"}}]}}"#
        );
        let more = format!(
            "{}x-tollgate-user: user-{number}\r\nx-tollgate-session: s{number}\r\nopenai-organization: o{number}\r\nx-forwarded-for: 10.0.0.{number}\r\nx-request-id: r{number}\r\n",
            headers(KEY)
        );
        let reply = site.post("/v1/chat/completions", &more, &body);
        through += usize::from(reply.status == 200);
    }
    assert_eq!(through, 4);
}

#[test]
fn t10_a_refusal_names_no_key_and_nobody_elses_team() {
    let site = site("{ requests: 1, per: hour }", "");
    for caller in DIALECTS {
        call_as(&site, KEY, caller, &model_of(caller));
        let reply = call_as(&site, KEY, caller, &model_of(caller));
        assert_eq!(reply.status, 429);
        let said = reply.head + &reply.body;
        for secret in [KEY, OTHER, FREE, "free", "other", "sk-provider"] {
            assert!(!said.contains(secret), "{secret} in {said}");
        }
    }
}

#[test]
fn a_reload_keeps_what_was_counted() {
    let site = site("{ requests: 3, per: hour }", "");
    let status = || call_as(&site, KEY, CHAT, "chat/hello").status;
    assert_eq!([(); 4].map(|()| status()), [200, 200, 200, 429]);
    let file = site.folder.join("tollgate.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let reloads = "tollgate_config_reloads_total{result=\"accepted\"}";
    let reload = |text: String| {
        let before = site.metric(reloads);
        std::fs::write(&file, text).unwrap();
        site.signal("-HUP");
        let begun = Instant::now();
        while site.metric(reloads) == before {
            assert!(begun.elapsed() < Duration::from_secs(5), "no reload:\n{}", site.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    reload(text.replace("requests: 3", "requests: 5"));
    assert_eq!([(); 3].map(|()| status()), [200, 200, 429]);
    reload(text.replace("requests: 3", "requests: 4"));
    assert_eq!(status(), 429);
    reload(text.replace("limits: [ { requests: 3, per: hour } ]", ""));
    assert_eq!(status(), 200);
}
