//! A configuration of the LiteLLM proxy.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use super::super::place::{Path, Place};
use super::super::refusal::{Refusal, Refusals};
use super::super::yaml::{self, Node, Value};
use super::deployment::{Deployment, Import};
use super::yaml_out::{self, Model, Provider};
use super::{Fate, Imported, left};

/// # Errors
/// What is no YAML, and what is no `model_list`, each with its place and a hint.
pub fn litellm(
    file: &FilePath,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Imported, Refusals> {
    let tree = yaml::parse(text).map_err(|r| Refusals::new(file.to_owned(), vec![r]))?;
    let deployments = listed(&tree).map_err(|refusals| Refusals::new(file.to_owned(), refusals))?;
    let mut import = Import { variable, report: Vec::new() };
    let mut made = Made::default();
    let mut groups: BTreeMap<String, Vec<(Deployment, Path)>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for (name, params, path) in deployments {
        if let Some(deployment) = import.deployment(params, &path) {
            if !order.contains(&name) {
                order.push(name.clone());
            }
            groups.entry(name).or_default().push((deployment, path));
        }
    }
    for name in &order {
        let mut group = groups.remove(name).unwrap_or_default();
        group.sort_by_key(|(deployment, _)| deployment.order);
        made.group(&mut import, &tree, name, group);
    }
    made.defaults(&tree);
    made.aliases(&mut import, &tree);
    made.fallbacks(&mut import, &tree);
    let key = tree.get("general_settings").and_then(|general| general.get("master_key"));
    let path = Path::top().key("general_settings").key("master_key");
    let key = key.map(|key| import.secret(key, &path, "LITELLM_MASTER_KEY"));
    left::notes(&tree, &mut import.report);
    import.report.sort_by_key(|note| (note.line, note.column));
    import.report.dedup();
    let from = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let from = from.unwrap_or_default();
    if made.providers.is_empty() {
        let list = tree.get("model_list").map_or(tree.at, |list| list.at);
        let why: Vec<String> = import.report.iter().map(ToString::to_string).collect();
        let message = format!("none of its models can be carried: {}", why.join("; "));
        let refusal = Refusal::new(list, &Path::top().key("model_list"), message, HINT);
        return Err(Refusals::new(file.to_owned(), vec![refusal]));
    }
    Ok(Imported {
        yaml: yaml_out::write(&from, &made.providers, &made.models, key.as_deref()),
        models: made.models.len() + made.native,
        providers: made.providers.len(),
        report: import.report,
    })
}

const HINT: &str = "model_list:\n    - model_name: gpt-4o\n      litellm_params: { model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY }";

/// Name, parameters and place of every deployment.
type Listed<'a> = Vec<(String, &'a Node, Path)>;

fn listed(tree: &Node) -> Result<Listed<'_>, Vec<Refusal>> {
    let refuse =
        |at: Place, path: &Path, message: &str| vec![Refusal::new(at, path, message, HINT)];
    let path = Path::top().key("model_list");
    let Some(list) = tree.get("model_list") else {
        return Err(refuse(
            tree.at,
            &Path::top(),
            "this is no configuration of LiteLLM: there is no `model_list`",
        ));
    };
    let Value::List(items) = &list.value else {
        return Err(refuse(list.at, &path, "`model_list` should be a list"));
    };
    let mut refusals = Vec::new();
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let path = path.index(at);
        let name = item.get("model_name").and_then(Node::text);
        let params = item.get("litellm_params");
        let model = params.and_then(|params| params.get("model")?.text());
        match (name, params, model) {
            (Some(name), Some(params), Some(_)) => {
                found.push((name.to_owned(), params, path.key("litellm_params")));
            }
            (None, ..) => {
                refusals.extend(refuse(item.at, &path, "an entry without a `model_name`"))
            }
            _ => {
                let at = params.map_or(item.at, |params| params.at);
                refusals.extend(refuse(at, &path, "an entry without `litellm_params.model`"));
            }
        }
    }
    if found.is_empty() && refusals.is_empty() {
        refusals.extend(refuse(list.at, &path, "`model_list` is empty"));
    }
    if refusals.is_empty() { Ok(found) } else { Err(refusals) }
}

#[derive(Default)]
struct Made {
    providers: Vec<(String, Provider)>,
    models: Vec<Model>,
    /// Wildcards that need no entry: `provider/model` is reached as it is.
    native: usize,
}

impl Made {
    /// The name of that provider here.
    fn provider(&mut self, provider: Provider) -> String {
        if let Some((name, _)) = self.providers.iter().find(|(_, known)| *known == provider) {
            return name.clone();
        }
        let same = self.providers.iter().filter(|(_, known)| known.kind == provider.kind).count();
        let name = match same {
            0 => provider.kind.to_owned(),
            more => format!("{}-{}", provider.kind, more + 1),
        };
        self.providers.push((name.clone(), provider));
        name
    }

