//! Bodies that are too much, too odd, or not what they say (T29–T32).

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::super::site::{DIALECTS, KEY, Reply, Site, exchange};
use super::bench::Swept;

/// In the dev profile, on a machine that is busy; the release profile is held to 50 ms elsewhere.
const SOON: Duration = Duration::from_secs(8);

fn post(site: &Site, path: &str, headers: &str, body: &[u8]) -> (Reply, Duration) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nx-api-key: {KEY}\r\nanthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    let begun = Instant::now();
    let reply = exchange(site.address, &[head.as_bytes(), body].concat());
    (reply.unwrap_or_else(|| panic!("no answer to {headers}")), begun.elapsed())
}

const JSON: &str = "content-type: application/json\r\n";

#[test]
fn t29_a_key_that_stands_twice_is_refused_at_any_level() {
    let site = Swept::new(Site::start());
    for body in [
        r#"{"model":"chat/hello","model":"chat/other","messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"chat/hello","\u006dodel":"chat/other","messages":[{"role":"user","content":"x"}]}"#,
        r#"{"\u006d\u006f\u0064\u0065\u006c":"chat/other","model":"chat/hello","messages":[]}"#,
        r#"{"model":"chat/hello","messages":[{"role":"user","role":"system","content":"x"}]}"#,
        r#"{"model":"chat/hello","messages":[{"role":"user","content":"x","conten\u0074":"y"}]}"#,
        r#"{"model":"chat/hello","messages":[],"tools":[{"a":{"b":[{"c":1,"c":2}]}}]}"#,
        r#"{"model":"chat/hello","messages":[],"messages":[]}"#,
        r#"{"model":"chat/hello","stream":false,"stream":true,"messages":[]}"#,
    ] {
        for (path, model) in [("/v1/chat/completions", "chat"), ("/v1/messages", "messages")] {
            let (reply, _) = post(&site, path, JSON, body.replace("chat/", model).as_bytes());
            assert_eq!(reply.status, 400, "{body}: {}", reply.body);
            assert!(reply.body.contains("duplicate key"), "{body}: {}", reply.body);
        }
    }
    let twice = r#"{"contents":[{"role":"user","parts":[{"text":"x","text":"y"}]}]}"#;
    let (reply, _) =
        post(&site, "/v1beta/models/generate/hello:generateContent", JSON, twice.as_bytes());
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert_eq!(site.received().len(), 0, "no provider was called");
}

