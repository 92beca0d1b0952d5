//! Tools, read and written. Ollama knows functions only, and no choice among them.

use serde_json::{Map, Value, json};
use tollgate_model::{Chat, Fault, Losses, ToolChoice, ToolKind};

use super::ID;
use crate::{fields::Fields, function_tool};

pub(super) fn decode(top: &mut Fields, chat: &mut Chat) -> Result<(), Fault> {
    let Some(list) = top.list("tools")? else { return Ok(()) };
    if list.is_empty() {
        top.extras().spell(ID, "tools", None, json!([]));
    }
    let tools = list.into_iter().enumerate();
    let tools = tools.map(|(at, tool)| function_tool::read(ID, tool, &format!("tools[{at}]")));
    chat.tools = tools.collect::<Result<_, _>>()?;
    Ok(())
}

/// Writes the tools that may be called. A choice is kept by offering no others, as far as that
/// goes: that some tool must be called cannot be said.
pub(super) fn encode(chat: &Chat, own: bool, losses: &mut Losses, out: &mut Map<String, Value>) {
    let may = |name: &str| match &chat.tool_choice {
        Some(ToolChoice::None) => false,
        Some(ToolChoice::Function(only)) => only == name,
        Some(ToolChoice::Among { names, .. }) => names.iter().any(|one| one == name),
        _ => true,
    };
    let mut list = Vec::new();
    for (at, tool) in chat.tools.iter().enumerate() {
        let path = format!("tools[{at}]");
        if let ToolKind::Function { name, strict, .. } = &tool.kind {
            if !may(name) {
                continue;
            }
            if *strict == Some(true) {
                losses.dropped(&path, "strict");
            }
        }
        list.extend(function_tool::write(ID, tool, own, &path, losses));
    }
    match &chat.tool_choice {
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::Required | ToolChoice::Native { .. }) => {
            losses.dropped("", "tool_choice");
        }
        Some(_) => losses.approximated("", "tool_choice"),
    }
    if chat.parallel_tool_calls == Some(false) {
        losses.dropped("", "parallel_tool_calls");
    }
    if !list.is_empty() {
        out.insert("tools".into(), list.into());
    }
}
