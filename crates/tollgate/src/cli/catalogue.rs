//! `tollgate catalogue`: what is known of models, shown, made from public lists, or fetched. The
//! gateway itself never fetches: a file that it shall use is named in its configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::header::{ACCEPT, HOST};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tollgate_catalogue::make::{self, Sources};
use tollgate_catalogue::{Catalogue, Entry};
use tollgate_model::{Ability, Meter};

use super::say;
use crate::config::{BaseUrl, UpstreamTls};
use crate::upstream::{self, Call, Origin, Pool};

/// Longest catalogue that is taken, and how long it may take to come.
const MOST: usize = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say what is known of the models of a kind of provider, or of one of them
    Show {
        /// A kind of provider, or KIND/MODEL; without one, where the catalogue comes from
        of: Option<String>,
        /// A catalogue in a file, instead of the one that the program carries
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Make a catalogue from public lists: genai-prices.json, litellm-model-prices.json and
    /// models-dev.json
    Make {
        /// The folder that holds them
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Where the catalogue is written
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Fetch a catalogue that somebody made, and check it
    Fetch {
        /// Where it lies
        url: String,
        /// Where it is written
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

pub(super) fn run(show: &Show) -> anyhow::Result<ExitCode> {
    match &show.what {
        What::Show { of, file } => known(of.as_deref(), file.as_deref()),
        What::Make { from, output } => made(from, output),
        What::Fetch { url, output } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let text = runtime.block_on(fetched(url))?;
            let catalogue = Catalogue::read(text.clone())
                .with_context(|| format!("what lies at {url} is no catalogue"))?;
            written(&text, output)?;
            say::line(&format!("{} models in {}", catalogue.all().count(), output.display()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn known(of: Option<&str>, file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let catalogue = match file {
        None => Catalogue::built_in(),
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            Catalogue::read(text).with_context(|| file.display().to_string())?
        }
    };
    let Some(of) = of else {
        say::line(catalogue.about().trim_end())?;
        say::line(&format!("{} models, {} bytes", catalogue.all().count(), catalogue.size()))?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some((kind, model)) = of.split_once('/')
        && let Some(entry) = catalogue.find(kind, model)
    {
        return whole(&entry).map(|()| ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 5]> = catalogue.of(of).map(|entry| row(&entry)).collect();
    if rows.is_empty() {
        bail!("nothing is known of `{of}`");
    }
    say::table(["MODEL", "USE", "CONTEXT", "INPUT $/M", "OUTPUT $/M"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &Entry<'_>) -> [String; 5] {
    let now = entry.prices().into_iter().rfind(|price| price.above == 0);
    let dollars = |meter| {
        let rate = now.as_ref().and_then(|price| price.rate(meter));
        rate.map(|rate| million(rate.0)).unwrap_or_default()
    };
    [
        entry.name.to_owned(),
        entry.used_for.as_str().to_owned(),
        entry.context.map(|context| context.to_string()).unwrap_or_default(),
        dollars(Meter::Input),
        dollars(Meter::Output),
    ]
}

fn whole(entry: &Entry<'_>) -> anyhow::Result<()> {
    let shown = |number: Option<u64>| number.map_or("not known".to_owned(), |n| n.to_string());
    say::line(&format!("{}/{}: {}", entry.kind, entry.name, entry.used_for.as_str()))?;
    say::line(&format!("context     {}", shown(entry.context)))?;
    say::line(&format!("input       {}", shown(entry.max_input)))?;
    say::line(&format!("output      {}", shown(entry.max_output)))?;
    for (word, can) in [("can", true), ("cannot", false)] {
        let abilities = Ability::ALL.into_iter().filter(|a| entry.abilities.get(*a) == Some(can));
        let names: Vec<&str> = abilities.map(Ability::as_str).collect();
        say::line(&format!("{word:<11} {}", names.join(", ")))?;
    }
    for (word, day) in [("released", entry.released), ("retires", entry.retires)] {
        if let Some(day) = day {
            say::line(&format!("{word:<11} {day}"))?;
        }
    }
    for price in entry.prices() {
        let mut head = price.tier.as_str().to_owned();
        if price.from.0 > 0 {
            head += &format!(" from {}", price.from);
        }
        if price.above > 0 {
            head += &format!(" above {} input tokens", price.above);
        }
        say::line(&head)?;
        for (meter, rate) in &price.rates {
            let dollars = match meter.is_tokens() {
                true => format!("{} $ for a million", million(rate.0)),
                false => format!("{} $ each", decimal(rate.0, 12)),
            };
            let open = price.tier == tollgate_model::Tier::Standard
                && price.above == 0
                && entry.disputed().contains(meter);
            let open = if open { "  (disputed)" } else { "" };
            say::line(&format!("  {:<22} {dollars}{open}", meter.as_str()))?;
        }
    }
    Ok(())
}

/// Picodollars for a token, as dollars for a million.
fn million(picodollars: u64) -> String {
    decimal(picodollars, 6)
}

/// `number` over ten to the power of `digits`, exactly.
fn decimal(number: u64, digits: usize) -> String {
    let text = format!("{number:0>width$}", width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

fn made(from: &Path, output: &Path) -> anyhow::Result<ExitCode> {
    let read = |name: &str| {
        let path = from.join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let (genai, litellm) = (read("genai-prices.json")?, read("litellm-model-prices.json")?);
    let models_dev = read("models-dev.json")?;
    let made = make::make(&Sources { genai: &genai, litellm: &litellm, models_dev: &models_dev })?;
    written(&made.text, output)?;
    say::line(&format!(
        "{} models in {}; {} of them without a price, {} rates on which no two sources agree",
        made.models,
        output.display(),
        made.unpriced,
        made.disputed
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Whole or not at all: a gateway may be watching the file.
fn written(text: &str, output: &Path) -> anyhow::Result<()> {
    let beside = output.with_extension("part");
    std::fs::write(&beside, text).with_context(|| beside.display().to_string())?;
    std::fs::rename(&beside, output).with_context(|| output.display().to_string())
}

async fn fetched(url: &str) -> anyhow::Result<String> {
    let base = BaseUrl::parse(url).map_err(|error| anyhow::anyhow!("{url}: {error}"))?;
    let origin = Origin::new(&base, &UpstreamTls::default(), Duration::from_secs(10))?;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, origin.authority.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("text/plain, */*"));
    let uri = Uri::try_from(&base.path_prefix)?;
    let call = Call { method: Method::GET, uri, headers, body: Bytes::new().into() };
    let get = async {
        let answer = upstream::send(&Arc::new(Pool::default()), &Arc::new(origin), &call).await?;
        let status = answer.status();
        if !status.is_success() {
            bail!("{url} answers with {status}; redirects are not followed");
        }
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        while let Some(more) = body.data().await {
            bytes.extend_from_slice(&more.with_context(|| url.to_owned())?);
            if bytes.len() > MOST {
                bail!("what lies at {url} is longer than {MOST} bytes");
            }
        }
        Ok(String::from_utf8(bytes)?)
    };
    tokio::time::timeout(PATIENCE, get).await.with_context(|| format!("{url} takes too long"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_exactly() {
        assert_eq!(million(2_500_000), "2.5");
        assert_eq!(million(37_500), "0.0375");
        assert_eq!(million(10_000_000), "10");
        assert_eq!(million(0), "0");
        assert_eq!(decimal(40_000_000_000, 12), "0.04");
    }
}
