//! The heads of one exchange: the request's, written, and the answer's, read.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use memchr::memchr_iter;

use super::Broken;
use super::framing::Framing;
use crate::upstream::Call;

/// Headers of an answer; more are refused.
const MOST_HEADERS: usize = 100;

/// The head of `call` as it is sent.
pub(in crate::upstream) fn written(call: &Call) -> Bytes {
    let target = call.uri.path_and_query().map_or("/", |target| target.as_str());
    let lines = call.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let mut head = Vec::with_capacity(target.len() + lines.sum::<usize>() + 64);
    let mut say = |words: &[&[u8]]| words.iter().for_each(|word| head.extend_from_slice(word));
    say(&[call.method.as_str().as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
    for (name, value) in &call.headers {
        say(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
    // Without a body only such methods say so that are expected to have one.
    let expected = matches!(call.method, Method::POST | Method::PUT | Method::PATCH);
    match call.body.length() {
        Some(0) if !expected => {}
        Some(length) => say(&[b"content-length: ", length.to_string().as_bytes(), b"\r\n"]),
        None => say(&[b"transfer-encoding: chunked\r\n"]),
    }
    say(&[b"\r\n"]);
    head.into()
}

/// The head of an answer, and how its body is framed.
#[derive(Debug)]
pub(in crate::upstream) struct Head {
    pub(in crate::upstream) status: StatusCode,
    pub(in crate::upstream) headers: HeaderMap,
    pub(super) framing: Framing,
    /// The connection may serve again once the body was read.
    pub(super) keeps: bool,
}

impl Head {
    /// Reads a whole head.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Broken> {
        // One copy of the head, exactly as large as it is, holds all values.
        let whole = Bytes::copy_from_slice(bytes);
        let mut lines = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        match parser.parse_response_with_uninit_headers(&mut answer, &whole, &mut lines) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(Broken::NotHttp("its head has no end")),
            Err(httparse::Error::TooManyHeaders) => return Err(Broken::TooLong),
            Err(_) => return Err(Broken::NotHttp("its head is malformed")),
        }
        let status = StatusCode::from_u16(answer.code.unwrap_or_default())
            .map_err(|_| Broken::NotHttp("its status is none"))?;
        let mut headers = HeaderMap::with_capacity(answer.headers.len());
        for line in answer.headers.iter() {
            let name = HeaderName::from_bytes(line.name.as_bytes());
            let value = HeaderValue::from_maybe_shared(whole.slice_ref(line.value));
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Broken::NotHttp("a header of it is malformed"));
            };
            headers.append(name, value);
        }
        let (framing, certain) = framing(status, &headers)?;
        let said = |word: &str| lists(&headers, &CONNECTION, word);
        let lasts = if answer.version == Some(0) { said("keep-alive") } else { !said("close") };
        Ok(Self { status, headers, framing, keeps: lasts && certain })
    }

    /// As the answer to such a call.
    pub(super) fn of(mut self, method: &Method) -> Self {
        if *method == Method::HEAD {
            self.framing = Framing::Over;
        }
        self
    }

    /// Another one follows.
    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }
}

/// RFC 9112, 6.3; and whether nobody could read it otherwise.
fn framing(status: StatusCode, headers: &HeaderMap) -> Result<(Framing, bool), Broken> {
    if status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    {
        return Ok((Framing::Over, status != StatusCode::SWITCHING_PROTOCOLS));
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if headers.contains_key(TRANSFER_ENCODING) {
        let last = headers.get_all(TRANSFER_ENCODING).iter().next_back();
        let last = last.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        let chunked = last.is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"));
        return Ok(match chunked {
            true => (Framing::chunked(), length.is_none()),
            false => (Framing::UntilClosed, false),
        });
    }
    let Some(length) = length else { return Ok((Framing::UntilClosed, false)) };
    if lengths.any(|other| other != length) {
        return Err(Broken::NotHttp("it has two lengths"));
    }
    let digits = length.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    let length = digits.and_then(|digits| digits.parse().ok());
    match length.ok_or(Broken::NotHttp("its length is no number"))? {
        0 => Ok((Framing::Over, true)),
        length => Ok((Framing::Length(length), true)),
    }
}

/// Whether `word` is in a header's list.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|listed| listed.trim().eq_ignore_ascii_case(word)))
}

/// Just after the empty line that ends a head. The first `looked` bytes were looked at before.
pub(super) fn end(bytes: &[u8], looked: usize) -> Option<usize> {
    let from = looked.saturating_sub(2);
    let newlines = memchr_iter(b'\n', bytes.get(from..)?).map(|at| from + at);
    newlines.into_iter().find_map(|at| match bytes.get(at + 1..)? {
        [b'\r', b'\n', ..] => Some(at + 3),
        [b'\n', ..] => Some(at + 2),
        _ => None,
    })
}
