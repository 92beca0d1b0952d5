//! Fields that nobody knows, put into every object of a request that its dialect understands.
//! On the same dialect they must survive; across they must not get over, and each must be named
//! among the losses.

use serde_json::Value;
use tollgate_model::Losses;

use crate::digest::Difference;
use crate::readers::Shape;

const NAME: &str = "zz_canary_";
const SONG: &str = "zz-song-";

/// The bound on losses that a translation names one by one is higher.
const MOST: usize = 12;

/// Puts canaries into `body` and says how many.
pub fn release(shape: Shape, body: &mut Value) -> usize {
    let mut flock = Flock::default();
    (shape.asking().canaries)(body, &mut flock);
    flock.0
}

/// Says which canaries got over or were not named.
#[must_use]
pub fn search(count: usize, foreign: &Value, losses: &Losses) -> Vec<Difference> {
    let mut found = Vec::new();
    let text = foreign.to_string();
    if let Some(at) = text.find(SONG).or_else(|| text.find(NAME)) {
        let around = text.get(at.saturating_sub(60)..(at + 40).min(text.len()));
        found.push(Difference::new("leak", "nothing", around.unwrap_or("a canary")));
    }
    if losses.iter().any(|loss| loss.field.ends_with('…')) {
        return found;
    }
    let named = |name: &str| losses.iter().any(|loss| loss.field.ends_with(name));
    let unnamed: Vec<_> =
        (0..count).map(|number| format!("{NAME}{number}")).filter(|name| !named(name)).collect();
    // A part that is left out as a whole takes its canary with it.
    let whole =
        losses.iter().filter(|loss| loss.field.contains(".content[")).map(|loss| &loss.field);
    let whole = whole.filter(|field| !field.contains(NAME)).count();
    if unnamed.len() > whole {
        let fields: Vec<_> = losses.iter().map(|loss| loss.field.as_str()).take(12).collect();
        found.push(Difference::new("loss", unnamed.join(" "), fields.join(" ")));
    }
    found
}

/// How many canaries are out.
#[derive(Debug, Default)]
pub struct Flock(usize);

impl Flock {
    /// Puts one into an object, while there are any left.
    pub fn put(&mut self, object: &mut Value) {
        if let Value::Object(fields) = object
            && self.0 < MOST
        {
            let song = Value::from(format!("{SONG}{}", self.0));
            fields.insert(format!("{NAME}{}", self.0), song);
            self.0 += 1;
        }
    }
}
