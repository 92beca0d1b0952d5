//! Pictures, made, changed and varied: `/v1/images/…`.

use super::measure;
use crate::Operation;
use crate::as_is::{AsIs, Unit};

/// What OpenAI takes when no model is named.
const USUAL: Option<&str> = Some("dall-e-2");

pub const MAKE: AsIs = AsIs {
    operation: Operation::MakeImage,
    path: "/images/generations",
    usual_model: USUAL,
    usage: measure::of_images,
    unit: Unit::Images,
};

pub const EDIT: AsIs = AsIs { operation: Operation::EditImage, path: "/images/edits", ..MAKE };

pub const VARY: AsIs = AsIs { operation: Operation::VaryImage, path: "/images/variations", ..MAKE };
