//! Bedrock's dialect: whole or in binary frames it says the same, every checksum holds, and what the
//! vendor would refuse is refused in its shape.
#![expect(clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use bytes::Bytes;
use serde_json::{Value, json};
use tollgate_simulate::{Request, Script, Simulator, Step};

fn ask(path: &str, body: &Value) -> Script {
    Simulator::new().answer(&Request {
        method: "POST".into(),
        path: path.into(),
        query: String::new(),
        headers: vec![("authorization".into(), "Bearer k".into())],
        body: Bytes::from(body.to_string()),
    })
}

fn told(path: &str, body: &Value) -> (u16, Value) {
    let script = ask(path, body);
    (script.status, serde_json::from_slice(&script.sent()).unwrap_or_default())
}

/// CRC-32 bit by bit: the plainest way there is.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
        }
    }
    !sum
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b))
}

type Head = Vec<(String, String)>;

/// Headers and payload of each frame; an error where a checksum does not hold.
fn frames(mut bytes: &[u8]) -> Result<Vec<(Head, Value)>, String> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let whole = number(&bytes[..4]);
        let head = number(&bytes[4..8]);
        let (frame, rest) = bytes.split_at_checked(whole).ok_or("a frame is cut off")?;
        if number(&frame[8..12]) != checksum(&frame[..8]) as usize
            || number(&frame[whole - 4..]) != checksum(&frame[..whole - 4]) as usize
        {
            return Err("a checksum is wrong".to_owned());
        }
        let mut headers = Vec::new();
        let mut left = &frame[12..12 + head];
        while let [length, more @ ..] = left {
            let (name, more) = more.split_at(usize::from(*length));
            assert_eq!(more[0], 7, "a string");
            let (value, more) = more[3..].split_at(number(&more[1..3]));
            let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
            headers.push((text(name), text(value)));
            left = more;
        }
        frames.push((headers, serde_json::from_slice(&frame[12 + head..whole - 4]).unwrap()));
        bytes = rest;
    }
    Ok(frames)
}

