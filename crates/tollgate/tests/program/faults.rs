//! Whatever a provider does, its caller gets an answer or an error it understands; never a clean
//! end of an answer that is not whole.

use super::site::{DIALECTS, Dialect, PROVIDER_KEY, Reply, Site};

/// A misbehaviour, and the statuses that may come of it in a buffered and a streamed call (200: the
/// stream had begun).
const FAULTS: [(&str, &[u16], &[u16]); 20] = [
    ("fault-429", &[429], &[429]),
    ("fault-429-no-retry-after", &[429], &[429]),
    ("fault-429-quota", &[429], &[429]),
    ("fault-500", &[500], &[500]),
    ("fault-503", &[503], &[503]),
    ("fault-529", &[529, 503], &[529, 503]),
    ("fault-401", &[401], &[401]),
    ("fault-silence", &[504], &[504]),
    ("fault-reset-early", &[502], &[502]),
    ("fault-html", &[502], &[502]),
    ("fault-empty", &[502], &[502]),
    ("fault-garbage", &[502], &[502, 200]),
    ("fault-wrong-json", &[502], &[502, 200]),
    ("fault-redirect", &[502], &[502]),
    ("fault-error-in-stream", &[200], &[200]),
    ("fault-stall", &[200, 502, 504], &[200]),
    ("fault-reset", &[502], &[200]),
    ("fault-cut", &[502], &[200]),
    ("fault-clean-end", &[502, 200], &[200]),
    ("fault-garbage-chunk", &[502, 200], &[200]),
];

#[test]
fn every_fault_arrives_in_the_callers_dialect() {
    let site = &Site::impatient("");
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let pairs =
            DIALECTS.into_iter().flat_map(|caller| DIALECTS.map(|provider| (caller, provider)));
        let judged: Vec<_> = pairs
            .map(|(caller, provider)| scope.spawn(move || judged(site, caller, provider)))
            .collect();
        judged.into_iter().flat_map(|pair| pair.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every fault of one provider, buffered and streamed, as one caller sees it.
fn judged(site: &Site, caller: Dialect, provider: Dialect) -> Vec<String> {
    let mut wrong = Vec::new();
    for (fault, buffered, streamed) in FAULTS {
        let model = format!("{}/{fault}", provider.provider);
        let what = format!("{fault} {} -> {}", caller.name, provider.name);
        if fault != "fault-error-in-stream" {
            let reply = site.call(caller, &model, false);
            wrong.extend(judge(caller, &reply, buffered, false, &format!("{what} buffered")));
        }
        let reply = site.call(caller, &model, true);
        wrong.extend(judge(caller, &reply, streamed, true, &format!("{what} streamed")));
    }
    wrong
}

fn judge(
    caller: Dialect,
    reply: &Reply,
    statuses: &[u16],
    stream: bool,
    what: &str,
) -> Option<String> {
    let complain = |why: &str| {
        let end: String =
            reply.body.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect();
        Some(format!("{what}: {why}; status {}; …{end}", reply.status))
    };
    if !statuses.contains(&reply.status) {
        return complain(&format!("expected one of {statuses:?}"));
    }
    if reply.body.contains("<html") || reply.body.contains(PROVIDER_KEY) {
        return complain("the provider's own text or key leaked");
    }
    if reply.status != 200 {
        let body = serde_json::from_str(&reply.body).unwrap_or_default();
        if !caller.is_error(&body) {
            return complain("no error object of the dialect");
        }
        if matches!(reply.status, 429 | 503) && reply.header("retry-after").is_none() {
            return complain("no retry-after");
        }
    } else if stream {
        let last = reply.body.rsplit("data: ").next().unwrap_or_default().trim();
        let body = serde_json::from_str(last).unwrap_or_default();
        if !caller.is_error(&body) {
            return complain("the stream does not end in an error event");
        }
        if reply.body.contains("[DONE]") || reply.body.contains("message_stop") {
            return complain("the stream ends cleanly as well");
        }
    }
    None
}

#[test]
fn a_provider_that_drips_or_omits_only_the_terminator_is_still_heard() {
    let site = Site::start();
    for caller in DIALECTS {
        for provider in DIALECTS {
            let model = format!("{}/fault-drip", provider.provider);
            let reply = site.call(caller, &model, true);
            assert_eq!(reply.status, 200, "{caller:?} {provider:?}: {}", reply.body);
            assert!(caller.ends_cleanly(&reply.body), "{caller:?} {provider:?}: {}", reply.body);
        }
    }
}

#[test]
fn another_target_answers_when_the_first_one_fails_before_its_first_token() {
    for fault in
        ["fault-500", "fault-429", "fault-reset-early", "fault-html", "fault-silence", "fault-401"]
    {
        let models = format!(
            "models:\n  assistant:\n    targets: [{{ to: chat/{fault} }}, {{ to: messages/hello }}]\n"
        );
        let site = Site::impatient(&models);
        for caller in DIALECTS {
            for stream in [false, true] {
                let reply = site.call(caller, "assistant", stream);
                assert_eq!(reply.status, 200, "{fault} {caller:?}: {}", reply.body);
                assert_eq!(reply.header("x-tollgate-target"), Some("messages/hello"));
                assert_eq!(reply.header("x-tollgate-attempts"), Some("2"));
            }
        }
    }
}

#[test]
fn a_retry_after_is_the_providers_own() {
    let site = Site::start();
    let reply = site.call(DIALECTS[0], "chat/fault-429", false);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds >= 1, "{seconds}");
    let quota = site.call(DIALECTS[0], "chat/fault-429-quota", false);
    assert_eq!(quota.header("x-should-retry"), Some("false"));
    assert_eq!(quota.json()["error"]["code"], "insufficient_quota");
}
