//! Every call has its exact price: in the answer, in the log and in the metrics. What nobody knows is
//! said to be unknown, and what is guessed is said to be guessed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::site::{DIALECTS, Dialect, KEY, Reply, Site};

/// Dollars for a million tokens of the three providers, input and output.
const PRICES: &str = "prices:\n  - { models: \"chat/*\", input: 3, output: 15 }\n  - { models: \"messages/hello\", input: 0.25, output: 1.25, cache_read_input: 0.025 }\n  - { models: \"generate/*\", free: true }\n";

/// Microdollars of an answer, worked out from what it says itself.
fn worked_out(reply: &Reply, input: f64, output: f64) -> u64 {
    let usage = &reply.json()["usage"];
    let figure = |names: [&str; 2]| {
        names.iter().find_map(|name| usage[*name].as_u64()).unwrap_or_else(|| panic!("{usage}"))
    };
    let sum = figure(["prompt_tokens", "input_tokens"]) as f64 * input
        + figure(["completion_tokens", "output_tokens"]) as f64 * output;
    (sum + 0.5).floor() as u64
}

fn micro(reply: &Reply) -> Option<u64> {
    let text = reply.header("x-tollgate-cost-usd")?;
    let (whole, part) = text.split_once('.').unwrap();
    assert_eq!(part.len(), 6, "{text}");
    Some(format!("{whole}{part}").parse().unwrap())
}

fn last_line(site: &Site, request_id: &str) -> serde_json::Value {
    site.until_logged(request_id);
    let log = site.log();
    let line = log.lines().find(|line| line.contains(request_id) && line.starts_with('{'));
    serde_json::from_str(line.unwrap()).unwrap()
}

#[test]
fn an_answer_says_what_it_cost_to_the_microdollar() {
    let site = Site::with(PRICES);
    let mut sum = 0;
    for caller in [DIALECTS[0], DIALECTS[1]] {
        let reply = site.call(caller, "chat/hello", false);
        let cost = micro(&reply).unwrap();
        // The very same usage, whatever dialect tells of it.
        assert_eq!(cost, worked_out(&reply, 3.0, 15.0), "{}", reply.body);
        assert!(cost > 0);
        let line = last_line(&site, reply.header("x-request-id").unwrap());
        assert_eq!(line["tollgate.cost.micro_usd"], cost, "{line}");
        assert!(line.get("tollgate.usage.estimated").is_none(), "{line}");
        sum += cost;
    }
    let dear = micro(&site.call(DIALECTS[0], "messages/hello", false)).unwrap();
    let reply = site.call(DIALECTS[1], "messages/hello", false);
    assert_eq!(micro(&reply), Some(worked_out(&reply, 0.25, 1.25)));
    assert_eq!(micro(&reply), Some(dear));
    assert_eq!(micro(&site.call(DIALECTS[2], "generate/hello", false)), Some(0), "free is a price");
    let series =
        "tollgate_cost_micro_usd_total{gen_ai_provider_name=\"simulated\",tollgate_team=\"tests\"}";
    assert_eq!(site.metric(series), sum + 2 * dear);
}

#[test]
fn a_stream_costs_what_the_same_answer_costs_whole() {
    let site = Site::with(PRICES);
    for (caller, provider) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (caller, provider): (Dialect, Dialect) = (DIALECTS[caller], DIALECTS[provider]);
        let model = format!("{}/hello", provider.provider);
        let whole = micro(&site.call(caller, &model, false)).unwrap();
        let streamed = site.call(caller, &model, true);
        assert!(streamed.header("x-tollgate-cost-usd").is_none(), "nobody knows it yet");
        let line = last_line(&site, streamed.header("x-request-id").unwrap());
        assert_eq!(line["tollgate.cost.micro_usd"], whole, "{line}");
    }
}

#[test]
fn what_nobody_knows_is_not_zero() {
    // A price for another model only, and one that lacks the rate of the output.
    let prices = "prices:\n  - { models: \"messages/other\", input: 1, output: 1 }\n  - { models: \"chat/*\", tier: batch, input: 1, output: 1 }\n  - { models: \"generate/*\", input: 1 }\n";
    let site = Site::with(prices);
    for (model, why) in [("chat/hello", "no_price_for_tier"), ("generate/hello", "no_rate")] {
        let reply = site.call(DIALECTS[0], model, false);
        assert_eq!((reply.status, micro(&reply)), (200, None), "{}", reply.head);
        let line = last_line(&site, reply.header("x-request-id").unwrap());
        assert_eq!(line["tollgate.cost.unknown"], why, "{line}");
        assert!(line.get("tollgate.cost.micro_usd").is_none());
        let series = format!(
            "tollgate_unpriced_total{{gen_ai_provider_name=\"simulated\",reason=\"{why}\"}}"
        );
        assert_eq!(site.metric(&series), 1);
    }
}

#[test]
fn what_is_not_charged_for_has_no_cost() {
    let site = Site::with(PRICES);
    // Refused here, refused there, and counted for nothing.
    let refused = site.call(DIALECTS[0], "nobody/hello", false);
    let failed = site.call(DIALECTS[0], "chat/fault-500", false);
    let count = site.post(
        "/v1/messages/count_tokens",
        &format!("authorization: Bearer {KEY}\r\nanthropic-version: 2023-06-01\r\n"),
        r#"{"model":"messages/hello","messages":[{"role":"user","content":"Say a few words."}]}"#,
    );
    assert_eq!(count.status, 200, "{}", count.body);
    for reply in [refused, failed, count] {
        assert_eq!(micro(&reply), None);
        let line = last_line(&site, reply.header("x-request-id").unwrap());
        assert!(line.get("tollgate.cost.micro_usd").is_none(), "{line}");
        assert!(line.get("tollgate.cost.unknown").is_none(), "{line}");
    }
}

#[test]
fn who_leaves_pays_for_what_was_delivered_and_it_is_said_to_be_an_estimate() {
    let site = Site::with(PRICES);
    for (number, caller) in DIALECTS.into_iter().enumerate() {
        let (path, body) = caller.call("chat/hello-pace-50ms", true);
        let id = format!("left-{number}");
        let mut socket = TcpStream::connect(site.address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nx-request-id: {id}\r\nauthorization: Bearer {KEY}\r\nanthropic-version: 2023-06-01\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut heard = Vec::new();
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains("data: ") {
            let read = socket.read(&mut piece).unwrap();
            heard.extend_from_slice(&piece[..read]);
        }
        drop(socket);
        let line = last_line(&site, &id);
        assert_eq!(line["tollgate.left"], true, "{line}");
        assert_eq!(line["tollgate.usage.estimated"], true, "{line}");
        assert!(line["tollgate.cost.micro_usd"].as_u64().unwrap() > 0, "{line}");
        assert!(line["gen_ai.usage.input_tokens"].as_u64().unwrap() > 0, "{line}");
    }
}
