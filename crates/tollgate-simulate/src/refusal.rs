//! A request that the vendor would refuse, before it has the vendor's shape.

use serde_json::Value;

/// Why a call is refused. Each dialect writes it in its own shape.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The vendor's own word: `invalid_request_error`, `INVALID_ARGUMENT`, …
    pub(crate) kind: &'static str,
    pub(crate) code: Option<Box<str>>,
    pub(crate) param: Option<Box<str>>,
    pub(crate) message: String,
    /// Further headers, such as `retry-after`.
    pub(crate) headers: Vec<(String, String)>,
    /// Gemini's `details`.
    pub(crate) details: Option<Box<Value>>,
}

impl Refusal {
    pub(crate) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            param: None,
            message: message.into(),
            headers: Vec::new(),
            details: None,
        }
    }

    pub(crate) fn code(mut self, code: impl Into<Box<str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn param(mut self, param: impl Into<Box<str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }
}
