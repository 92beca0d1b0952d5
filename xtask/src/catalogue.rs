//! `xtask catalogue`: makes the catalogue that the program carries from three public ones.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use tollgate_catalogue::make::{self, Sources};

/// Where it is written, from this crate.
const TO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/tollgate-catalogue/models.tsv");

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let [flag, from] = arguments else { bail!("catalogue --from DIR") };
    if flag != "--from" {
        bail!("unknown option `{flag}`");
    }
    let read = |name: &str| {
        let path = Path::new(from).join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let (genai, litellm) = (read("genai-prices.json")?, read("litellm-model-prices.json")?);
    let models_dev = read("models-dev.json")?;
    let made = make::make(&Sources { genai: &genai, litellm: &litellm, models_dev: &models_dev })?;
    fs::write(TO, &made.text).context(TO)?;
    println!(
        "{} models, {} other names, {} bytes; {} models without a price, {} rates disputed",
        made.models,
        made.aliases,
        made.text.len(),
        made.unpriced,
        made.disputed
    );
    Ok(ExitCode::SUCCESS)
}
