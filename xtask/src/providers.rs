//! `xtask providers`: `docs/providers.md`, made from the rows. `tidy` says when it is stale.

use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tollgate_wire::PROVIDERS;
use tollgate_wire::auth::{Auth, Identity};
use tollgate_wire::provider::{
    Base, CallId, MaxTokens, Provider, Quirks, ReasoningBack, ReasoningSwitch, ToolDemand,
};

pub(crate) const PAGE: &str = "docs/providers.md";

pub(crate) fn run() -> Result<ExitCode> {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/providers.md");
    fs::write(place, page()).context(place)?;
    Ok(ExitCode::SUCCESS)
}

/// The whole page.
pub(crate) fn page() -> String {
    let mut out = String::from(HEAD);
    for row in PROVIDERS {
        let dialects: Vec<&str> = dialects(row);
        let operations: Vec<&str> = row.operations.iter().map(|o| o.as_str()).collect();
        line(
            &mut out,
            &format!(
                "| [`{}`](#{}) | {} | {} | {} |",
                row.kind,
                row.kind,
                dialects.join(", "),
                operations.join(", "),
                credential(row)
            ),
        );
    }
    for row in PROVIDERS {
        section(&mut out, row);
    }
    out
}

const HEAD: &str = "# Providers

<!-- Made by `cargo run -p xtask -- providers` from the rows in `crates/tollgate-wire/src/providers/`. -->

What each kind speaks and where it departs from its dialect. A caller's own dialect is preferred where the kind speaks
it: then the request leaves as it came, and losses below do not apply. They are of requests that are translated, and
each is told in `x-tollgate-loss`. A host that is not here is reached as `openai-compatible` or
`anthropic-compatible`, with its `base_url`.

*Data* is what the vendor's public terms say, with their place and the day they were read; what they do not say is not
known. A contract of yours may say otherwise: write it down as `data` of the provider
([configuration](configuration.md#providers)).

| kind | dialects | operations | credential |
|---|---|---|---|
";

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn dialects(row: &Provider) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for speaks in row.speaks {
        if !names.contains(&speaks.dialect.as_str()) {
            names.push(speaks.dialect.as_str());
        }
    }
    names
}

fn credential(row: &Provider) -> String {
    let mut ways: Vec<String> = row.key_env.iter().map(|name| format!("`{name}`")).collect();
    ways.extend(match row.identity {
        Identity::None => None,
        Identity::Aws { .. } => Some("AWS credentials".to_owned()),
        Identity::Google { .. } => Some("a Google identity".to_owned()),
        Identity::Entra { .. } => Some("an Entra identity".to_owned()),
    });
    match (ways.is_empty(), row.key_optional) {
        (true, true) => "a key if the host wants one".to_owned(),
        (true, false) => "a key".to_owned(),
        (false, _) => ways.join(", else "),
    }
}

fn section(out: &mut String, row: &Provider) {
    let _ = writeln!(out, "\n## {}\n", row.kind);
    let base = match row.base_url {
        "" if row.kind == "simulated" => "lives inside the gateway".to_owned(),
        "" => "`base_url` must be given".to_owned(),
        base => format!("`{base}`"),
    };
    line(out, &format!("- Address: {base}"));
    for speaks in row.speaks {
        let place = match speaks.base {
            Base::Given => String::new(),
            other => format!(", at {}", place(other)),
        };
        let models = match speaks.models {
            [] => String::new(),
            models => format!(", for {}", quoted(models).join(", ")),
        };
        line(out, &format!("- Speaks `{}`{place}{models}", speaks.dialect));
    }
    let settings: Vec<String> = row.settings.iter().map(|s| format!("`{}`", s.name)).collect();
    if !settings.is_empty() {
        line(out, &format!("- Settings: {}", settings.join(", ")));
    }
    let shown = match row.auth {
        Auth::Bearer => "as a bearer".to_owned(),
        Auth::ByDialect => "where the dialect's own vendor takes it".to_owned(),
        Auth::Header(name) => format!("in the header `{name}`"),
    };
    line(out, &format!("- Credential: {}; a key is shown {shown}", credential(row)));
    let (departs, losses) = (departures(&row.quirks), losses(row));
    if speaks_chat(row) {
        line(out, &format!("- Differs from OpenAI: {}", or_nothing(&departs)));
        line(out, &format!("- Lost when translated: {}", or_nothing(&losses)));
    }
    line(out, &format!("- Data: {}", data(row)));
    for note in row.notes {
        line(out, &format!("- {note}"));
    }
}

fn or_nothing(list: &[String]) -> String {
    if list.is_empty() { "nothing known".to_owned() } else { list.join("; ") }
}

fn quoted(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| format!("`{word}`")).collect()
}

fn place(base: Base) -> String {
    match base {
        Base::Given => "the address".to_owned(),
        Base::Root => "the address without `/v1`".to_owned(),
        Base::Path(path) => format!("`{path}` of the host"),
        Base::Below(path) => format!("`{path}` below it"),
        other => format!("`{other:?}`").to_lowercase(),
    }
}

