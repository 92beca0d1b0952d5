//! Limits hold over several gateways: three processes on one Redis, one of them killed, and Redis
//! away and back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tollgate_testkit::Redis;

use super::site::{DIALECTS, Dialect, KEY, Site, exchange};

const CHAT: Dialect = DIALECTS[0];
/// Long enough for a machine that is busy: exactness is shown, not haste.
const PATIENT: &str = "away: refuse, patience: 5s";

fn site(redis: &Redis, limits: &str, storage: &str) -> Site {
    Site::adapted("", |text| {
        let teams = format!("teams: {{ tests: {{ limits: [ {limits} ] }} }}");
        let shared = format!("storage: {{ shared: \"{}\", {storage} }}\n", redis.url());
        text.replace("teams: { tests: {} }", &teams) + &shared
    })
}

fn sites(redis: &Redis, limits: &str, storage: &str) -> [Site; 3] {
    [0; 3].map(|_| site(redis, limits, storage))
}

/// The status of one call; `None` where nobody answers.
fn status(site: &Site, stream: bool) -> Option<u16> {
    let (path, body) = CHAT.call("chat/hello", stream);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exchange(site.address, &[head.as_bytes(), body.as_bytes()].concat()).map(|reply| reply.status)
}

/// How many of so many calls at once pass; the others are refused by the limit, or find nobody.
fn through(sites: &[Site], calls: usize) -> usize {
    let passed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for call in 0..calls {
            let (site, passed) = (&sites[call % sites.len()], &passed);
            scope.spawn(move || match status(site, call % 2 == 0) {
                Some(200) => drop(passed.fetch_add(1, Ordering::Relaxed)),
                Some(429) | None => {}
                Some(other) => panic!("status {other}: {}", site.log()),
            });
        }
    });
    passed.into_inner()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(15), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_hundred_callers_of_three_gateways_against_a_limit_of_ten_let_exactly_ten_pass() {
    let Some(redis) = Redis::start() else { return };
    let sites = sites(
        &redis,
        "{ requests: 10, per: day }, { tokens: 900000, per: day, zone: UTC }",
        PATIENT,
    );
    assert_eq!(through(&sites, 200), 10);
    assert_eq!(through(&sites, 6), 0);
}

#[test]
fn what_a_killed_gateway_let_through_stays_counted() {
    let Some(redis) = Redis::start() else { return };
    let sites = sites(&redis, "{ requests: 10, per: day }", PATIENT);
    assert_eq!(through(&sites[..1], 4), 4);
    let before = std::thread::scope(|scope| {
        let calls = scope.spawn(|| through(&sites, 200));
        std::thread::sleep(Duration::from_millis(20));
        sites[0].signal("-KILL");
        calls.join().unwrap()
    });
    // A call that was let through and not answered is counted all the same.
    let after = through(&sites[1..], 40);
    assert!((1..=6).contains(&(before + after)), "{before} and {after}");
    assert_eq!(through(&sites[1..], 6), 0);
}

#[test]
fn without_redis_each_gateway_holds_its_share_and_all_is_told_when_it_is_back() {
    let Some(mut redis) = Redis::start() else { return };
    let sites =
        sites(&redis, "{ requests: 10, per: day }", "away: local, gateways: 3, patience: 2s");
    assert_eq!(status(&sites[0], false), Some(200));
    redis.stop();
    // Nine are three shares of three; one of them was used before.
    assert_eq!(through(&sites, 60), 8);
    redis.start_again();
    for site in &sites {
        site.until_logged("the shared counters are back");
    }
    // It came back empty, and knows of nine again.
    assert_eq!(through(&sites, 60), 1);
}

#[test]
fn a_redis_that_hangs_delays_one_moment_of_calls_and_then_they_are_refused_until_it_is_back() {
    let Some(redis) = Redis::start() else { return };
    let site = site(&redis, "{ requests: 10, per: day }", "away: refuse");
    until("a call passes", || status(&site, false) == Some(200));
    redis.hang(true);
    let begun = Instant::now();
    assert_eq!(status(&site, false), Some(503));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let reply = site.call(CHAT, "chat/hello", true);
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("limits_unavailable"), "{}", reply.body);
    redis.hang(false);
    until("it is back", || status(&site, false) == Some(200));
}

#[test]
fn a_gateway_that_would_refuse_every_call_does_not_start() {
    let Some(mut redis) = Redis::start() else { return };
    let url = redis.url();
    redis.stop();
    let folder = std::env::temp_dir().join(format!("tollgate-alone-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "listen: {{ data: \"127.0.0.1:0\", admin: \"127.0.0.1:0\" }}\nproviders: {{ p: {{ kind: simulated }} }}\nstorage: {{ shared: \"{url}\", away: refuse }}\n"
    );
    std::fs::write(folder.join("tollgate.yaml"), text).unwrap();
    let mut program = super::site::program(&folder);
    let program = program.args(["serve", "--config", "tollgate.yaml", "--data-dir", "data"]);
    assert!(!program.status().unwrap().success());
    let said = std::fs::read_to_string(folder.join("err")).unwrap();
    assert!(said.contains("storage.shared"), "{said}");
    let _ = std::fs::remove_dir_all(&folder);
}
