//! Stage 2: what is asked? Takes the body within its bounds, checks it in one validating scan and
//! learns the few things every call needs. The content is decoded only when a stage looks at it.

mod body;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use hyper::body::{Body, Incoming};
use tollgate_model::{Chat, EmbedRequest, Fault, FaultKind, Record, RerankRequest, Source};
use tollgate_store::StoredObject;
use tollgate_wire::batches;
use tollgate_wire::carriage::{self, Bare, Carriage};
use tollgate_wire::ingress::{self, Alias};
use tollgate_wire::resting::{self, About};
use tollgate_wire::scan::{self, Scan};
use tollgate_wire::{Codec, Dialect, Framing, Operation, Route, Takes, codec, refused, splice};

use super::own;
use crate::errand::{self, Errand};
use crate::gateway::Gateway;
use crate::upload::{Along, Patch, Upload};

pub use body::take_rest;

/// Longer than any model's name; it is repeated in headers, logs and refusals.
const LONGEST_MODEL: usize = 512;

/// What a caller asks.
#[derive(Debug)]
pub struct Ask {
    pub dialect: &'static Dialect,
    pub route: &'static Route,
    /// How the caller's SDK wraps what it asks, and expects what it is answered.
    pub carriage: &'static Carriage,
    /// As the caller named it.
    pub model: String,
    pub method: Method,
    /// It goes where its path says.
    pub errand: Option<Errand>,
    /// The object that it is about, which its caller owns.
    pub held: Option<Arc<StoredObject>>,
    /// What is to be replaced in the upload.
    pub patches: Vec<Patch>,
    pub stream: bool,
    pub headers: HeaderMap,
    pub query: Option<String>,
    /// Empty where the body travels on while it arrives.
    pub body: Bytes,
    pub upload: Option<Arc<Upload>>,
    /// The body before it was taken out of a cloud's wrapping.
    wrapped: Option<Bytes>,
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
    pub dialect: &'static Dialect,
    /// `None`: nobody has such a request line.
    route: Option<&'static Route>,
    /// The model named in the path.
    model: Option<String>,
    /// The path is a cloud's own.
    alias: Option<&'static Alias>,
}

#[must_use]
pub fn listen(head: &Parts) -> Speech {
    let path = head.uri.path();
    if let Some(rest) = path.strip_prefix(errand::PREFIX)
        && let Some(at) = rest.find('/')
    {
        // An error is said as the provider's own callers would understand it.
        let below = rest.get(at..).unwrap_or_default();
        let dialect = ingress::dialect_of(below, &head.headers);
        let route = Some(&ingress::PASSTHROUGH);
        return Speech { dialect, route, model: None, alias: None };
    }
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
    body: &mut Option<Incoming>,
    record: &mut Record,
) -> Result<Ask, Fault> {
    let route = speech.route.ok_or_else(|| nowhere(&head.method, &head.uri))?;
    record.operation = route.operation.as_str();
    if route.operation == Operation::Realtime {
        let message = "Realtime sessions over WebSocket are not offered by this gateway.";
        return Err(Fault::new(FaultKind::Unsupported, Source::Downstream, message)
            .with_code("realtime_unsupported"));
    }
    let query = head.uri.query().map(|query| its_own(query, speech.alias));
    let mut ask = Ask {
        dialect: speech.dialect,
        route,
        carriage: speech.alias.map_or(&carriage::PLAIN, |alias| alias.carriage),
        model: speech.model.unwrap_or_default(),
        method: head.method,
        errand: None,
        held: None,
        patches: Vec::new(),
        stream: route.stream || speech.alias.is_some_and(|alias| alias.stream),
        headers: head.headers,
        query,
        body: Bytes::new(),
        upload: None,
        wrapped: None,
        scan: None,
        wants_stream_usage: false,
        about: None,
        content: OnceLock::new(),
    };
    let path = head.uri.path();
    ask.errand = match route.operation {
        Operation::Passthrough => Errand::under_providers(path)?,
        Operation::Files | Operation::Batches => Some(Errand::own(path)?),
        _ => None,
    };
    if route.operation == Operation::Resting {
        ask.about = Some(format!("{}{}", route.prefix, std::mem::take(&mut ask.model)));
        if ask.about().is_none() {
            return Err(nowhere(&ask.method, &head.uri));
        }
        ask.stream = ask.query_value("stream") == Some("true");
        if let Some(body) = body {
            ask.body = body::whole(gateway, &ask.headers, body).await?;
        }
        record.request_bytes = ask.body.len() as u64;
        record.stream = ask.stream;
        if !ask.body.is_empty() {
            refused::check_scanned(&ask.body, &ask.scanned(gateway)?)?;
        }
        return Ok(ask);
    }
    let taken = ask.take(gateway, body, speech.alias.is_some()).await;
    record.request_bytes = ask.arrived();
    taken?;
    if ask.model.len() > LONGEST_MODEL {
        let message = format!("The model's name is longer than {LONGEST_MODEL} bytes.");
        return Err(Fault::invalid_field("model", message));
    }
    record.stream = ask.stream;
    record.model_asked = Some(ask.model.clone()).filter(|model| !model.is_empty());
    Ok(ask)
}

