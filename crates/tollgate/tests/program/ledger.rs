//! The books balance: each call that left for a provider has one entry, whatever ended it, and
//! whatever became of the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::site::{DIALECTS, KEY, Site};

const CHAT: super::site::Dialect = DIALECTS[0];

fn calls(site: &Site) -> Vec<Value> {
    site.told(&["calls", "--most", "100000"]).as_array().unwrap().clone()
}

/// Waits until so many entries are in the database.
fn until_shipped(site: &Site, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let calls = calls(site);
        if calls.len() >= count {
            return calls;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{} of {count}", calls.len());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn each_call_has_one_entry_that_says_what_its_caller_was_told() {
    let site = Site::with("");
    let whole = site.call(CHAT, "chat/hello", false);
    let streamed = site.call(DIALECTS[1], "chat/hello", true);
    let failed = site.call(CHAT, "chat/fault-500", false);
    let refused = site.call(CHAT, "nobody/hello", false);
    // Nobody knows who that is, and a list of models is no call of one.
    site.post("/v1/chat/completions", "authorization: Bearer nobodys-key\r\n", "{}");
    super::site::get(site.address, "/v1/models").unwrap();
    let calls = until_shipped(&site, 4);
    assert_eq!(calls.len(), 4, "{calls:#?}");
    let of = |reply: &super::site::Reply| {
        let id = reply.header("x-request-id").unwrap();
        let mut of = calls.iter().filter(|call| call["request_id"] == id);
        let one = of.next().unwrap_or_else(|| panic!("no entry for {id}"));
        assert!(of.next().is_none());
        one
    };
    let entry = of(&whole);
    assert_eq!((&entry["team"], &entry["key"]), (&"tests".into(), &"tests".into()));
    assert_eq!((&entry["provider"], &entry["model"]), (&"chat".into(), &"hello".into()));
    assert_eq!((&entry["status"], &entry["attempts"]), (&200.into(), &1.into()));
    let usage = &whole.json()["usage"];
    assert_eq!(entry["usage"]["input"], usage["prompt_tokens"]);
    assert_eq!(entry["usage"]["output"], usage["completion_tokens"]);
    let cost = whole.header("x-tollgate-cost-usd").unwrap().replacen("0.", "", 1);
    assert_eq!(entry["cost_micro_usd"], cost.parse::<u64>().unwrap());
    assert_eq!(of(&streamed)["usage"], entry["usage"]);
    let raw: Value = serde_json::from_str(of(&streamed)["raw_usage"].as_str().unwrap()).unwrap();
    assert_eq!(raw["total_tokens"], usage["total_tokens"], "as its provider said it");
    assert_eq!(of(&streamed)["cost_micro_usd"], entry["cost_micro_usd"]);
    assert_eq!(of(&failed)["error"].as_str().map(|error| error.is_empty()), Some(false));
    assert!(of(&failed).get("cost_micro_usd").is_none());
    assert_eq!((&of(&refused)["attempts"], &of(&refused)["status"]), (&0.into(), &404.into()));
    let sums = site.told(&["usage", "--by", "team,model", "--days", "1"]);
    let hello = sums.as_array().unwrap().iter().find(|line| line["model"] == "hello").unwrap();
    assert_eq!(hello["calls"], 2, "{sums}");
    assert_eq!(hello["cost_micro_usd"], entry["cost_micro_usd"].as_u64().unwrap() * 2);
    let text = serde_json::to_string(&calls).unwrap() + &site.log();
    assert!(!text.contains(KEY) && !text.contains("Say a few words"), "{text}");
}

/// Calls until the gateway is gone; gives the ids of the answers that were heard to their end, and
/// says whether one was not.
fn call_on(address: SocketAddr, number: &AtomicU32, stop: &AtomicBool) -> Vec<String> {
    let mut heard = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let (id, stream) = (format!("call-{number}"), number.is_multiple_of(2));
        let (path, body) = CHAT.call("chat/hello", stream);
        let Ok(mut socket) = TcpStream::connect(address) else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nx-request-id: {id}\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if socket.write_all(head.as_bytes()).is_err() {
            continue;
        }
        let mut answer = Vec::new();
        // What came before the gateway was gone is kept.
        let _ = socket.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let whole = match stream {
            true => body.contains("[DONE]"),
            false => {
                serde_json::from_str::<Value>(body).is_ok_and(|body| body["usage"].is_object())
            }
        };
        if head.starts_with("HTTP/1.1 200") && whole {
            heard.push(id);
        }
    }
    heard
}

