//! What the program carries is sound, says of well-known models what their vendors say, and knows
//! the models that were recorded.

#![expect(clippy::panic, clippy::print_stderr, reason = "a test: what is skipped is said")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tollgate_catalogue::{Catalogue, Entry, Use};
use tollgate_model::{Ability, Day, Meter, Rate, Tier};

const TODAY: Day = Day(20_260_821);

fn entry<'a>(catalogue: &'a Catalogue, kind: &str, name: &str) -> Entry<'a> {
    catalogue.find(kind, name).unwrap_or_else(|| panic!("{kind}/{name} is not known"))
}

#[test]
fn the_one_that_the_program_carries_is_sound() {
    let built_in = Catalogue::built_in();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("models.tsv");
    let read = Catalogue::read(std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(read.about(), built_in.about());
    assert_eq!(read.all().count(), built_in.all().count());
    assert!(built_in.all().count() > 3000);
    assert!(built_in.size() < 500_000, "{} bytes in the program", built_in.size());
    for entry in read.all() {
        let found = built_in.exactly(entry.kind, entry.name);
        assert_eq!(found.as_ref(), Some(&entry), "every line is found");
    }
}

/// Written by hand from the vendors' own pages: dollars for a million tokens.
/// A vendor, its model, and rates in dollars per million.
type Known = (&'static str, &'static str, &'static [(Meter, f64)]);

#[test]
fn well_known_models_cost_what_their_vendors_say() {
    let catalogue = Catalogue::built_in();
    let rows: &[Known] = &[
        (
            "openai",
            "gpt-4o",
            &[(Meter::Input, 2.5), (Meter::CacheReadInput, 1.25), (Meter::Output, 10.0)],
        ),
        ("openai", "gpt-4o-mini", &[(Meter::Input, 0.15), (Meter::Output, 0.6)]),
        (
            "openai",
            "gpt-5",
            &[(Meter::Input, 1.25), (Meter::CacheReadInput, 0.125), (Meter::Output, 10.0)],
        ),
        ("openai", "o3", &[(Meter::Input, 2.0), (Meter::Output, 8.0)]),
        ("openai", "text-embedding-3-small", &[(Meter::Input, 0.02)]),
        (
            "anthropic",
            "claude-sonnet-4-5",
            &[
                (Meter::Input, 3.0),
                (Meter::CacheReadInput, 0.3),
                (Meter::CacheWriteInput, 3.75),
                (Meter::CacheWrite1hInput, 6.0),
                (Meter::Output, 15.0),
            ],
        ),
        ("anthropic", "claude-haiku-4-5", &[(Meter::Input, 1.0), (Meter::Output, 5.0)]),
        ("anthropic", "claude-3-5-haiku", &[(Meter::Input, 0.8), (Meter::Output, 4.0)]),
        ("gemini", "gemini-2.5-pro", &[(Meter::Input, 1.25), (Meter::Output, 10.0)]),
        (
            "gemini",
            "gemini-2.5-flash",
            &[(Meter::Input, 0.3), (Meter::AudioInput, 1.0), (Meter::Output, 2.5)],
        ),
        ("groq", "llama-3.3-70b-versatile", &[(Meter::Input, 0.59), (Meter::Output, 0.79)]),
        ("cohere", "command-r-plus-08-2024", &[(Meter::Input, 2.5), (Meter::Output, 10.0)]),
    ];
    for (kind, name, rates) in rows {
        let entry = entry(&catalogue, kind, name);
        let price = entry.price(Tier::Standard, TODAY, 1_000).unwrap();
        for (meter, dollars) in *rates {
            let rate = price.rate(*meter).unwrap_or_else(|| panic!("{name}: no {meter:?}"));
            #[expect(clippy::cast_precision_loss, reason = "far below the bound of exactness")]
            let said = rate.0 as f64 / 1e6;
            assert!((said - dollars).abs() < 1e-9, "{name} {meter:?}: {said}, not {dollars}");
        }
    }
    let sonnet = entry(&catalogue, "anthropic", "claude-sonnet-4-5");
    let long = sonnet.price(Tier::Standard, TODAY, 200_001).unwrap();
    assert_eq!(long.rate(Meter::Input), Some(Rate(6_000_000)), "beyond 200,000 tokens");
    let batch = entry(&catalogue, "openai", "gpt-4o").price(Tier::Batch, TODAY, 1).unwrap();
    assert_eq!(batch.rate(Meter::Output), Some(Rate(5_000_000)));
    let before =
        entry(&catalogue, "openai", "o3").price(Tier::Standard, Day(20_250_601), 1).unwrap();
    assert_eq!(before.rate(Meter::Input), Some(Rate(10_000_000)), "before it got cheaper");
}

#[test]
fn well_known_models_can_do_what_they_can() {
    let catalogue = Catalogue::built_in();
    let can =
        |kind: &str, name: &str, ability| entry(&catalogue, kind, name).abilities.get(ability);
    assert_eq!(can("openai", "gpt-4o", Ability::ImageInput), Some(true));
    assert_eq!(can("openai", "gpt-4o", Ability::AudioInput), Some(false));
    assert_eq!(can("anthropic", "claude-sonnet-4-5", Ability::DocumentInput), Some(true));
    assert_eq!(can("gemini", "gemini-2.5-pro", Ability::VideoInput), Some(true));
    assert_eq!(can("deepseek", "deepseek-chat", Ability::ImageInput), Some(false));
    assert_eq!(can("groq", "llama-3.3-70b-versatile", Ability::ImageInput), Some(false));
    let gpt = entry(&catalogue, "openai", "gpt-4o");
    assert_eq!((gpt.context, gpt.max_output), (Some(128_000), Some(16_384)));
    assert_eq!(gpt.released, Some(Day(20_240_513)));
    assert_eq!(entry(&catalogue, "openai", "text-embedding-3-small").used_for, Use::Embedding);
    assert_eq!(entry(&catalogue, "openai", "whisper-1").used_for, Use::Transcription);
    assert_eq!(entry(&catalogue, "voyage", "voyage-3.5").used_for, Use::Embedding);
}

/// Who runs models of their users' choice; and what is not a provider of models.
const OWN: &[&str] = &[
    "gpustack",
    "llamacpp",
    "lmstudio",
    "mistralrs",
    "ollama",
    "openai-compatible",
    "other-openai",
    "portkey",
    "replicate",
    "vllm",
];

/// Recorded models that none of the sources lists, and why.
const UNKNOWN: &[(&[&str], &str)] = &[
    (
        &[
            "anthropic/claude-2.1",
            "bedrock/amazon.titan-tg1-large",
            "bedrock/anthropic.claude-v2",
            "groq/compound-beta",
            "openrouter/openai/o1-preview",
            "vertex/gemini-1.5-flash",
            "vertex/gemini-2.5-flash-image-preview",
            "gemini/gemini-2.0-flash-preview-image-generation",
        ],
        "gone before the sources were made",
    ),
    (
        &["gemini/gemini-2.0-flash-exp", "vertex/gemini-2.0-flash-exp"],
        "an experiment that has ended",
    ),
    (
        &[
            "azure-openai/openllmetry-testing",
            "bedrock/arn:aws:bedrock:us-east-1:012345678901:inference-profile",
            "zai/z-model",
            "zai/z-model.v",
        ],
        "a name of the recorder's own",
    ),
    (
        &["azure-openai/gpt-5.2_2025-12-11", "bedrock/claude-haiku-4-5-20251001"],
        "spelled as nobody calls it",
    ),
    (
        &[
            "crusoe/zai/GLM-5.2",
            "doubleword/Qwen/Qwen3.5-397B-A17B-FP8",
            "doubleword/zai-org/GLM-5.2-FP8",
            "gemini/gemini-3.1-flash-lite-image",
            "vertex/gemini-3.1-flash-lite-image",
            "zai/glm-5.3",
            "mistral/mistral-moderation-2603",
            "mistral/zai-glm-5-2",
            "openrouter/openai/gpt-5.6-sol",
            "xai/grok-imagine-image-pro",
            "openrouter/x-ai/grok-4.1-fast",
        ],
        "newer than the sources",
    ),
    (
        &[
            "huggingface/Qwen/Qwen2.5-VL-72B-Instruct",
            "huggingface/meta-llama/Llama-3.1-8B-Instruct",
            "huggingface/meta-llama/Llama-4-Scout-17B-16E-Instruct",
            "huggingface/meta-llama/Meta-Llama-3.1-8B",
        ],
        "known only behind those who serve it, at a price each",
    ),
    (
        &[
            "bedrock-mantle/mistral.voxtral-mini-3b-2507",
            "groq/allam-2-7b",
            "mistral/voxtral-small-latest",
            "openrouter/hexgrad/kokoro-82m",
            "openrouter/openai/text-embedding-3-small",
            "openrouter/voyageai/rerank-2.5-lite",
            "venice/text-embedding-qwen3-0-6b",
            "venice/tts-kokoro",
            "writer/palmyra-x4",
        ],
        "no source lists it",
    ),
];

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let place = std::env::var_os("TOLLGATE_SHARED").map_or(beside, PathBuf::from);
    let index = place.join("corpus/index.jsonl");
    if !index.is_file() {
        assert!(std::env::var("STRICT").is_err(), "no corpus at {}", index.display());
        eprintln!("SKIPPED: no corpus at {}", index.display());
        return None;
    }
    Some(index)
}

#[test]
fn the_models_that_were_recorded_are_known() {
    let Some(index) = shared() else { return };
    let catalogue = Catalogue::built_in();
    let (mut known, mut unknown) = (0, BTreeSet::new());
    let mut seen = BTreeSet::new();
    for line in std::fs::read_to_string(index).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let (provider, model) = (text("provider"), text("model"));
        if model.is_empty() || OWN.contains(&provider.as_str()) || row["status"] != 200 {
            continue;
        }
        let kind = if provider == "azure" { "azure-openai" } else { &provider };
        if !seen.insert(format!("{kind}/{model}")) {
            continue;
        }
        match catalogue.find(kind, &model) {
            Some(_) => known += 1,
            None => drop(unknown.insert(format!("{kind}/{model}"))),
        }
    }
    eprintln!("{known} known, {} not", unknown.len());
    let excused = UNKNOWN.iter().flat_map(|(names, _)| names.iter().map(|name| (*name).to_owned()));
    assert_eq!(unknown, excused.collect(), "left: unknown; right: excused");
    assert!(known > 300, "{known}");
}