fn speaks_chat(row: &Provider) -> bool {
    row.speaks.iter().any(|speaks| speaks.dialect.as_str() == "openai-chat")
}

/// What is written otherwise than OpenAI would have it.
fn departures(quirks: &Quirks) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut say = |text: &str| out.push(text.to_owned());
    match quirks.max_tokens_field {
        MaxTokens::MaxTokens => say("the cap is `max_tokens`"),
        MaxTokens::OnlyMaxTokens => say("the cap is `max_tokens` and nothing else"),
        MaxTokens::MaxCompletionTokens => {}
    }
    match quirks.seed_field {
        Some("seed") | None => {}
        Some(name) => say(&format!("the seed is `{name}`")),
    }
    match quirks.end_user_field {
        Some("user") | None => {}
        Some(name) => say(&format!("the end user is `{name}`")),
    }
    if !quirks.developer_role {
        say("the role `developer` becomes `system`");
    }
    match quirks.reasoning_switch {
        ReasoningSwitch::None | ReasoningSwitch::Effort => {}
        ReasoningSwitch::Object => say("thinking is asked for with `reasoning`"),
        ReasoningSwitch::Thinking => say("thinking is asked for with `thinking`"),
        ReasoningSwitch::Template => say("thinking is asked for with `chat_template_kwargs`"),
        ReasoningSwitch::Enable => say("thinking is asked for with `enable_thinking`"),
    }
    match quirks.reasoning_back {
        ReasoningBack::None => {}
        ReasoningBack::Content => say("earlier thinking goes back as `reasoning_content`"),
        ReasoningBack::Reasoning => say("earlier thinking goes back as `reasoning`"),
        ReasoningBack::Details => say("earlier thinking goes back as `reasoning_details`"),
        ReasoningBack::Part => say("earlier thinking goes back as a part"),
    }
    if let ToolDemand::All(word) = quirks.tool_choice
        && word != "required"
    {
        say(&format!("a call is demanded with `{word}`"));
    }
    if quirks.call_id == CallId::Nine {
        say("ids of calls are nine letters or digits");
    }
    if quirks.document_url {
        say("documents are `document_url`");
    }
    if quirks.reasoning_beside_output {
        say("thinking is counted beside the output");
    }
    out
}

/// What a translated request loses.
fn losses(row: &Provider) -> Vec<String> {
    let quirks = &row.quirks;
    let mut out: Vec<String> = Vec::new();
    let mut lost = |there: bool, what: &str| {
        if !there {
            out.push(what.to_owned());
        }
    };
    lost(quirks.seed_field.is_some(), "the seed");
    lost(quirks.top_k, "`top_k`");
    lost(quirks.penalties, "penalties");
    lost(quirks.logprobs, "log-probabilities");
    lost(quirks.choices, "several choices");
    lost(quirks.parallel_tool_calls, "the wish for single tool calls");
    lost(quirks.end_user_field.is_some(), "the end user");
    lost(quirks.message_name, "names of speakers");
    lost(quirks.service_tier, "the tier of service");
    lost(quirks.cache_control, "cache marks");
    lost(quirks.json_schema, "the schema of an answer (any JSON is asked for)");
    lost(quirks.stream_options, "usage of streams");
    match quirks.tool_choice {
        ToolDemand::All(_) => {}
        ToolDemand::ByName => lost(false, "the demand for some tool call"),
        ToolDemand::Never => lost(false, "every demand for tool calls"),
    }
    match (quirks.reasoning_switch, quirks.effort_models) {
        (ReasoningSwitch::None, _) => lost(false, "the wish for thinking"),
        (ReasoningSwitch::Effort, []) => {
            lost(false, "a budget of thinking (an effort is asked for)")
        }
        (ReasoningSwitch::Effort, models) => {
            let models: Vec<String> = models.iter().map(|model| format!("`{model}*`")).collect();
            lost(false, &format!("the wish for thinking, but of {}", models.join(", ")));
        }
        _ => {}
    }
    lost(quirks.reasoning_back != ReasoningBack::None, "earlier thinking");
    out
}

fn data(row: &Provider) -> String {
    let terms = &row.terms;
    let data = &terms.data;
    let mut said: Vec<String> = Vec::new();
    said.extend(data.region.as_ref().map(|region| format!("processed in {region}")));
    said.extend(data.retention_days.map(|days| match days {
        0 => "not kept".to_owned(),
        days => format!("kept for {days} days at most"),
    }));
    said.extend(data.trains.map(|trains| match trains {
        true => "used for training unless you object".to_owned(),
        false => "not used for training".to_owned(),
    }));
    said.extend(data.baa.map(|baa| if baa { "BAA offered" } else { "no BAA" }.to_owned()));
    let mut text = if said.is_empty() { "not known".to_owned() } else { said.join(", ") };
    if !terms.note.is_empty() {
        text += &format!("; {}", terms.note);
    }
    if !terms.source.is_empty() {
        text += &format!(" ([terms]({}), read {})", terms.source, terms.read);
    }
    text
}
