//! Speech and its transcription: `/v1/audio/…`.

use super::measure;
use crate::Operation;
use crate::as_is::{AsIs, Unit};

pub const SPEAK: AsIs = AsIs {
    operation: Operation::Speak,
    path: "/audio/speech",
    usual_model: None,
    usage: measure::of_speech,
    unit: Unit::Characters,
};

pub const TRANSCRIBE: AsIs = AsIs {
    operation: Operation::Transcribe,
    path: "/audio/transcriptions",
    usual_model: None,
    usage: measure::of_text,
    unit: Unit::Speech,
};

pub const TRANSLATE: AsIs = AsIs {
    operation: Operation::TranslateSpeech,
    path: "/audio/translations",
    usual_model: None,
    usage: measure::of_text,
    unit: Unit::Speech,
};
