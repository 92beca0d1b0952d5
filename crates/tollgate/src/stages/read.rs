//! Stage 2: what is asked? Takes the body within its bounds, checks it in one validating scan and
//! learns the few things every call needs. The content is decoded only when a stage looks at it.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;
use tollgate_model::{Chat, EmbedRequest, Fault, FaultKind, Record, RerankRequest, Source};
use tollgate_wire::carriage::{self, Bare, Carriage};
use tollgate_wire::ingress::{self, Alias};
use tollgate_wire::resting::{self, About};
use tollgate_wire::scan::{self, Scan};
use tollgate_wire::{Codec, Dialect, Framing, Operation, Route, codec, refused, splice};

use crate::gateway::Gateway;
use crate::inflate;

/// How many times the largest body is taken of one that is refused, and for how long.
const REST: usize = 4;
const REST_WITHIN: Duration = Duration::from_secs(30);
/// Longer than any model's name; it is repeated in headers, logs and refusals.
const LONGEST_MODEL: usize = 512;

/// What a caller asks.
#[derive(Debug)]
pub struct Ask {
    pub dialect: &'static dyn Dialect,
    pub route: &'static Route,
    /// How the caller's SDK wraps what it asks, and expects what it is answered.
    pub carriage: &'static Carriage,
    /// As the caller named it.
    pub model: String,
    pub stream: bool,
    pub headers: HeaderMap,
    pub query: Option<String>,
    pub body: Bytes,
    /// Where the fields lie that a verbatim request has spliced. `None`: there is no body.
    pub scan: Option<Scan>,
    /// The caller asked for usage at the end of the stream, where that is optional.
    pub wants_stream_usage: bool,
    /// The whole path, where it is about something that rests at a provider.
    about: Option<String>,
    content: OnceLock<Result<Content, Fault>>,
}

/// The body, understood.
#[derive(Debug)]
pub enum Content {
    Chat(Box<Chat>),
    Embed(Box<EmbedRequest>),
    Rerank(Box<RerankRequest>),
}

/// In which dialect a caller speaks, known from the request line alone, so that every refusal can
/// be said in it.
#[derive(Debug)]
pub struct Speech {
    pub dialect: &'static dyn Dialect,
    /// `None`: nobody has such a request line.
    route: Option<&'static Route>,
    /// The model named in the path.
    model: Option<String>,
    /// The path is a cloud's own.
    alias: Option<&'static Alias>,
}

#[must_use]
pub fn listen(head: &Parts) -> Speech {
    match ingress::find(&head.method, head.uri.path(), &head.headers) {
        Some(found) => Speech {
            dialect: found.dialect,
            route: Some(found.route),
            alias: found.alias,
            model: found.model.map(Cow::into_owned),
        },
        None => {
            let dialect = ingress::dialect_of(head.uri.path(), &head.headers);
            Speech { dialect, route: None, model: None, alias: None }
        }
    }
}

/// # Errors
/// `NotFound`, `UnsupportedMedia`, `TooLarge`, `Timeout`, or `InvalidRequest` saying where.
pub async fn read(
    gateway: &Gateway,
    speech: Speech,
    head: Parts,
    body: &mut Incoming,
    record: &mut Record,
) -> Result<Ask, Fault> {
    let route = speech.route.ok_or_else(|| nowhere(&head.method, &head.uri))?;
    record.operation = route.operation.as_str();
    let query = head.uri.query().map(|query| its_own(query, speech.alias));
    let mut ask = Ask {
        dialect: speech.dialect,
        route,
        carriage: speech.alias.map_or(&carriage::PLAIN, |alias| alias.carriage),
        model: speech.model.unwrap_or_default(),
        stream: route.stream || speech.alias.is_some_and(|alias| alias.stream),
        headers: head.headers,
        query,
        body: Bytes::new(),
        scan: None,
        wants_stream_usage: false,
        about: None,
        content: OnceLock::new(),
    };
    if route.operation == Operation::Resting {
        ask.about = Some(format!("{}{}", route.prefix, std::mem::take(&mut ask.model)));
        if ask.about().is_none() {
            return Err(nowhere(&head.method, &head.uri));
        }
        ask.stream = ask.query_value("stream") == Some("true");
        ask.body = whole(gateway, &ask.headers, body).await?;
        record.request_bytes = ask.body.len() as u64;
        record.stream = ask.stream;
        if !ask.body.is_empty() {
            refused::check_scanned(&ask.body, &ask.scanned(gateway)?)?;
        }
        return Ok(ask);
    }
    if !matches!(route.operation, Operation::ListModels | Operation::GetModel) {
        ask.body = whole(gateway, &ask.headers, body).await?;
        record.request_bytes = ask.body.len() as u64;
        if speech.alias.is_some() && ask.dialect.rules().model_in_body {
            ask.unwrap(gateway)?;
        } else {
            ask.look(gateway)?;
        }
    }
    if ask.model.len() > LONGEST_MODEL {
        let message = format!("The model's name is longer than {LONGEST_MODEL} bytes.");
        return Err(Fault::invalid_field("model", message));
    }
    record.stream = ask.stream;
    record.model_asked = Some(ask.model.clone());
    Ok(ask)
}

