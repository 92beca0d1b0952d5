//! What rests at a provider is its owner's only, and a follow-up goes where it rests (T25).

use serde_json::Value;

use super::super::site::{KEY, PROVIDER_KEY, Reply, Site, exchange};

/// Another team's key; what it says does not matter here.
const OTHER: &str = PROVIDER_KEY;

/// A gateway with two providers that keep responses, and two teams.
fn site() -> Site {
    Site::adapted("", |text| {
        let at = text.find("base_url: ").unwrap();
        let base = text[at..].lines().next().unwrap();
        let provider = |name: &str| {
            format!(
                "  {name}:\n    kind: simulated\n    {base}\n    api_key: \"${{env:PROVIDER_KEY}}\"\n"
            )
        };
        let providers =
            provider("first") + &provider("second") + "teams: { others: {}, tests: {} }";
        text.replace("teams: { tests: {} }", &providers).replace(
            "keys: {",
            "keys: { others: { team: others, secret: \"${env:PROVIDER_KEY}\" },",
        )
    })
}

fn ask(site: &Site, key: &str, method: &str, path: &str, body: &str) -> Reply {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n\
         authorization: Bearer {key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exchange(site.address, &[head.as_bytes(), body.as_bytes()].concat()).expect("an answer")
}

fn made(site: &Site, stream: bool) -> String {
    let body = format!(r#"{{"model":"first/hello","input":"Say a few words.","stream":{stream}}}"#);
    let reply = ask(site, KEY, "POST", "/v1/responses", &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    if !stream {
        return reply.json()["id"].as_str().unwrap().to_owned();
    }
    let data = reply.body.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
    let created: Value = serde_json::from_str(data).unwrap();
    created["response"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn t25_a_stored_response_is_its_owners_only() {
    let site = site();
    for stream in [false, true] {
        let id = made(&site, stream);
        let never = "resp_00000000000000000000000000000000";
        let paths = |id: &str| {
            [
                ("GET", format!("/v1/responses/{id}")),
                ("GET", format!("/v1/responses/{id}/input_items")),
                ("POST", format!("/v1/responses/{id}/cancel")),
                ("DELETE", format!("/v1/responses/{id}")),
            ]
        };
        let before = site.received().len();
        for ((method, theirs), (_, none)) in paths(&id).into_iter().zip(paths(never)) {
            let other = ask(&site, OTHER, method, &theirs, "");
            let missing = ask(&site, OTHER, method, &none, "");
            assert_eq!(other.status, 404, "{method} {theirs}: {}", other.body);
            assert_eq!(other.json()["error"]["type"], "invalid_request_error");
            let (a, b) = (other.body.replace(&id, "ID"), missing.body.replace(never, "ID"));
            assert_eq!(a, b, "{method}: the same words for what is not there");
        }
        for field in ["previous_response_id", "conversation"] {
            let body = format!(r#"{{"model":"first/hello","input":"x","{field}":"{id}"}}"#);
            let reply = ask(&site, OTHER, "POST", "/v1/responses", &body);
            assert_eq!(reply.status, 404, "{}", reply.body);
            assert_eq!(reply.json()["error"]["param"], field);
        }
        let body = format!(
            r#"{{"model":"first/hello","input":[{{"type":"item_reference","id":"{id}"}}]}}"#
        );
        assert_eq!(ask(&site, OTHER, "POST", "/v1/responses", &body).status, 404);
        assert_eq!(site.received().len(), before, "no provider was asked");

        let found = ask(&site, KEY, "GET", &format!("/v1/responses/{id}"), "");
        assert_eq!((found.status, &found.json()["id"]), (200, &Value::from(id.as_str())));
        assert_eq!(found.header("x-tollgate-target"), Some("first/hello"));
    }
}

#[test]
fn t25_a_follow_up_goes_where_it_rests_until_it_is_deleted() {
    let site = site();
    let id = made(&site, true);
    let on = |model: &str| {
        let body =
            format!(r#"{{"model":"{model}","input":"More.","previous_response_id":"{id}"}}"#);
        ask(&site, KEY, "POST", "/v1/responses", &body)
    };
    let reply = on("first/hello");
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("x-tollgate-target"), Some("first/hello"));
    let elsewhere = on("second/hello");
    assert_eq!(elsewhere.status, 400, "{}", elsewhere.body);
    assert_eq!(elsewhere.json()["error"]["code"], "rests_elsewhere");
    let other_dialect = on("messages/hello");
    assert_eq!(other_dialect.status, 400, "{}", other_dialect.body);
    assert_eq!(other_dialect.json()["error"]["code"], "stateless_target");
    assert_eq!(other_dialect.json()["error"]["param"], "previous_response_id");

    let path = format!("/v1/responses/{id}");
    let deleted = ask(&site, KEY, "DELETE", &path, "");
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    assert_eq!(ask(&site, KEY, "GET", &path, "").status, 404);
    assert_eq!(on("first/hello").status, 404);
}

#[test]
fn t25_what_is_made_shorter_goes_where_it_rests_for_its_owner_only() {
    let site = site();
    let id = made(&site, false);
    let body = |model: &str| format!(r#"{{"model":"{model}","previous_response_id":"{id}"}}"#);
    let path = "/v1/responses/compact";
    let before = site.received().len();
    assert_eq!(ask(&site, OTHER, "POST", path, &body("first/hello")).status, 404);
    let elsewhere = ask(&site, KEY, "POST", path, &body("second/hello"));
    assert_eq!(elsewhere.json()["error"]["code"], "rests_elsewhere", "{}", elsewhere.body);
    let other_dialect = ask(&site, KEY, "POST", path, &body("messages/hello"));
    assert_eq!(other_dialect.status, 400, "{}", other_dialect.body);
    assert_eq!(site.received().len(), before, "no provider was asked");
    let shorter = ask(&site, KEY, "POST", path, &body("first/hello"));
    assert_eq!(shorter.status, 200, "{}", shorter.body);
    assert_eq!(shorter.header("x-tollgate-target"), Some("first/hello"));
    let told = shorter.json();
    assert_eq!(told["object"], "response.compaction");
    assert_eq!(told["output"][1]["type"], "compaction", "{told}");
    let used = format!("\"gen_ai.usage.output_tokens\":{}", told["usage"]["output_tokens"]);
    site.until_logged("\"gen_ai.operation.name\":\"compaction\"");
    site.until_logged(&used);
}

#[test]
fn t25_what_is_not_to_be_stored_is_not_entered_and_items_are() {
    let site = site();
    let reply = |more: &str| {
        let body = format!(r#"{{"model":"first/hello","input":"Say a few words."{more}}}"#);
        ask(&site, KEY, "POST", "/v1/responses", &body)
    };
    let id = reply(r#","store":false"#).json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/responses/{id}");
    assert_eq!(ask(&site, KEY, "GET", &path, "").status, 404);

    let item = |reply: &Reply| {
        let mut data = reply.body.lines().filter_map(|line| line.strip_prefix("data:"));
        let whole = data.next_back().map_or_else(
            || reply.json(),
            |data| serde_json::from_str::<Value>(data).unwrap()["response"].clone(),
        );
        whole["output"][0]["id"].as_str().unwrap().to_owned()
    };
    for more in ["", r#","stream":true"#] {
        let id = item(&reply(more));
        let body = format!(
            r#"{{"model":"first/hello","input":[{{"type":"item_reference","id":"{id}"}}]}}"#
        );
        let own = ask(&site, KEY, "POST", "/v1/responses", &body);
        assert!(!own.body.contains("not found") || own.header("x-tollgate-target").is_some());
        assert_eq!(ask(&site, OTHER, "POST", "/v1/responses", &body).status, 404);
    }
}
