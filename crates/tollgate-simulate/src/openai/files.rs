//! Files: kept while the provider lives, within bounds.

use super::wording::invalid;
use crate::dialect::Named;
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::{form, ids};
use bytes::Bytes;
use serde_json::{Value, json};

const MOST_FILES: usize = 1_000;
const MOST_BYTES: usize = 128 << 20;
const CREATED: u64 = 1_735_689_600;
const PURPOSES: &[&str] = &["assistants", "batch", "fine-tune", "vision", "user_data", "evals"];

/// What was uploaded or written.
#[derive(Debug, Default)]
pub(crate) struct Files {
    kept: Vec<File>,
    made: u64,
}

#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) id: String,
    name: String,
    pub(super) purpose: String,
    pub(super) data: Bytes,
}

impl Files {
    pub(super) fn keep(&mut self, name: &str, purpose: &str, data: Bytes) -> File {
        self.made += 1;
        let id = ids::id("file-", ids::hash(name.as_bytes()), self.made, 22);
        let file = File { id, name: name.to_owned(), purpose: purpose.to_owned(), data };
        self.kept.push(file.clone());
        let bytes = |files: &[File]| files.iter().map(|file| file.data.len()).sum::<usize>();
        while self.kept.len() > MOST_FILES
            || (bytes(&self.kept) > MOST_BYTES && self.kept.len() > 1)
        {
            self.kept.remove(0);
        }
        file
    }

    pub(super) fn find(&self, id: &str) -> Option<&File> {
        self.kept.iter().find(|file| file.id == id)
    }
}

impl File {
    fn told(&self) -> Value {
        json!({
            "id": self.id, "object": "file", "bytes": self.data.len(), "created_at": CREATED,
            "filename": self.name, "purpose": self.purpose, "status": "processed",
        })
    }
}

/// `POST /v1/files`.
pub(super) fn upload(request: &Request, files: &mut Files) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let parts = form::parts(request).ok_or_else(|| invalid("Could not parse multipart form"))?;
    let file = parts.iter().find(|part| part.name == "file");
    let Some((part, name)) = file.and_then(|part| Some((part, part.filename.as_deref()?))) else {
        return Err(invalid("'file' is a required property"));
    };
    let purpose = form::field(request, "purpose");
    let purpose = purpose.ok_or_else(|| invalid("'purpose' is a required property"))?;
    if !PURPOSES.contains(&purpose.as_str()) {
        return Err(invalid(format!("'{purpose}' is not one of {PURPOSES:?} - 'purpose'")));
    }
    if purpose == "batch" && !name.ends_with(".jsonl") {
        return Err(invalid("Invalid file format for Batch API. Must be .jsonl"));
    }
    let kept = files.keep(name, &purpose, part.data.clone());
    Ok(super::whole(request, &kept.told()))
}

/// `GET /v1/files`.
pub(super) fn list(request: &Request, files: &Files) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let purpose = request.query_value("purpose");
    let wanted = files.kept.iter().rev().filter(|f| purpose.is_none_or(|p| p == f.purpose));
    let data: Vec<Value> = wanted.map(File::told).collect();
    Ok(super::whole(request, &json!({"object": "list", "data": data, "has_more": false})))
}

/// `GET /v1/files/{id}`.
pub(super) fn one(request: &Request, named: &Named, files: &Files) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    Ok(super::whole(request, &wanted(named, files)?.told()))
}

/// `DELETE /v1/files/{id}`.
pub(super) fn delete(
    request: &Request,
    named: &Named,
    files: &mut Files,
) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let id = wanted(named, files)?.id.clone();
    files.kept.retain(|file| file.id != id);
    Ok(super::whole(request, &json!({"id": id, "object": "file", "deleted": true})))
}

/// `GET /v1/files/{id}/content`.
pub(super) fn content(request: &Request, named: &Named, files: &Files) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let file = wanted(named, files)?;
    let mut headers = super::head(request, "application/octet-stream");
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    headers.push(("content-disposition".to_owned(), disposition));
    Ok(Reply {
        headers,
        frames: vec![Frame::new(Part::Content, file.data.clone())],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    })
}

fn wanted<'f>(named: &Named, files: &'f Files) -> Result<&'f File, Refusal> {
    let id = named.get("id").unwrap_or_default();
    files.find(id).ok_or_else(|| {
        let message = format!("No such File object: {id}");
        Refusal::new(404, "invalid_request_error", message).param("id")
    })
}