    fn group(
        &mut self,
        import: &mut Import<'_>,
        tree: &Node,
        name: &str,
        deployments: Vec<(Deployment, Path)>,
    ) {
        let mut model = Model { name: name.to_owned(), ..Model::default() };
        for (deployment, path) in deployments {
            let at = tree.find(&path).unwrap_or(tree);
            let wild = deployment.model.contains('*');
            if wild && deployment.model != "*" && deployment.model != name {
                let why = "a `*` inside a model's name stands for the caller's whole name only";
                import.note(at, &path, Fate::Left, why);
                continue;
            }
            let target = if wild { "*" } else { deployment.model.as_str() };
            if target.len() > 256 || target.chars().any(|c| c.is_whitespace() || c.is_control()) {
                import.note(at, &path, Fate::Left, "this cannot be the name of a model");
                continue;
            }
            let provider = self.provider(deployment.provider);
            if wild && name == format!("{provider}/*") {
                self.native += 1;
                continue;
            }
            if wild && name.contains('/') {
                let why = format!("callers write `{provider}/…` instead of `{name}`");
                import.note(at, &path, Fate::Changed, why);
                self.native += 1;
                continue;
            }
            let target = format!("{provider}/{target}");
            if model.targets.contains(&target) {
                import.note(at, &path, Fate::Left, "the same target stands there already");
                continue;
            }
            model.targets.push(target);
            for (key, millis) in deployment.timeouts {
                if !model.timeouts.iter().any(|(known, _)| *known == key) {
                    model.timeouts.push((key, millis));
                }
            }
        }
        if name.matches('*').count() > 1 || name.len() > 256 || name.chars().any(char::is_control) {
            let path = Path::top().key("model_list");
            let why = format!("{name:?} cannot name a model: at most one `*`");
            import.note(tree, &path, Fate::Left, why);
        } else if !model.targets.is_empty() {
            self.models.push(model);
        }
    }

    /// Timeouts of the whole, where a model has none.
    fn defaults(&mut self, tree: &Node) {
        let of = |section: &str, key: &str| tree.get(section)?.get(key)?.millis();
        let total =
            of("router_settings", "timeout").or_else(|| of("litellm_settings", "request_timeout"));
        let first = of("router_settings", "stream_timeout");
        for model in &mut self.models {
            for (key, millis) in [("total", total), ("first_token", first)] {
                if let Some(millis) = millis
                    && !model.timeouts.iter().any(|(known, _)| *known == key)
                {
                    model.timeouts.push((key, millis));
                }
            }
            // No part may be longer than the whole.
            let total = model.timeouts.iter().find(|(key, _)| *key == "total");
            let total = total.map_or(600_000, |(_, millis)| *millis);
            for (key, millis) in &mut model.timeouts {
                if *key != "total" {
                    *millis = (*millis).min(total);
                }
            }
        }
    }

    fn aliases(&mut self, import: &mut Import<'_>, tree: &Node) {
        let path = Path::top().key("router_settings").key("model_group_alias");
        let Some(Node { value: Value::Map(entries), .. }) = tree.find(&path) else { return };
        for entry in entries {
            let path = path.key(&entry.key);
            let of = entry.node.text().or_else(|| entry.node.get("model")?.text());
            let model = self.models.iter().find(|model| Some(model.name.as_str()) == of).cloned();
            match model {
                Some(model) if !self.models.iter().any(|known| known.name == entry.key) => {
                    self.models.push(Model { name: entry.key.clone(), ..model });
                }
                _ => import.note(&entry.node, &path, Fate::Left, "it names no model of this file"),
            }
        }
    }

    /// A model's fallbacks are its further targets.
    fn fallbacks(&mut self, import: &mut Import<'_>, tree: &Node) {
        let before = self.models.clone();
        let targets = |name: &str| {
            before.iter().find(|model| model.name == name).map(|model| model.targets.clone())
        };
        for section in ["router_settings", "litellm_settings"] {
            let path = Path::top().key(section).key("fallbacks");
            let Some(node) = tree.find(&path) else { continue };
            for (from, to, path) in pairs(node, &path) {
                let at = tree.find(&path).unwrap_or(node);
                let Some(model) = self.models.iter_mut().find(|model| model.name == from) else {
                    import.note(
                        at,
                        &path,
                        Fate::Left,
                        format!("`{from}` names no model of this file"),
                    );
                    continue;
                };
                for name in to {
                    match targets(&name) {
                        Some(more) => append(model, more),
                        None => {
                            let why = format!("`{name}` names no model of this file");
                            import.note(at, &path, Fate::Left, why);
                        }
                    }
                }
            }
        }
        for section in ["router_settings", "litellm_settings"] {
            let path = Path::top().key(section).key("default_fallbacks");
            let Some(node) = tree.find(&path) else { continue };
            for name in texts(node) {
                match targets(&name) {
                    Some(more) => self.models.iter_mut().for_each(|m| append(m, more.clone())),
                    None => {
                        let why = format!("`{name}` names no model of this file");
                        import.note(node, &path, Fate::Left, why);
                    }
                }
            }
        }
    }
}

fn append(model: &mut Model, targets: Vec<String>) {
    for target in targets {
        if !model.targets.contains(&target) {
            model.targets.push(target);
        }
    }
}

fn texts(node: &Node) -> Vec<String> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(|i| i.text().map(str::to_owned)).collect(),
        Value::Text(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// `[{from: [to, …]}, …]`, or one mapping.
fn pairs(node: &Node, path: &Path) -> Vec<(String, Vec<String>, Path)> {
    let of = |node: &Node, path: &Path| -> Vec<(String, Vec<String>, Path)> {
        let Value::Map(entries) = &node.value else { return Vec::new() };
        let one =
            |entry: &yaml::Entry| (entry.key.clone(), texts(&entry.node), path.key(&entry.key));
        entries.iter().map(one).collect()
    };
    match &node.value {
        Value::List(items) => {
            items.iter().enumerate().flat_map(|(at, item)| of(item, &path.index(at))).collect()
        }
        _ => of(node, path),
    }
}
