//! The books balance: each call that left for a provider has one entry, whatever ended it, and
//! whatever became of the gateway.

use std::collections::BTreeMap;
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
        let whole = if stream { text.contains("[DONE]") } else { text.trim_end().ends_with("}}") };
        if text.starts_with("HTTP/1.1 200") && whole {
            heard.push(id);
        }
    }
    heard
}

#[test]
fn a_gateway_that_is_killed_again_and_again_forgets_no_call_and_books_none_twice() {
    let mut site = Site::with("");
    let (number, stop) = (AtomicU32::new(0), AtomicBool::new(false));
    let address = site.address;
    let heard: Vec<String> = std::thread::scope(|scope| {
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
    until_shipped(&site, heard.len());
    let begun = Instant::now();
    while std::fs::read_dir(site.folder.join("data/journal")).unwrap().count() > 64 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the journal is not cleared");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
    let entries = calls(&site);
    let mut of: BTreeMap<&str, u32> = BTreeMap::new();
    for entry in &entries {
        *of.entry(entry["request_id"].as_str().unwrap()).or_default() += 1;
    }
    let twice: Vec<_> = of.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let lost: Vec<_> = heard.iter().filter(|id| !of.contains_key(id.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), heard.len());
    let cut = entries.iter().filter(|entry| entry["error"] == "gateway_ended");
    for entry in cut {
        assert_eq!((&entry["status"], &entry["estimated"]), (&0.into(), &true.into()), "{entry}");
        assert!(entry["cost_micro_usd"].as_u64().unwrap() > 0);
    }
    let sums = site.told(&["usage", "--by", "team", "--days", "2"]);
    let cost: u64 = entries.iter().filter_map(|entry| entry["cost_micro_usd"].as_u64()).sum();
    assert_eq!(sums[0]["cost_micro_usd"], cost, "the sums are those of the entries");
}
