//! Hostile input that others have collected, over real sockets: requests that are no HTTP, bodies
//! that are no JSON, addresses and strings that break programs. Each gets the verdict that its
//! collection states, and the process goes on.
//!
//! Nothing of the collections is copied here; where they are absent a test says so.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::attacks::bench::{Listener, Swept, with_provider};
use super::attacks::framing::{conversation, said, statuses};
use super::site::{DIALECTS, KEY, Site};

fn records(file: &str) -> Vec<Value> {
    tollgate_testkit::robustness(file).unwrap_or_default()
}

#[test]
fn every_request_that_a_strict_parser_rejects_is_refused_here() {
    let records = records("http1.jsonl.gz");
    let requests = records.iter().filter(|r| r["kind"] == "request" && r["verdict"] == "reject");
    let strict: Vec<_> = requests.filter(|r| r["strict"] != false).collect();
    let site = &Swept::new(Site::start());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let judged: Vec<_> = strict.iter().map(|r| scope.spawn(|| judged(site, r))).collect();
        judged.into_iter().filter_map(|wrong| wrong.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), strict.len(), wrong.join("\n"));
    assert!(strict.is_empty() || strict.len() > 40, "{}", strict.len());
    assert_eq!(site.received().len(), 0);
    site.serves();
}

/// What is wrong with the answer to a request that must be refused, if anything is.
fn judged(site: &Site, record: &Value) -> Option<String> {
    let bytes = STANDARD.decode(record["bytes_b64"].as_str().unwrap()).unwrap();
    // Some end before the line that is wrong does.
    for end in ["", "\r\n\r\n"] {
        let (said, closed) = conversation(site, &[&bytes[..], end.as_bytes()].concat(), 1);
        let answered = statuses(&said);
        let refused = answered.last().is_none_or(|status| *status == 400);
        // What is wrong may stand in a body that nobody wanted to read, or after an offer to change
        // the protocol: the request before it is answered, and nothing after it.
        let ended = answered.len() == 1 && (closed || end.is_empty()) && !said.contains(" 101 ");
        if !refused && !ended {
            return Some(format!("{}: {}\n{said}", record["id"], record["title"]));
        }
    }
    None
}

#[test]
fn no_answer_that_is_no_http_reaches_a_caller() {
    let records = records("http1.jsonl.gz");
    let answers: Vec<Vec<u8>> = records
        .iter()
        .filter(|record| record["kind"] == "response")
        .map(|record| STANDARD.decode(record["bytes_b64"].as_str().unwrap()).unwrap())
        .collect();
    assert!(answers.is_empty() || answers.len() > 20, "{}", answers.len());
    let (count, played) = (answers.len(), answers);
    let provider = Listener::answering(move |request| {
        let (_, rest) = request.split_once("answer-").unwrap();
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        vec![played[number.parse::<usize>().unwrap()].clone()]
    });
    let site = Swept::new(Site::adapted("", |text| {
        with_provider(&text, "far", "openai-chat", provider.address)
    }));
    std::thread::scope(|scope| {
        for (at, caller) in DIALECTS.into_iter().enumerate() {
            let site = &site;
            scope.spawn(move || {
                for number in 0..count {
                    // None of them holds an answer of a model, sound or not.
                    let stream = (number + at) % 2 == 0;
                    let reply = site.call(caller, &format!("far/answer-{number}"), stream);
                    assert!(reply.status >= 400, "{number}: {} {}", reply.status, reply.body);
                    assert!(caller.is_error(&reply.json()), "{number}: {}", reply.body);
                }
            });
        }
    });
    site.serves();
}

#[test]
fn no_body_that_is_no_json_passes_and_none_that_is_one_is_taken_for_broken() {
    let site = &Swept::new(Site::start());
    let mut counts = BTreeMap::<&str, usize>::new();
    let records = records("json_parsing.jsonl.gz");
    for record in &records {
        let bytes = if let Some(text) = record["text"].as_str() {
            text.as_bytes().to_vec()
        } else if let Some(text) = record["text_b64"].as_str() {
            STANDARD.decode(text).unwrap()
        } else {
            let times = usize::try_from(record["generate"]["times"].as_u64().unwrap()).unwrap();
            record["generate"]["repeat"].as_str().unwrap().repeat(times).into_bytes()
        };
        let expect = record["expect"].as_str().unwrap();
        let file = record["file"].as_str().unwrap();
        for caller in DIALECTS {
            let (path, call) = caller.call("chat/hello", false);
            // As the whole body, and as a field that nobody knows.
            let inside = [&call.as_bytes()[..call.len() - 1], b",\"x\":", &bytes, b"}"].concat();
            for (place, body) in [("whole", &bytes), ("inside", &inside)] {
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\nanthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let reply = site.exchange(&[head.as_bytes(), body].concat()).expect("an answer");
                let broken = reply.body.contains("not acceptable JSON");
                assert!(reply.status < 500, "{file} {place}: {}", reply.body);
                // What is wrong by itself may be right between two braces.
                let sure = place == "whole";
                match expect {
                    "reject" if sure => {
                        assert!(reply.status == 400 && broken, "{file}: {}", reply.body)
                    }
                    // A key that stands twice is JSON by the letter, and refused all the same.
                    "accept" if file.contains("duplicated_key") => assert!(broken, "{file}"),
                    "accept" => assert!(!broken, "{file} {place}: {}", reply.body),
                    _ => {}
                }
            }
        }
        *counts.entry(expect).or_default() += 1;
    }
    assert!(counts.is_empty() || counts.values().sum::<usize>() > 180, "{counts:?}");
    site.serves();
}

