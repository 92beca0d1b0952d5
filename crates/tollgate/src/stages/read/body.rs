//! The body of a request: whole where it has to be looked at, else as an upload that travels on
//! while it arrives.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;
use tollgate_model::{Fault, FaultKind, Source};
use tollgate_wire::multipart::Form;

use crate::gateway::Gateway;
use crate::inflate;
use crate::upload::{self, Along, Bounds, Upload};

/// How many times the largest body is taken of one that is refused.
const REST: u64 = 4;

/// The whole body, inflated where it was deflated.
pub(super) async fn whole(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Bytes, Fault> {
    let most = gateway.config.limits.body_bytes;
    check_media_type(headers)?;
    if declared(headers).is_some_and(|length| length > most as u64) {
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

/// Takes what a refused caller is still sending.
pub fn take_rest(gateway: &Gateway, body: Incoming) {
    upload::take_rest(body, (gateway.config.limits.body_bytes as u64).saturating_mul(REST));
}

/// A form, of which `wanted` fields are known when this returns.
pub(super) async fn form(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: Incoming,
    wanted: &'static [&'static str],
) -> Result<Upload, Fault> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = Form::new(content_type.unwrap_or_default(), wanted).map_err(|error| {
        Fault::invalid(format!("The request body is not an acceptable form: {error}."))
            .with_code("invalid_form")
    })?;
    streamed(gateway, headers, body, Along::Form(Box::new(form))).await
}

/// A body that travels on while it arrives.
pub(super) async fn streamed(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: Incoming,
    along: Along,
) -> Result<Upload, Fault> {
    let looks_inside = !matches!(along, Along::Nothing);
    if looks_inside && headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        let message = "This body is passed on while it arrives and cannot be compressed.";
        return Err(unsupported(message));
    }
    let bounds = Bounds {
        length: declared(headers),
        most: gateway.config.limits.upload_bytes,
        pause: gateway.config.listen.timeouts.body,
        expects: headers.contains_key(EXPECT),
    };
    Upload::begin(body, along, bounds).await
}

/// Whether the body is said to be JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_TYPE) && check_media_type(headers).is_ok()
}

/// Whether the body is said to be a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/form-data")
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
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
