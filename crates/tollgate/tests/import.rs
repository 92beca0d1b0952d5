//! Another gateway's configuration: what is carried is accepted as it is, what is not is told with
//! its place and a reason, and what is no configuration is refused.

#![expect(clippy::panic, reason = "a test that breaks should say so at once")]

use std::path::{Path, PathBuf};

use tollgate::config::import::{self, Fate, Imported};
use tollgate::config::{Config, Loaded};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/litellm").join(name)
}

fn variable(name: &str) -> Option<String> {
    Some(match name {
        "AZURE_API_BASE" => "https://somewhere.openai.azure.com/".to_owned(),
        _ => format!("not-a-real-{}", name.to_ascii_lowercase()),
    })
}

fn imported(text: &str) -> Imported {
    import::litellm(Path::new("litellm.yaml"), text, &variable).unwrap_or_else(|e| panic!("{e}"))
}

fn checked(made: &Imported) -> Config {
    let Loaded { config, .. } =
        Config::from_text(Path::new("tollgate.yaml"), &made.yaml, &variable)
            .unwrap_or_else(|refusals| panic!("{refusals}\n{}", made.yaml));
    config
}

#[test]
fn what_is_carried_is_accepted_and_leads_where_it_led() {
    let made = imported(&std::fs::read_to_string(fixture("several-providers.yaml")).unwrap());
    let config = checked(&made);
    let targets = |name: &str| -> Vec<String> {
        let model = config.model(name).unwrap_or_else(|| panic!("{name}: {}", made.yaml));
        model.targets.iter().map(|to| format!("{}/{}", to.provider, to.model)).collect()
    };
    let gpt = ["azure-openai/gpt-4o-eu", "openai/gpt-4o", "anthropic/claude-sonnet-4-5"];
    assert_eq!(targets("gpt-4o"), gpt, "in order, then the fallback");
    assert_eq!(targets("gpt-4"), gpt[..2], "an alias has no fallbacks of its own");
    assert_eq!(targets("claude"), ["anthropic/claude-sonnet-4-5"]);
    assert_eq!(targets("haiku"), ["bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0"]);
    assert_eq!(targets("llama"), ["vllm/meta-llama/Llama-3.3-70B-Instruct"]);
    assert!(config.providers.contains_key("openrouter"), "its models are called by their names");
    let model = config.model("gpt-4o").unwrap();
    assert_eq!(model.targets[0].timeouts.total.as_secs(), 30);
    assert_eq!(model.targets[0].timeouts.first_token.as_millis(), 12_500);
    assert_eq!(config.model("claude").unwrap().targets[0].timeouts.total.as_secs(), 120);
    assert_eq!(config.keys.len(), 1);
    assert!(!made.yaml.contains("sk-ant"), "no secret is copied:\n{}", made.yaml);
}

#[test]
fn what_is_not_carried_is_told_with_its_place_and_the_reason() {
    let text = std::fs::read_to_string(fixture("several-providers.yaml")).unwrap();
    let made = imported(&text);
    for (path, fate, why) in [
        ("model_list[0].litellm_params.rpm", Fate::Left, "rate limits"),
        ("model_list[0].litellm_params.api_base", Fate::Changed, "taken from AZURE_API_BASE"),
        ("model_list[1].litellm_params.weight", Fate::Left, "weighted"),
        ("model_list[2].litellm_params.api_key", Fate::Changed, "ANTHROPIC_API_KEY"),
        ("model_list[2].litellm_params.max_tokens", Fate::Left, "let callers send it"),
        ("model_list[6].litellm_params.model", Fate::Left, "does not say whose"),
        ("router_settings.routing_strategy", Fate::Left, "later version"),
        ("router_settings.num_retries", Fate::Left, "next target"),
        ("router_settings.fallbacks[0].gpt-4o", Fate::Left, "`nowhere`"),
        ("router_settings.context_window_fallbacks", Fate::Left, "more room"),
        ("litellm_settings.drop_params", Fate::Left, "x-tollgate-loss"),
        ("litellm_settings.success_callback", Fate::Left, "/metrics"),
        ("litellm_settings.max_budget", Fate::Left, "budgets"),
        ("litellm_settings.odd_switch", Fate::Left, "no such setting"),
        ("general_settings.database_url", Fate::Left, "storage.database"),
    ] {
        let found = made.report.iter().find(|note| note.path == path);
        let found = found.unwrap_or_else(|| panic!("{path}: {:#?}", made.report));
        assert_eq!(found.fate, fate, "{path}");
        assert!(found.why.contains(why), "{found}");
        assert!(!found.to_string().contains("sk-ant"), "{found}");
    }
    let rpm = made.report.iter().find(|note| note.path.ends_with(".rpm")).unwrap();
    let line = text.lines().nth(usize::try_from(rpm.line).unwrap() - 1).unwrap();
    assert!(line.contains("rpm: 600"), "line {}: {line}", rpm.line);
}

#[test]
fn what_is_no_configuration_is_refused_with_its_place_and_a_hint() {
    for (text, place, why) in [
        ("model_list: [", "litellm.yaml:1:", "YAML"),
        ("providers: {}\n", "litellm.yaml:1:1:", "there is no `model_list`"),
        ("model_list: {}\n", "litellm.yaml:1:13:", "should be a list"),
        ("model_list: []\n", "litellm.yaml:1:13:", "is empty"),
        (
            "model_list:\n  - litellm_params: { model: gpt-4o }\n",
            "litellm.yaml:2:5:",
            "without a `model_name`",
        ),
        (
            "model_list:\n  - model_name: a\n    litellm_params: { api_key: b }\n",
            "litellm.yaml:3:21:",
            "litellm_params.model",
        ),
        (
            "model_list:\n  - model_name: a\n    litellm_params: { model: petals/x }\n",
            "litellm.yaml:2:3:",
            "none of its models",
        ),
    ] {
        let said =
            import::litellm(Path::new("litellm.yaml"), text, &variable).unwrap_err().to_string();
        assert!(said.starts_with(place) && said.contains(why), "{text:?}: {said}");
        assert!(said.contains("hint: "), "{said}");
    }
}

#[test]
fn names_that_cannot_be_are_left_out_and_the_rest_stands() {
    let made = imported(
        "model_list:\n  - model_name: \"*\"\n    litellm_params: { model: \"openai/*\" }\n  - model_name: \"a*b*\"\n    litellm_params: { model: openai/gpt-4o }\n  - model_name: \"claude/*\"\n    litellm_params: { model: \"anthropic/*\" }\n",
    );
    let config = checked(&made);
    assert_eq!(config.model("anything").unwrap().targets[0].model, "*");
    let said = |why: &str| made.report.iter().any(|note| note.why.contains(why));
    assert!(said("at most one `*`"), "{:#?}", made.report);
    assert!(said("callers write `anthropic/…`"), "{:#?}", made.report);
}
