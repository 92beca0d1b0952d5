//! Stage 3: what may this caller use? The answer is a filter, the [`Grant`], and a plan is built
//! only through it, so that it decides on the resolved provider and model of every attempt.

use std::sync::Arc;

use tollgate_model::{Fault, FaultKind, Source};

use crate::config::{Config, Pattern};
use crate::gateway::Caller;

/// What a caller may use.
#[derive(Clone, Debug)]
pub struct Grant {
    caller: Arc<Caller>,
}

#[must_use]
pub fn authorize(caller: &Arc<Caller>) -> Grant {
    Grant { caller: caller.clone() }
}

impl Grant {
    /// The team may use every model.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.caller.team.models.iter().any(|pattern| pattern.as_str() == "*")
    }

    /// A configured name that the team may use stands for all its targets.
    #[must_use]
    pub fn allows_name(&self, name: &str) -> bool {
        self.caller.team.may_use(name)
    }

    /// Who owns what the caller makes.
    #[must_use]
    pub fn team(&self) -> &str {
        &self.caller.team.name
    }

    /// Name of the key that calls.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.caller.key
    }

    /// Everything that a provider offers.
    #[must_use]
    pub fn allows_all_of(&self, provider: &str) -> bool {
        self.allows_target(provider, "*")
    }

    /// Some model of a provider, by that or by a configured name.
    #[must_use]
    pub fn reaches(&self, config: &Config, provider: &str) -> bool {
        let team = &self.caller.team;
        let begins = format!("{provider}/");
        let direct = |pattern: &Pattern| {
            let text = pattern.as_str();
            let literal = text.split('*').next().unwrap_or_default();
            text.starts_with(&begins) || (text.contains('*') && begins.starts_with(literal))
        };
        team.models.iter().any(direct)
            || config.models.iter().any(|model| {
                team.may_use(model.name.as_str())
                    && model.targets.iter().any(|target| target.provider == provider)
            })
    }

    #[must_use]
    pub fn allows_target(&self, provider: &str, model: &str) -> bool {
        self.caller.team.may_use(&format!("{provider}/{model}"))
    }

    /// The team may use some model of the provider.
    #[must_use]
    pub fn allows_some(&self, provider: &str) -> bool {
        let of_it = format!("{provider}/");
        self.caller.team.models.iter().any(|pattern| {
            let pattern = pattern.as_str();
            pattern.starts_with('*') || pattern.starts_with(&of_it)
        })
    }

    /// The refusal, which names the rule and nobody else's.
    #[must_use]
    pub fn refusal(&self, model: &str) -> Fault {
        let message = format!(
            "Team `{}` may not use the model `{model}`: it is not in `teams.{}.models`.",
            self.caller.team.name, self.caller.team.name
        );
        let fault = Fault::new(FaultKind::Forbidden, Source::Downstream, message);
        Fault { param: Some("model".into()), ..fault.with_code("model_not_allowed") }
    }
}