#[test]
fn t29_what_was_checked_is_what_is_sent() {
    let site = Swept::new(Site::start());
    // An escape in the key, and in the model's own name.
    for body in [
        r#"{"\u006dodel":"chat/hello","messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"\u0063hat\/hell\u006f","messages":[{"role":"user","content":"x"}]}"#,
    ] {
        let (reply, _) = post(&site, "/v1/chat/completions", JSON, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(site.received().last().unwrap()["body"]["model"], "hello");
    }
    // Names are told apart by case: these are other fields, for the provider to judge.
    for field in ["Model", "MODEL", "Messages", "m\u{f6}del", "mode\u{2113}"] {
        let body = format!(
            r#"{{"{field}":"chat/other","model":"chat/hello","messages":[{{"role":"user","content":"x"}}]}}"#
        );
        let (reply, _) = post(&site, "/v1/chat/completions", JSON, body.as_bytes());
        let last = site.received().pop().unwrap();
        assert_eq!(last["body"]["model"], "hello", "{field}: {}", reply.body);
        let only = format!(r#"{{"{field}":"chat/hello","messages":[]}}"#);
        let (reply, _) = post(&site, "/v1/chat/completions", JSON, only.as_bytes());
        assert_eq!(reply.status, 400, "{field}: {}", reply.body);
    }
}

#[test]
fn t30_a_body_beyond_all_measure_is_refused_soon_and_in_little_room() {
    let site = Swept::new(Site::start());
    site.serves();
    let before = site.resident_kib();
    let call = |extra: &[u8]| {
        let begin = br#"{"model":"chat/hello","messages":[{"role":"user","content":"x"}],"x":"#;
        [begin, extra, b"}"].concat()
    };
    let keys: String = (0..1_000_000).map(|number| format!("\"{number}\":1,")).collect();
    let keys = format!("{{{}\"x\":1}}", keys);
    let long = [b"\"".as_slice(), &vec![b'a'; 50 << 20], b"\""].concat();
    let escapes = [b"\"".as_slice(), &b"\\u0061".repeat(1 << 19), b"\""].concat();
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("100,000 [", b"[".repeat(100_000), &[400]),
        ("100,000 [ inside", call(&b"[".repeat(100_000)), &[400]),
        ("100,000 [{", br#"[{"a":"#.repeat(100_000), &[400]),
        ("a million keys", keys.clone().into_bytes(), &[400]),
        ("a million keys inside", call(keys.as_bytes()), &[400]),
        ("a string of 50 MB", call(&long), &[413]),
        ("3 MB of escapes", call(&escapes), &[200, 400]),
        ("4 MB of blanks", [b" ".repeat(4 << 20), call(b"1")].concat(), &[200, 400]),
        ("1e400", br#"{"model":"chat/hello","temperature":1e400,"messages":[{"role":"user","content":"x"}]}"#.to_vec(), &[400]),
        ("a number of a million digits", call(&b"9".repeat(1_000_000)), &[200, 400]),
        ("a lone surrogate", call(br#""\ud800""#), &[400]),
        ("a surrogate the wrong way round", call(br#""\udc00\ud800""#), &[400]),
        ("a byte order mark", [b"\xef\xbb\xbf", &call(b"1")[..]].concat(), &[400]),
        ("bad UTF-8", call(b"\"\xff\xfe\""), &[400]),
        ("overlong UTF-8", call(b"\"\xc0\xaf\""), &[400]),
        ("a surrogate in UTF-8", call(b"\"\xed\xa0\x80\""), &[400]),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec(), &[400]),
        ("NaN", call(b"NaN"), &[400]),
        ("Infinity", call(b"-Infinity"), &[400]),
        ("a comment", call(b"/* */1"), &[400]),
        ("a NUL", call(b"\"\0\""), &[400]),
        ("an empty body", Vec::new(), &[400]),
        ("a list", b"[]".to_vec(), &[400]),
        ("no object", b"\"x\"".to_vec(), &[400]),
    ];
    let others = ["/v1/messages", "/v1beta/models/chat/hello:generateContent", "/v1/embeddings"];
    for (number, (what, body, statuses)) in cases.into_iter().enumerate() {
        for path in ["/v1/chat/completions", others[number % 3]] {
            let (reply, took) = post(&site, path, JSON, &body);
            // For the provider to judge, or in a field that another dialect does not have.
            let fine = statuses.contains(&reply.status)
                || (what == "1e400" && path != "/v1/chat/completions");
            assert!(fine, "{what} {path}: {} {:.500}", reply.status, reply.body);
            assert!(reply.body.len() < 4096, "{what}: {}", reply.body.len());
            assert!(took < SOON, "{what} {path}: {took:?}");
        }
    }
    // Pieces of at most 32 MiB were read, one after another.
    let grown = site.resident_kib().saturating_sub(before);
    assert!(grown < 4 * (32 << 10), "{grown} KiB");
    site.serves();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn t31_a_compressed_body_is_counted_as_what_it_holds() {
    let site = Swept::new(Site::start());
    site.serves();
    let before = site.resident_kib();
    let (path, call) = DIALECTS[0].call("chat/hello", false);
    let call = call.as_bytes();
    let zlib = |bytes: &[u8]| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let raw = {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(call).unwrap();
        encoder.finish().unwrap()
    };
    // A gigabyte in one megabyte.
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(1024);
    let duplicate = call.strip_suffix(b"}").unwrap();
    let duplicate = [duplicate, br#","model":"chat/other"}"#].concat();
    let mut cut = gzip(call);
    cut.truncate(cut.len() - 9);
    let mut lying = gzip(call);
    let end = lying.len() - 6;
    lying[end] ^= 1;
    let cases: Vec<(&str, &str, Vec<u8>, u16)> = vec![
        ("honest", "gzip", gzip(call), 200),
        ("honest, in capitals", "GZip", gzip(call), 200),
        ("honest deflate", "deflate", zlib(call), 200),
        ("in two members", "gzip", [gzip(&call[..9]), gzip(&call[9..])].concat(), 200),
        ("a bomb", "gzip", bomb.clone(), 413),
        ("a bomb in deflate", "deflate", zlib(&vec![0; 40 << 20]), 413),
        ("a bomb in a bomb", "gzip", gzip(&bomb), 400),
        ("two codings", "gzip, gzip", gzip(&gzip(call)), 415),
        ("gzip in gzip, said once", "gzip", gzip(&gzip(call)), 400),
        ("plain, called gzip", "gzip", call.to_vec(), 400),
        ("gzip, called deflate", "deflate", gzip(call), 400),
        ("gzip, called nothing", "identity", gzip(call), 400),
        ("deflate without its head", "deflate", raw, 400),
        ("zstd", "zstd", b"\x28\xb5\x2f\xfd\x04\x00\x11\x00\x00{}".to_vec(), 415),
        ("brotli", "br", b"\x0b\x01\x80{}\x03".to_vec(), 415),
        ("compress", "compress", call.to_vec(), 415),
        ("a name nobody knows", "x", call.to_vec(), 415),
        ("cut short", "gzip", cut, 400),
        ("with a wrong sum", "gzip", lying, 400),
        ("nothing at all", "gzip", Vec::new(), 400),
        ("a second key inside", "gzip", gzip(&duplicate), 400),
    ];
    for (what, encoding, body, status) in cases {
        let headers = format!("{JSON}content-encoding: {encoding}\r\n");
        let (reply, took) = post(&site, &path, &headers, &body);
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert!(took < SOON, "{what}: {took:?}");
    }
    let grown = site.resident_kib().saturating_sub(before);
    assert!(grown < 4 * (32 << 10), "{grown} KiB");
    site.serves();
}

#[test]
fn t32_a_form_is_refused_before_it_is_read() {
    let site = Swept::new(Site::start());
    let boundary = "a".repeat(30 << 10);
    let body = format!("--{boundary}\r\n").repeat(30);
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/embeddings"] {
        for kind in [
            "multipart/form-data".to_owned(),
            "multipart/form-data; boundary=".to_owned(),
            format!("multipart/form-data; boundary={boundary}"),
            "application/x-www-form-urlencoded".into(),
            "text/plain".into(),
            "application/jsonx".into(),
            "application/octet-stream".into(),
        ] {
            let headers = format!("content-type: {kind}\r\n");
            let (reply, took) = post(&site, path, &headers, body.as_bytes());
            assert_eq!(reply.status, 415, "{path} {kind:.60}: {}", reply.body);
            assert!(took < SOON, "{took:?}");
        }
    }
    // A head of a megabyte is refused as a head.
    let headers =
        format!("content-type: multipart/form-data; boundary={}\r\n", "a".repeat(1 << 20));
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n{headers}content-length: 0\r\n\r\n"
    );
    if let Some(reply) = exchange(site.address, head.as_bytes()) {
        assert!(matches!(reply.status, 400 | 431), "{}", reply.status);
    }
    assert_eq!(site.received().len(), 0);
    site.serves();
}