impl Ask {
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.route.operation
    }

    /// What that rests at a provider it is about.
    #[must_use]
    pub fn about(&self) -> Option<About<'_>> {
        resting::about(&self.route.method, self.about.as_deref()?)
    }

    /// What is answered is, or was, said by a model: it may come as a stream.
    #[must_use]
    pub fn is_answered_by_model(&self) -> bool {
        matches!(self.operation(), Operation::Chat | Operation::Resting)
    }

    /// Takes off what a cloud's SDK put around the dialect, and looks at the rest.
    fn unwrap(&mut self, gateway: &Gateway) -> Result<(), Fault> {
        let scan = self.scanned(gateway)?;
        let model = Some(self.model.as_str()).filter(|model| !model.is_empty());
        let bare = Bare { model, stream: self.stream };
        let off = self.carriage.take_off(bare, &self.body, &scan, &mut self.headers);
        self.body = off.map_err(|error| Fault::internal(format!("splice: {error}")))?;
        self.look(gateway)
    }

    /// Looks at the body: what every call needs to know of it.
    fn look(&mut self, gateway: &Gateway) -> Result<(), Fault> {
        let scan = self.scanned(gateway)?;
        refused::check_scanned(&self.body, &scan)?;
        if self.dialect.rules().model_in_body {
            let model = scan.string(&self.body, "model");
            match model.map_err(|error| Fault::invalid_field("model", error.to_string()))? {
                Some(model) if !model.is_empty() => self.model = model.into_owned(),
                _ => {
                    let message = "The field `model` is missing: it names the model to ask.";
                    return Err(Fault::invalid_field("model", message));
                }
            }
            let stream = scan.flag(&self.body, "stream");
            let stream = stream.map_err(|e| Fault::invalid_field("stream", e.to_string()))?;
            let usual =
                self.dialect.rules().streams_unless_told && self.operation() == Operation::Chat;
            self.stream = self.stream || stream.unwrap_or(usual);
            let wants = splice::wants_stream_usage(&self.body, &scan);
            self.wants_stream_usage =
                wants.map_err(|error| Fault::invalid_field("stream_options", error.to_string()))?;
        }
        self.scan = Some(scan);
        Ok(())
    }

    /// The one scan of the body.
    fn scanned(&self, gateway: &Gateway) -> Result<Scan, Fault> {
        let depth = gateway.config.limits.json_depth;
        let limits = scan::Limits { depth, ..scan::Limits::seeded(gateway.scan_seed) };
        let scan = scan::scan(&self.body, &limits).map_err(|error| {
            Fault::invalid(format!("The request body is not acceptable JSON: {error}."))
                .with_code("invalid_json")
        })?;
        if scan.is_object() {
            return Ok(scan);
        }
        let message = "The request body must be a JSON object.";
        Err(Fault::invalid(message).with_code("invalid_json"))
    }

    /// The chat, decoded when first asked for.
    ///
    /// # Errors
    /// `InvalidRequest` naming the field.
    pub fn chat(&self) -> Result<&Chat, Fault> {
        match self.content()? {
            Content::Chat(chat) => Ok(chat),
            _ => Err(Fault::internal("another operation was taken for a chat")),
        }
    }

    /// The embedding request, decoded when first asked for.
    ///
    /// # Errors
    /// `InvalidRequest` naming the field.
    pub fn embed(&self) -> Result<&EmbedRequest, Fault> {
        match self.content()? {
            Content::Embed(ask) => Ok(ask),
            _ => Err(Fault::internal("another operation was taken for an embedding")),
        }
    }

    /// The request for a ranking, decoded when first asked for.
    ///
    /// # Errors
    /// `InvalidRequest` naming the field.
    pub fn rerank(&self) -> Result<&RerankRequest, Fault> {
        match self.content()? {
            Content::Rerank(ask) => Ok(ask),
            _ => Err(Fault::internal("another operation was taken for a ranking")),
        }
    }

    fn content(&self) -> Result<&Content, Fault> {
        self.content.get_or_init(|| self.decoded()).as_ref().map_err(Clone::clone)
    }

    fn decoded(&self) -> Result<Content, Fault> {
        let incoming = tollgate_wire::Incoming {
            route: self.route,
            model: (!self.dialect.rules().model_in_body).then_some(self.model.as_str()),
            headers: &self.headers,
            body: &self.body,
        };
        match codec(self.dialect.id(), self.operation()) {
            Some(Codec::Chat(dialect)) => {
                dialect.decode_request(&incoming).map(|chat| Content::Chat(Box::new(chat)))
            }
            Some(Codec::CountTokens(count)) => {
                count.decode_request(&incoming).map(|chat| Content::Chat(Box::new(chat)))
            }
            Some(Codec::Embed(embed)) => {
                embed.decode_request(&incoming).map(|ask| Content::Embed(Box::new(ask)))
            }
            Some(Codec::Rerank(rerank)) => {
                rerank.decode_request(&incoming).map(|ask| Content::Rerank(Box::new(ask)))
            }
            Some(Codec::Models(_)) | None => Err(Fault::internal("no codec for the operation")),
        }
    }

    /// How the caller reads a stream.
    #[must_use]
    pub fn framing(&self) -> Framing {
        match self.dialect.rules().framing {
            Framing::JsonArray if self.query_value("alt") == Some("sse") => Framing::Sse,
            framing => framing,
        }
    }

    /// One parameter of the query, as written.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        let pairs = self.query.as_deref()?.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    }
}

