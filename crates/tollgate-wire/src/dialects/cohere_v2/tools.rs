//! Tools and the choice among them, read and written.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, ToolChoice, ToolKind};

use super::ID;
use crate::{fields::Fields, function_tool};

const STRICT: &str = "strict_tools";

pub(super) fn decode(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    if let Some(list) = top.list("tools")? {
        if list.is_empty() {
            top.extras().spell(ID, "tools", None, json!([]));
        }
        let tools = list.into_iter().enumerate();
        let tools = tools.map(|(at, tool)| function_tool::read(ID, tool, &format!("tools[{at}]")));
        chat.tools = tools.collect::<Result<_, _>>()?;
    }
    if let Some(strict) = top.bool(STRICT)? {
        let mut any = false;
        for tool in &mut chat.tools {
            if let ToolKind::Function { strict: all, .. } = &mut tool.kind
                && strict
            {
                *all = Some(true);
                any = true;
            }
        }
        let canonical = any.then_some(Value::Bool(true));
        top.extras().spell(ID, STRICT, canonical, strict.into());
    }
    chat.tool_choice = match top.string("tool_choice")?.as_deref() {
        None => None,
        Some("REQUIRED") => Some(ToolChoice::Required),
        Some("NONE") => Some(ToolChoice::None),
        Some(other) => Some(ToolChoice::Native { dialect: ID, json: other.into() }),
    };
    Ok(())
}

/// Writes the tools. A choice among some of them is made by offering no others.
pub(super) fn encode(chat: &Chat, own: bool, losses: &mut Losses, out: &mut Map<String, Value>) {
    let (only, word): (Option<&[String]>, Option<Value>) = match &chat.tool_choice {
        None | Some(ToolChoice::Auto) => (None, None),
        Some(ToolChoice::None) => (None, Some("NONE".into())),
        Some(ToolChoice::Required) => (None, Some("REQUIRED".into())),
        Some(ToolChoice::Function(name)) => {
            (Some(std::slice::from_ref(name)), Some("REQUIRED".into()))
        }
        Some(ToolChoice::Among { names, required }) => {
            (Some(names), required.then(|| "REQUIRED".into()))
        }
        Some(ToolChoice::Native { dialect: ID, json }) => (None, Some(json.clone())),
        Some(ToolChoice::Native { .. }) => {
            losses.dropped("", "tool_choice");
            (None, None)
        }
    };
    if only.is_some() {
        losses.approximated("", "tool_choice");
    }
    let mut list = Vec::new();
    let (mut strict, mut loose) = (false, false);
    for (at, tool) in chat.tools.iter().enumerate() {
        let path = format!("tools[{at}]");
        if let ToolKind::Function { name, strict: wanted, .. } = &tool.kind {
            if only.is_some_and(|only| !only.contains(name)) {
                continue;
            }
            strict |= *wanted == Some(true);
            loose |= *wanted != Some(true);
        }
        list.extend(function_tool::write(ID, tool, own, &path, losses));
    }
    if strict {
        out.insert(STRICT.into(), true.into());
        if loose {
            // One word for all of them.
            losses.approximated("tools", "strict");
        }
    }
    if chat.parallel_tool_calls == Some(false) {
        losses.dropped("", "parallel_tool_calls");
    }
    if !list.is_empty() {
        out.insert("tools".into(), list.into());
    }
    if let Some(word) = word.filter(|_| own || out.contains_key("tools")) {
        out.insert("tool_choice".into(), word);
    }
}
