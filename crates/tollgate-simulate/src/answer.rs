//! What the simulated model says: decided by the request alone, before any dialect words it.

use crate::asked::{Asked, Choice, Output, Tool, ToolResult};
use crate::{ids, schema, text, tokens};
use serde_json::{Value, json};

/// One answer, in words that no vendor owns.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) reasoning: Option<String>,
    pub(crate) text: String,
    pub(crate) refusal: Option<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) finish: Finish,
    pub(crate) reasoning_tokens: u64,
    /// Reasoning included.
    pub(crate) output_tokens: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    StopSequence(String),
    Length,
    ToolCalls,
    Refusal,
    /// Cut by a content filter, with the text up to there.
    Filtered,
}

/// Asks for a refusal when a user text holds it.
pub(crate) const REFUSE: &str = "please refuse";
/// Asks for a content-filter stop.
pub(crate) const FILTER: &str = "please filter";

/// The answer to `asked`.
pub(crate) fn answer(asked: &Asked) -> Answer {
    let wish = asked.last_user.to_lowercase();
    if asked.results.is_empty() && wish.contains(REFUSE) {
        return refused();
    }
    let calls = calls(asked);
    let mut said = if calls.is_empty() { sentence(asked) } else { String::new() };
    let mut finish = if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
    let (up_to, stop) = text::stopped(&said, &asked.stops);
    if let Some(stop) = stop {
        finish = Finish::StopSequence(stop.to_owned());
    }
    said = up_to;
    if wish.contains(FILTER) && calls.is_empty() {
        said = text::capped(&said, 3).0;
        finish = Finish::Filtered;
    }
    let reasoning = asked.thinking.then(|| reasoning(asked));
    cap(
        asked,
        Answer {
            reasoning,
            text: said,
            refusal: None,
            calls,
            finish,
            reasoning_tokens: 0,
            output_tokens: 0,
        },
    )
}

fn refused() -> Answer {
    let said = "I'm sorry, but I can't assist with that.";
    Answer {
        reasoning: None,
        text: String::new(),
        refusal: Some(said.to_owned()),
        calls: Vec::new(),
        finish: Finish::Refusal,
        reasoning_tokens: 0,
        output_tokens: tokens::count(said),
    }
}

/// Keeps the answer within the caller's cap: reasoning first, then text; calls come whole or not at all.
fn cap(asked: &Asked, mut answer: Answer) -> Answer {
    let mut left = asked.cap.unwrap_or(u64::MAX);
    if let Some(thought) = answer.reasoning.take() {
        let (kept, cut) = text::capped(&thought, left);
        answer.reasoning_tokens = tokens::count(&kept);
        left -= answer.reasoning_tokens;
        answer.reasoning = Some(kept);
        if cut {
            left = 0;
            answer.finish = Finish::Length;
        }
    }
    let spoken = tokens::count(&answer.text);
    let called: u64 = answer
        .calls
        .iter()
        .map(|c| tokens::count(&c.name) + tokens::count(&c.arguments.to_string()))
        .sum();
    let mut output = spoken + called;
    if called > left {
        answer.calls.clear();
        answer.finish = Finish::Length;
        output = left;
    } else if spoken > left {
        answer.text = text::capped(&answer.text, left).0;
        answer.finish = Finish::Length;
        output = left;
    }
    answer.output_tokens = answer.reasoning_tokens + output;
    answer
}

/// The calls the answer makes: those the user text names, or the first allowed one when it must.
fn calls(asked: &Asked) -> Vec<Call> {
    let allowed: Vec<&Tool> = match &asked.choice {
        Choice::Never => return Vec::new(),
        Choice::Must(names) if !names.is_empty() => {
            asked.tools.iter().filter(|t| names.contains(&t.name)).collect()
        }
        _ => asked.tools.iter().collect(),
    };
    let mut wanted: Vec<Call> =
        if asked.results.is_empty() { wished(&asked.last_user, &allowed) } else { Vec::new() };
    if wanted.is_empty()
        && matches!(asked.choice, Choice::Must(_))
        && let Some(first) = allowed.first()
    {
        wanted.push(Call { name: first.name.clone(), arguments: arguments(first) });
    }
    if !asked.parallel {
        wanted.truncate(1);
    }
    wanted
}

/// Reads `call NAME`, `call NAME and NAME` and `call NAME with {…}` in the user's words.
fn wished(said: &str, tools: &[&Tool]) -> Vec<Call> {
    let mut found = Vec::new();
    let mut rest = said;
    while let Some(at) = find_word(rest, "call ") {
        rest = &rest[at + 5..];
        loop {
            let clean = rest.trim_start_matches([' ', '`', '"', '\'']);
            let end = clean
                .find(|c: char| !(c.is_alphanumeric() || "_-.:".contains(c)))
                .unwrap_or(clean.len());
            let name = clean[..end].trim_end_matches(['.', ':']);
            let Some(tool) = tools.iter().find(|t| t.name == name) else {
                break;
            };
            let after = clean[name.len()..].trim_start_matches(['`', '"', '\'', ' ', ',']);
            let (given, after) = leading_object(after.strip_prefix("with ").unwrap_or(after));
            found.push(Call {
                name: tool.name.clone(),
                arguments: given.unwrap_or_else(|| arguments(tool)),
            });
            rest = after.trim_start_matches([',', ' ']);
            rest = rest.strip_prefix("and ").unwrap_or(rest);
            if found.len() == 64 {
                return found;
            }
        }
    }
    found
}