/// The query without what belongs to a cloud's address.
fn its_own(query: &str, alias: Option<&Alias>) -> String {
    let foreign = alias.map_or(&[][..], |alias| alias.query);
    let name = |pair: &str| pair.split('=').next().is_some_and(|name| foreign.contains(&name));
    let own: Vec<&str> = query.split('&').filter(|pair| !name(pair)).collect();
    own.join("&")
}

/// The whole body, inflated where it was deflated.
async fn whole(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Bytes, Fault> {
    let most = gateway.config.limits.body_bytes;
    check_media_type(headers)?;
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > most) {
        return Err(too_large(most));
    }
    let body = collected(body, most, gateway.config.listen.timeouts.body).await?;
    match headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("" | "identity") => Ok(body),
        Some(encoding) => match inflate::inflate(encoding, &body, most) {
            Ok(body) => Ok(body),
            Err(inflate::Error::TooLarge) => Err(too_large(most)),
            Err(inflate::Error::Unknown) => Err(unsupported(
                "The content encoding is not understood; send gzip, deflate or none.",
            )),
            Err(inflate::Error::Broken) => {
                Err(Fault::invalid("The body is not what its content encoding says."))
            }
        },
    }
}

async fn collected(body: &mut Incoming, most: usize, pause: Duration) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let Ok(frame) = timeout(pause, body.frame()).await else {
            let message = "The request body did not arrive in time.";
            return Err(Fault::new(FaultKind::Timeout, Source::Downstream, message)
                .with_code("slow_request"));
        };
        let Some(frame) = frame else { break };
        let Ok(frame) = frame else {
            return Err(Fault::invalid("The request body broke off."));
        };
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > most {
            return Err(too_large(most));
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
                first = Bytes::new();
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// Takes what a refused caller is still sending, within bounds: most clients send their whole
/// request before they look for an answer, and would see a broken connection in place of it.
pub fn take_rest(gateway: &Gateway, mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    let mut left = gateway.config.limits.body_bytes.saturating_mul(REST);
    tokio::spawn(timeout(REST_WITHIN, async move {
        while let Some(Ok(frame)) = body.frame().await {
            let Some(more) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
                return;
            };
            left = more;
        }
    }));
}

/// Absent is taken for JSON, as many clients leave it out.
fn check_media_type(headers: &HeaderMap) -> Result<(), Fault> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or("?").split(';').next().unwrap_or_default().trim();
    let json = essence.eq_ignore_ascii_case("application/json")
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json { Ok(()) } else { Err(unsupported("The content type must be `application/json`.")) }
}

fn too_large(most: usize) -> Fault {
    let message = format!("The request body is larger than {most} bytes.");
    Fault::new(FaultKind::TooLarge, Source::Downstream, message)
}

fn unsupported(message: &str) -> Fault {
    Fault::new(FaultKind::UnsupportedMedia, Source::Downstream, message)
}

/// No dialect has such a request line.
fn nowhere(method: &Method, uri: &Uri) -> Fault {
    let path: String = uri.path().chars().take(120).collect();
    let methods: Vec<&str> = ingress::methods(&path).map(|(other, _)| other.as_str()).collect();
    let message = match methods.first() {
        Some(other) => format!("`{path}` is called with {other}, not {method}."),
        None => format!("There is nothing at `{path}`."),
    };
    Fault::new(FaultKind::NotFound, Source::Downstream, message).with_code("unknown_url")
}