/// Waits until only the files are left that the gateway writes to.
fn until_cleared(site: &Site) {
    let (begun, own) = (Instant::now(), std::thread::available_parallelism().unwrap().get());
    let files = || std::fs::read_dir(site.folder.join("data/journal")).unwrap().count();
    while files() > own {
        assert!(begun.elapsed() < Duration::from_secs(10), "{} files, {own} are its own", files());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_gateway_that_is_killed_again_and_again_forgets_no_call_and_books_none_twice() {
    let mut site = Site::with("");
    let (number, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    let address = site.address;
    let heard: BTreeSet<String> = std::thread::scope(|scope| {
        let callers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| call_on(address, &number, &stop))).collect();
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(200));
            site.kill_and_start_again();
        }
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    assert!(heard.len() > 100, "{} calls are no load", heard.len());
    until_cleared(&site);
    // The last ones are still on their way.
    let named = |entries: &[Value]| -> BTreeSet<String> {
        entries.iter().map(|entry| entry["request_id"].as_str().unwrap().to_owned()).collect()
    };
    let (begun, mut entries) = (Instant::now(), calls(&site));
    while begun.elapsed() < Duration::from_secs(5) && !heard.is_subset(&named(&entries)) {
        std::thread::sleep(Duration::from_millis(50));
        entries = calls(&site);
    }
    let booked = named(&entries);
    let lost: Vec<_> = heard.difference(&booked).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), heard.len());
    let mut of: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in &entries {
        *of.entry(entry["request_id"].as_str().unwrap()).or_default() += 1;
    }
    let twice: Vec<_> = of.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // What its caller heard to the end is booked as that, and not as what was once intended.
    let is_heard = |entry: &&Value| heard.contains(entry["request_id"].as_str().unwrap());
    for entry in entries.iter().filter(is_heard) {
        assert_eq!((&entry["status"], entry.get("error")), (&200.into(), None), "{entry}");
        assert!(entry.get("estimated").is_none(), "{entry}");
    }
    // Intents come before calls, so that whatever reached the provider is in the books.
    let left = entries.iter().filter(|entry| entry["attempts"] == 1).count();
    let received = site.received().len();
    assert!(received > 100 && received <= left, "{received} received, {left} booked");
    let cut = entries.iter().filter(|entry| entry["error"] == "gateway_ended");
    for entry in cut {
        assert_eq!((&entry["status"], &entry["estimated"]), (&0.into(), &true.into()), "{entry}");
        assert!(entry["cost_micro_usd"].as_u64().unwrap() > 0);
    }
    let sums = site.told(&["usage", "--by", "team", "--days", "2"]);
    let cost: u64 = entries.iter().filter_map(|entry| entry["cost_micro_usd"].as_u64()).sum();
    assert_eq!(sums[0]["cost_micro_usd"], cost, "the sums are those of the entries");
}

#[test]
fn a_database_that_is_away_or_silent_fails_no_call_and_is_told_everything_when_it_is_back() {
    let Some(server) = tollgate_testkit::Postgres::start().unwrap() else { return };
    let url = [("DATABASE_URL", server.database("ledger").unwrap())];
    let site =
        Site::surrounded(&url, |text| text + "storage: { database: \"${env:DATABASE_URL}\" }\n");
    let (number, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    let address = site.address;
    let heard = std::thread::scope(|scope| {
        let callers: Vec<_> =
            (0..2).map(|_| scope.spawn(|| call_on(address, &number, &stop))).collect();
        let a_while = || std::thread::sleep(Duration::from_millis(1_500));
        let shipped = || site.metric("tollgate_ledger{event=\"shipped\"}");
        // Nothing reaches the database, and calls are answered all the same.
        let nothing_is_shipped = || {
            std::thread::sleep(Duration::from_millis(300));
            let (before, asked) = (shipped(), number.load(Ordering::Relaxed));
            a_while();
            assert_eq!(shipped(), before, "the database was there");
            assert!(number.load(Ordering::Relaxed) > asked + 20, "calls waited");
        };
        a_while();
        server.stop().unwrap();
        nothing_is_shipped();
        server.start_again().unwrap();
        a_while();
        server.pause().unwrap();
        nothing_is_shipped();
        server.resume().unwrap();
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().map(|caller| caller.join().unwrap().len()).sum::<usize>()
    });
    let asked = number.load(Ordering::Relaxed) as usize;
    assert_eq!(heard, asked, "calls failed");
    assert!(asked > 100, "{asked} calls are no load");
    let entries = until_shipped(&site, asked);
    assert_eq!(entries.len(), asked);
    let ids: BTreeSet<_> =
        entries.iter().map(|entry| entry["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), asked, "each once");
    assert_eq!(site.metric("tollgate_ledger{event=\"lost\"}"), 0);
}