fn sound(user: &str) -> Value {
    json!({
        "messages": [{"role": "user", "content": [{"text": user}]}],
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "inferenceConfig": {"maxTokens": 4000, "temperature": 1},
        "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}]},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    })
}

const AT: &str = "/model/us.anthropic.claude-test-v1%3A0";

#[test]
fn a_stream_says_what_is_said_whole() {
    for user in ["Hello, world.", "call get_weather", "please filter", "please refuse"] {
        let (status, whole) = told(&format!("{AT}/converse"), &sound(user));
        assert_eq!(status, 200, "{whole}");
        let script = ask(&format!("{AT}/converse-stream"), &sound(user));
        let all = frames(&script.sent()).unwrap();
        let named = |name: &str| {
            let has = move |h: &Head| h[0] == (":event-type".into(), name.into());
            all.iter().filter(move |(h, _)| has(h)).map(|(_, p)| p).collect::<Vec<_>>()
        };
        assert_eq!(named("messageStart")[0]["role"], "assistant");
        assert_eq!(named("messageStop")[0]["stopReason"], whole["stopReason"]);
        assert_eq!(named("metadata")[0]["usage"], whole["usage"]);
        for (headers, payload) in &all {
            assert_eq!(headers[1], (":content-type".into(), "application/json".into()));
            assert_eq!(headers[2], (":message-type".into(), "event".into()));
            assert!(payload["p"].is_string());
        }
        let blocks = whole["output"]["message"]["content"].as_array().unwrap();
        assert_eq!(named("contentBlockStop").len(), blocks.len());
        for (at, block) in blocks.iter().enumerate() {
            let deltas = named("contentBlockDelta");
            let of = |pointer: &str| -> String {
                let own = deltas.iter().filter(|d| d["contentBlockIndex"] == at);
                own.filter_map(|d| d["delta"].pointer(pointer)?.as_str()).collect()
            };
            let thought = &block["reasoningContent"]["reasoningText"];
            assert_eq!(of("/text"), block["text"].as_str().unwrap_or_default());
            assert_eq!(of("/reasoningContent/text"), thought["text"].as_str().unwrap_or_default());
            let signature = thought["signature"].as_str().unwrap_or_default();
            assert_eq!(of("/reasoningContent/signature"), signature);
            if block["toolUse"].is_object() {
                let input: Value = serde_json::from_str(&of("/toolUse/input")).unwrap();
                assert_eq!(input, block["toolUse"]["input"]);
                assert_eq!(
                    named("contentBlockStart")[0]["start"]["toolUse"]["name"],
                    "get_weather"
                );
            }
        }
    }
}

#[test]
fn results_lead_on_and_signatures_are_checked() {
    let (_, first) = told(&format!("{AT}/converse"), &sound("call get_weather"));
    let mut body = sound("call get_weather");
    let said = first["output"]["message"].clone();
    let call = &said["content"][1]["toolUse"]["toolUseId"];
    let result = json!({"role": "user", "content": [{"toolResult": {"toolUseId": call, "content": [{"text": "sunny"}]}}]});
    body["messages"].as_array_mut().unwrap().extend([said.clone(), result]);
    let (status, second) = told(&format!("{AT}/converse"), &body);
    assert_eq!(status, 200, "{second}");
    let text = &second["output"]["message"]["content"][1]["text"];
    assert_eq!(*text, "The tool get_weather returned: sunny");
    body["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["text"] =
        json!("forged");
    let (status, refused) = told(&format!("{AT}/converse"), &body);
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().unwrap().contains("Invalid `signature`"));
}

#[test]
fn it_refuses_in_the_vendors_words() {
    let user = |content: Value| json!([{"role": "user", "content": content}]);
    let cases = [
        (
            "messages",
            json!([]),
            "ValidationException",
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ),
        (
            "messages",
            user(json!([])),
            "ValidationException",
            "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the content field and try again.",
        ),
        (
            "messages",
            user(json!([{"text": ""}])),
            "ValidationException",
            "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text field, and try again.",
        ),
        (
            "messages",
            user(json!("hi")),
            "SerializationException",
            "STRING can not be converted to list",
        ),
        (
            "messages",
            user(json!([{"toolResult": {"toolUseId": "t", "content": []}}])),
            "ValidationException",
            "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn.",
        ),
        (
            "extra",
            json!(1),
            "ValidationException",
            "Malformed input request: #/: extraneous key [extra] is not permitted, please reformat your input and try again.",
        ),
        (
            "inferenceConfig",
            json!({"temperature": 2}),
            "ValidationException",
            "1 validation error detected: Value '2' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1",
        ),
        (
            "toolConfig",
            json!({"tools": [{"toolSpec": {"name": "a b", "inputSchema": {"json": {"type": "object"}}}}]}),
            "ValidationException",
            "1 validation error detected: Value 'a b' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+",
        ),
        (
            "toolConfig",
            json!({"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "array"}}}}]}),
            "ValidationException",
            "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
        ),
    ];
    for (field, value, kind, message) in cases {
        let mut body = sound("hi");
        body[field] = value;
        let script = ask(&format!("{AT}/converse"), &body);
        let told: Value = serde_json::from_slice(&script.sent()).unwrap();
        assert_eq!((script.status, &told["message"]), (400, &json!(message)));
        let header = script.headers.iter().find(|(n, _)| n == "x-amzn-errortype").unwrap();
        assert_eq!(header.1.split(':').next(), Some(kind));
    }
}

#[test]
fn it_misbehaves_when_asked() {
    let stream = |model: &str| {
        let script = ask(&format!("/model/{model}/converse-stream"), &sound("say 20 words"));
        frames(&script.sent())
    };
    let whole = stream("m").unwrap().len();
    let ended = stream("fault-no-terminator").unwrap();
    assert_eq!(ended.len(), whole - 2);
    assert!(stream("fault-garbage-chunk").is_err());
    let failed = stream("fault-error-in-stream").unwrap();
    let (headers, told) = &failed[failed.len() - 1];
    assert_eq!(headers[0], (":exception-type".into(), "internalServerException".into()));
    assert!(told["message"].is_string());
    let overloaded = ask("/model/fault-529/converse", &sound("hi"));
    assert_eq!(overloaded.status, 503);
    let dripped = ask("/model/fault-drip/converse-stream", &sound("hi"));
    assert!(dripped.steps.iter().all(|s| !matches!(s, Step::Send(b) if b.len() > 1)));
}
