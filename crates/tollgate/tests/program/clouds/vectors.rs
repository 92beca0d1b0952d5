//! Vectors and rankings of Bedrock's models, asked for in other dialects.

use serde_json::{Value, json};

use super::super::attacks::bench::{Listener, answer};
use super::super::site::{KEY, Reply, Site};
use super::{SECRET, aws_keys, credentials, with_provider};

const TITAN: &str = "amazon.titan-embed-text-v2:0";

/// With the simulated provider in Bedrock's place, called with a bearer token.
fn site() -> Site {
    Site::surrounded(&[("TOKEN", "bedrock-token-not-a-secret".to_owned())], |text| {
        let (_, rest) = text.split_once("base_url: \"").unwrap();
        let (base, _) = rest.split_once("/v1\"").unwrap();
        let provider = format!(
            "  bedrock: {{ kind: bedrock, region: eu-west-1, base_url: \"{base}\", api_key: \"${{env:TOKEN}}\" }}\nteams:"
        );
        text.replacen("teams:", &provider, 1)
    })
}

fn ask(site: &Site, path: &str, body: &Value) -> Reply {
    site.post(path, &format!("authorization: Bearer {KEY}\r\n"), &body.to_string())
}

fn embed(site: &Site, model: &str, more: &Value) -> Reply {
    let mut body = json!({"model": format!("bedrock/{model}")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(site, "/v1/embeddings", &body)
}

fn sizes(reply: &Reply) -> Vec<usize> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let list = reply.json()["data"].as_array().unwrap().clone();
    list.iter().map(|one| one["embedding"].as_array().unwrap().len()).collect()
}

#[test]
fn titan_makes_one_vector_for_one_text() {
    let site = site();
    let reply = embed(&site, TITAN, &json!({"input": "Good day", "dimensions": 256}));
    assert_eq!(sizes(&reply), [256]);
    let counted = reply.json()["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(counted > 0, "{}", reply.body);

    // The first version has one size, which the caller is told.
    let first = "amazon.titan-embed-text-v1";
    let reply = embed(&site, first, &json!({"input": ["Good day"], "dimensions": 256}));
    assert_eq!(sizes(&reply), [1536]);
    let loss = reply.header("x-tollgate-loss").unwrap();
    assert!(loss.contains("dimensions"), "{loss}");

    let path = format!("/v1beta/models/bedrock/{TITAN}:embedContent");
    let body = json!({"content": {"parts": [{"text": "Good day"}]}, "outputDimensionality": 512});
    let reply = ask(&site, &path, &body);
    let values = reply.json()["embedding"]["values"].as_array().map(Vec::len);
    assert_eq!((reply.status, values), (200, Some(512)), "{}", reply.body);
}

#[test]
fn what_titan_cannot_be_asked_is_refused() {
    let site = site();
    let reply = embed(&site, TITAN, &json!({"input": ["one", "two"]}));
    assert_eq!(reply.status, 400, "{}", reply.body);
    let error = &reply.json()["error"];
    assert_eq!(error["param"], "input");
    assert!(error["message"].as_str().unwrap().contains("one text per request"), "{error}");

    let reply = embed(&site, "amazon.nova-pro-v1:0", &json!({"input": "one"}));
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("model")));

    // The provider's own refusal.
    let reply = embed(&site, TITAN, &json!({"input": "one", "dimensions": 7}));
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert!(reply.body.contains("dimensions is not a valid"), "{}", reply.body);
}

#[test]
fn cohere_on_bedrock_makes_vectors_and_rankings() {
    let site = site();
    let reply = embed(&site, "cohere.embed-english-v3", &json!({"input": ["one", "two", "three"]}));
    assert_eq!(sizes(&reply).len(), 3);

    for model in ["cohere.rerank-v3-5:0", "amazon.rerank-v1:0"] {
        let body = json!({"model": format!("bedrock/{model}"), "query": "capital of France",
            "documents": ["Snow is white", "Paris is the capital of France"], "top_n": 1});
        for path in ["/v1/rerank", "/v2/rerank"] {
            let reply = ask(&site, path, &body);
            assert_eq!(reply.status, 200, "{model} {path} {}", reply.body);
            let results = reply.json()["results"].clone();
            assert_eq!((results[0]["index"].as_u64(), results[1].is_null()), (Some(1), true));
        }
    }
}

#[test]
fn a_request_for_vectors_is_signed_with_its_model_in_the_path_alone() {
    let told = json!({"embedding": [0.5, -1.0], "inputTextTokenCount": 2}).to_string();
    let provider = Listener::answering(move |_| answer("200 OK", "", &told));
    let line = format!(
        "  bedrock: {{ kind: bedrock, region: eu-west-1, base_url: \"http://{}\", credentials: {{ access_key_id: \"${{env:KEY_ID}}\", secret_access_key: \"${{env:KEY_SECRET}}\" }} }}",
        provider.address
    );
    let site = with_provider(&aws_keys(), &line);
    let reply = embed(&site, TITAN, &json!({"input": "Good day", "encoding_format": "base64"}));
    assert_eq!(reply.json()["data"][0]["embedding"], "AAAAPwAAgL8=", "{}", reply.body);
    let request = provider.received().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = "POST /model/amazon.titan-embed-text-v2%3A0/invoke HTTP/1.1\r\n";
    assert!(head.starts_with(path), "{head}");
    assert_eq!(body, r#"{"inputText":"Good day"}"#);
    credentials::verify(&request, SECRET, "eu-west-1", "bedrock");
}
