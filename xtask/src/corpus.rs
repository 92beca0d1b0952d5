//! `xtask corpus`: the table provider × dialect × ingress. Writes nothing.

use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use tollgate_testkit::judge::{self, Verdict, report};
use tollgate_testkit::{Corpus, exceptions};

#[derive(Debug, Default)]
struct Wanted {
    features: bool,
    fields: bool,
    failures: usize,
    field: Option<String>,
    dialect: Option<String>,
    ingress: Option<String>,
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().cloned().with_context(|| format!("{argument} takes a value"));
            match argument.as_str() {
                "--features" => wanted.features = true,
                "--fields" => wanted.fields = true,
                "--failures" => wanted.failures = value()?.parse().context("--failures")?,
                "--field" => wanted.field = Some(value()?),
                "--dialect" => wanted.dialect = Some(value()?),
                "--ingress" => wanted.ingress = Some(value()?),
                other => bail!("unknown option `{other}`"),
            }
        }
        Ok(wanted)
    }

    fn wants(&self, verdict: &Verdict) -> bool {
        let fits =
            |wanted: &Option<String>, have: &str| wanted.as_deref().is_none_or(|w| w == have);
        fits(&self.dialect, &verdict.dialect) && fits(&self.ingress, verdict.ingress)
    }
}

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let wanted = Wanted::parse(arguments)?;
    let Some(corpus) = Corpus::load().map_err(|error| anyhow!(error))? else {
        println!("skipped: no corpus at {}", tollgate_testkit::corpus::place().display());
        return Ok(ExitCode::SUCCESS);
    };
    let proved = judge::proof::prove(&corpus);
    let right = proved.iter().filter(|(_, differences)| differences.is_empty()).count();
    println!("readers: {right} of {} recordings read as the corpus says", proved.len());
    let wrong = proved.iter().filter(|(_, differences)| !differences.is_empty());
    for (id, differences) in wrong.take(wanted.failures) {
        println!("reader {id}: {differences:?}");
    }
    println!(
        "{} recordings left out: models behind bedrock-invoke with wire formats of their own, and misnamed ones",
        corpus.left_out
    );
    let mut verdicts = judge::judge(&corpus);
    verdicts.retain(|verdict| wanted.wants(verdict));
    println!("{}", report::text(&report::by_provider(&verdicts)));
    if wanted.features {
        println!("{}", report::text(&report::by_feature(&verdicts)));
    }
    println!("{}", report::text(&report::by_dialect(&verdicts)));
    println!("requests refused as not supported by the other dialect:");
    for ((dialect, ingress, reason), count) in report::refusals(&verdicts) {
        println!("{count:>6}  {dialect} -> {ingress}  {reason}");
    }
    if wanted.fields {
        for ((kind, dialect, ingress, field), count) in report::by_field(&verdicts) {
            println!("{count:>6}  {} {dialect} -> {ingress}  {field}", kind.as_str());
        }
    }
    let exceptions = exceptions::all().map_err(|error| anyhow!(error))?;
    let stale = exceptions::excuse(&mut verdicts, &exceptions);
    println!("exceptions: {}, of them stale: {}", exceptions.len(), stale.len());
    failures(&verdicts, &wanted);
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    println!("not as recorded, and not excepted: {failed} of {}", verdicts.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn failures(verdicts: &[Verdict], wanted: &Wanted) {
    let mut left = wanted.failures;
    for verdict in verdicts.iter().filter(|verdict| !verdict.passed()) {
        let fits = |field: &str| wanted.field.as_deref().is_none_or(|wanted| wanted == field);
        let differences: Vec<_> = verdict.differences.iter().filter(|d| fits(d.field)).collect();
        if differences.is_empty() {
            continue;
        }
        if left == 0 {
            return;
        }
        left -= 1;
        println!("{} {} -> {}", verdict.kind.as_str(), verdict.id, verdict.ingress);
        for difference in differences {
            println!("    {}", difference.field);
            println!("        expected {}", difference.expected);
            println!("        got      {}", difference.got);
        }
    }
}