/// Where `word` starts, whatever its case, in bytes of `text`.
fn find_word(text: &str, word: &str) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).find(|at| {
        text.as_bytes()[*at..]
            .get(..word.len())
            .is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
    })
}

fn leading_object(text: &str) -> (Option<Value>, &str) {
    if !text.starts_with('{') {
        return (None, text);
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(value)) => {
            let used = stream.byte_offset();
            (Some(value), &text[used..])
        }
        _ => (None, text),
    }
}

fn arguments(tool: &Tool) -> Value {
    match schema::instance(&tool.schema) {
        object @ Value::Object(_) => object,
        _ => json!({}),
    }
}

fn sentence(asked: &Asked) -> String {
    match &asked.output {
        Output::Schema(schema) => return schema::instance(schema).to_string(),
        Output::Json => return json!({"answer": short(&asked.last_user)}).to_string(),
        Output::Text => {}
    }
    if !asked.results.is_empty() {
        return asked.results.iter().map(quoted).collect::<Vec<_>>().join(" ");
    }
    if let Some(count) = words_wanted(asked) {
        return (1..=count).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    }
    let seen = seen(&asked.media);
    format!("{seen}You said: {}", short(&asked.last_user))
}

/// Over all choices of an answer.
const MOST_WORDS: u64 = 20_000;

/// A longer answer on demand: `say N words` in the text, or `-words-N` in the model's name.
fn words_wanted(asked: &Asked) -> Option<u64> {
    let digits = |text: &str| {
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    let by_name = asked.model.split("-words-").nth(1).and_then(digits);
    let by_text = find_word(&asked.last_user, "say ").and_then(|at| {
        let rest = &asked.last_user[at + 4..];
        let count = digits(rest)?;
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start()
            .starts_with("word")
            .then_some(count)
    });
    by_name.or(by_text).map(|n| n.min(MOST_WORDS / asked.choices.max(1)))
}

fn quoted(result: &ToolResult) -> String {
    let verb = if result.failed { "failed with" } else { "returned" };
    format!("The tool {} {verb}: {}", result.name, short(&result.text))
}

fn seen(media: &[String]) -> String {
    match media {
        [] => String::new(),
        [one] => format!("I received 1 file: {one}. "),
        many => format!("I received {} files: {}. ", many.len(), many.join(", ")),
    }
}

fn short(text: &str) -> String {
    text::capped(text.trim(), 60).0
}

fn reasoning(asked: &Asked) -> String {
    let start = text::capped(asked.last_user.trim(), 12).0;
    format!(
        "The user wrote \"{start}\". Request {:04x} gets one short answer.",
        ids::mix(asked.seed, b"r") & 0xffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(user: &str) -> Asked {
        let mut asked = Asked::new("m", user.as_bytes());
        asked.last_user = user.to_owned();
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        asked.tools = ["get_weather", "add"]
            .iter()
            .map(|n| Tool { name: (*n).to_owned(), schema: schema.clone() })
            .collect();
        asked
    }

    fn names(asked: &Asked) -> Vec<String> {
        answer(asked).calls.into_iter().map(|c| format!("{} {}", c.name, c.arguments)).collect()
    }

    #[test]
    fn tools_are_called_when_told() {
        assert!(names(&asked("hello")).is_empty());
        assert_eq!(names(&asked("Please call get_weather.")), ["get_weather {\"city\":\"text\"}"]);
        assert_eq!(names(&asked("call get_weather and add")).len(), 2);
        assert_eq!(
            names(&asked("Call `add` with {\"a\":1}, and get_weather now")),
            ["add {\"a\":1}", "get_weather {\"city\":\"text\"}"]
        );
        let mut one = asked("call get_weather and add");
        one.parallel = false;
        assert_eq!(names(&one).len(), 1);
        let mut must = asked("hello");
        must.choice = Choice::Must(vec!["add".into()]);
        assert_eq!(names(&must), ["add {\"city\":\"text\"}"]);
        must.choice = Choice::Never;
        must.last_user = "call add".into();
        assert!(names(&must).is_empty());
    }

    #[test]
    fn caps_and_stops_are_obeyed() {
        let mut long = asked("say 20 words");
        long.cap = Some(5);
        let got = answer(&long);
        assert_eq!(
            (got.text.as_str(), got.finish, got.output_tokens),
            ("word1 word2 word3 word4 word5", Finish::Length, 5)
        );
        long.cap = None;
        long.stops = vec!["word3".into()];
        let got = answer(&long);
        assert_eq!(got.finish, Finish::StopSequence("word3".into()));
        assert_eq!(got.text, "word1 word2 ");
        long.thinking = true;
        long.cap = Some(2);
        let got = answer(&long);
        assert_eq!((got.finish, got.output_tokens, got.text.as_str()), (Finish::Length, 2, ""));
    }

    #[test]
    fn refusals_come_when_asked_for() {
        assert_eq!(answer(&asked("Please refuse this")).finish, Finish::Refusal);
        assert_eq!(answer(&asked("please filter this")).finish, Finish::Filtered);
    }
}
