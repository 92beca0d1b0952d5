//! What callers of some dialects may ask and others have no field for. Reported, never silent.

use tollgate_model::{Chat, Losses};

/// For a dialect without seeds, penalties, alternatives and log-probabilities.
pub(crate) fn sampling(chat: &Chat, losses: &mut Losses) {
    let wanted = &chat.sampling;
    let asked = [
        ("seed", wanted.seed.is_some()),
        ("frequency_penalty", wanted.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("presence_penalty", wanted.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
        ("n", chat.choices.is_some_and(|choices| choices > 1)),
        ("logprobs", chat.logprobs == Some(true)),
        ("top_logprobs", chat.top_logprobs.is_some_and(|top| top > 0)),
    ];
    for (name, asked) in asked {
        if asked {
            losses.dropped("", name);
        }
    }
}