impl Ask {
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.route.operation
    }

    /// Takes the body, as its operation has one, and learns from it where it goes.
    async fn take(
        &mut self,
        gateway: &Gateway,
        body: &mut Option<Incoming>,
        aliased: bool,
    ) -> Result<(), Fault> {
        match self.operation().takes() {
            Takes::Nothing => Ok(()),
            Takes::Anything => self.take_anything(gateway, body).await,
            Takes::JsonOrForm if body::is_form(&self.headers) => {
                let Some(body) = body.take() else { return Ok(()) };
                let form = body::form(gateway, &self.headers, body, &["model"]).await?;
                self.look_into(form)
            }
            Takes::Json | Takes::JsonOrForm => {
                if let Some(body) = body {
                    self.body = body::whole(gateway, &self.headers, body).await?;
                }
                if aliased && self.dialect.rules().model_in_body {
                    return self.unwrap(gateway);
                }
                self.look(gateway)
            }
        }
    }

    /// Bytes of the body so far.
    fn arrived(&self) -> u64 {
        match (&self.upload, self.as_it_came()) {
            (Some(upload), _) => upload.arrived(),
            (None, body) => body.map_or(0, Bytes::len) as u64,
        }
    }

    /// The body as the caller sent it; `None` where it travels on while it arrives.
    #[must_use]
    pub fn as_it_came(&self) -> Option<&Bytes> {
        self.upload.is_none().then(|| self.wrapped.as_ref().unwrap_or(&self.body))
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
        let bare = off.map_err(|error| Fault::internal(format!("splice: {error}")))?;
        self.wrapped = Some(std::mem::replace(&mut self.body, bare));
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
                _ => self.model = self.usual_model()?.to_owned(),
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

    /// JSON is looked into, since it may name somebody's objects; all else travels on while it
    /// arrives.
    async fn take_anything(
        &mut self,
        gateway: &Gateway,
        body: &mut Option<Incoming>,
    ) -> Result<(), Fault> {
        let Some(mut incoming) = body.take_if(|body| !body.is_end_stream()) else {
            self.model.clear();
            return Ok(());
        };
        if body::is_json(&self.headers) {
            self.body = body::whole(gateway, &self.headers, &mut incoming).await?;
            *body = Some(incoming);
            self.model.clear();
            if self.body.is_empty() {
                return Ok(());
            }
            let scan = self.scanned(gateway)?;
            let model = scan.string(&self.body, "model").ok().flatten();
            self.model = match (model, batches::of(self.dialect.id())) {
                (Some(model), _) => model.into_owned(),
                // A batch goes where its first line leads.
                (None, Some(batches)) if self.operation() == Operation::Batches => {
                    batches.first_asked(&self.body, &scan, gateway.scan_seed).unwrap_or_default()
                }
                _ => String::new(),
            };
            self.stream |= scan.flag(&self.body, "stream").ok().flatten().unwrap_or_default();
            self.scan = Some(scan);
            return Ok(());
        }
        let upload = match self.operation() {
            Operation::Files => body::form(gateway, &self.headers, incoming, &["purpose"]).await?,
            _ => body::streamed(gateway, &self.headers, incoming, Along::Nothing).await?,
        };
        self.model.clear();
        self.upload = Some(Arc::new(upload));
        if own::is_for_batch(self)
            && let Some(upload) = self.upload.as_mut().and_then(Arc::get_mut)
        {
            // Its lines are looked at before any of them leaves.
            upload.take_all().await?;
        }
        Ok(())
    }

    /// A form says in one field where it goes, if its path does not.
    fn look_into(&mut self, form: Upload) -> Result<(), Fault> {
        let named = form.field("model").map(|field| field.value).unwrap_or_default();
        let named = String::from_utf8(named)
            .map_err(|_| Fault::invalid_field("model", "The field `model` is no text."))?;
        if !named.is_empty() {
            self.model = named;
        } else if self.model.is_empty() {
            self.model = self.usual_model()?.to_owned();
        }
        self.upload = Some(Arc::new(form));
        Ok(())
    }

    /// What is meant when no model is named.
    fn usual_model(&self) -> Result<&'static str, Fault> {
        let usual = match codec(self.dialect.id(), self.operation()) {
            Some(Codec::AsIs(operation)) => operation.usual_model,
            _ => None,
        };
        let message = "The field `model` is missing: it names the model to ask.";
        usual.ok_or_else(|| Fault::invalid_field("model", message))
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
            Some(Codec::Models(_) | Codec::AsIs(_) | Codec::Batches(_)) | None => {
                Err(Fault::internal("no codec for the operation"))
            }
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