#[test]
fn no_address_ends_the_process_or_reaches_a_provider() {
    let site = &Swept::new(Site::start());
    let records = records("urls.jsonl.gz");
    std::thread::scope(|scope| {
        for part in records.chunks(records.len().div_ceil(4).max(1)) {
            scope.spawn(move || {
                for record in part {
                    let url = record["input"].as_str().unwrap();
                    for method in ["GET", "POST"] {
                        let request = format!(
                            "{method} {url} HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
                        );
                        let said = said(site, request.as_bytes(), 1);
                        let statuses = statuses(&said);
                        // `/` alone answers, whatever host stands before it.
                        let fine = |s: &u16| (400..500).contains(s) || (*s == 200 && method == "GET");
                        assert!(statuses.len() <= 1 && statuses.iter().all(fine), "{url:?}: {said}");
                    }
                    // As the name of a model, in a path and in a body.
                    let coded: String = url.bytes().map(|byte| format!("%{byte:02X}")).collect();
                    let (_, body) = DIALECTS[2].call("", false);
                    for path in [format!("/v1beta/models/{coded}:generateContent"), format!("/v1beta/models/chat%2F{coded}:countTokens")] {
                        let reply = site.post(&path, "", &body);
                        assert!(reply.status < 500, "{url:?}: {}", reply.body);
                    }
                    let named = serde_json::json!({ "model": url, "messages": [{ "role": "user", "content": "x" }] });
                    let reply = site.post("/v1/chat/completions", "", &named.to_string());
                    assert!(matches!(reply.status, 400 | 404), "{url:?}: {}", reply.body);
                }
            });
        }
    });
    for call in site.received() {
        let path = call["path"].as_str().unwrap();
        assert!(path == "/v1/chat/completions", "{call}");
    }
    site.serves();
}

#[test]
fn naughty_strings_reach_the_provider_as_they_were_written() {
    let site = &Swept::new(Site::start());
    let records = records("naughty_strings.jsonl.gz");
    let strings: Vec<&str> = records.iter().filter_map(|r| r["text"].as_str()).collect();
    std::thread::scope(|scope| {
        for (at, caller) in DIALECTS.into_iter().enumerate() {
            let strings = &strings;
            scope.spawn(move || {
                for (number, text) in strings.iter().enumerate() {
                    // Each string goes to a provider of another dialect.
                    let to = DIALECTS[(number + at) % 3];
                    let model = format!("{}/naughty-{at}-{number}-", to.provider);
                    let (path, body) = caller.call(&model, number % 2 == 0);
                    let body = body.replace("\"Say a few words.\"", &Value::from(*text).to_string());
                    let reply = site.post(&path, "", &body);
                    // An empty message is for the provider to refuse.
                    let blank = text.trim().is_empty();
                    assert!(reply.status == 200 || (blank && reply.status == 400), "{text:?}: {}", reply.body);
                    if number % 3 != at {
                        continue;
                    }
                    let named = body.replace(&Value::from(model).to_string(), &Value::from(*text).to_string());
                    let reply = site.post(&path, "", &named);
                    assert!(reply.status < 500, "{text:?}: {}", reply.body);
                    let header: String = text.chars().filter(|c| !c.is_control()).collect();
                    let reply = site.post(&path, &format!("x-tollgate-tags: {header}\r\nuser-agent: {header}\r\nx-request-id: {header}\r\n"), &body);
                    assert!(reply.status < 500, "{text:?}: {}", reply.body);
                    let reply = site.post_as_nobody(&path, &format!("x-api-key: {header}\r\n"), &body);
                    assert!(matches!(reply.status, 400 | 401), "{text:?}: {}", reply.body);
                }
            });
        }
    });
    let received = site.received();
    let mut found = vec![0; strings.len()];
    for call in &received {
        let Some(model) = call["model"].as_str() else { continue };
        let Some(rest) = model.split_once("naughty-").map(|(_, rest)| rest) else { continue };
        let number: usize = rest.split('-').nth(1).unwrap().parse().unwrap();
        let body = &call["body"];
        let said = [
            &body["messages"][0]["content"],
            &body["messages"][0]["content"][0]["text"],
            &body["contents"][0]["parts"][0]["text"],
        ];
        let text = Value::from(strings[number]);
        assert!(said.contains(&&text), "{text} became {body}");
        found[number] += 1;
    }
    let missing: Vec<_> =
        (0..strings.len()).filter(|n| found[*n] < 3 && !strings[*n].trim().is_empty()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    site.serves();
}
