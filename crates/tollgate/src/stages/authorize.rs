//! Stage 3: what may this caller use? The answer is a filter, the [`Grant`], and a plan is built
//! only through it, so that it decides on the resolved provider and model of every attempt.

use std::sync::Arc;

use tollgate_model::{Fault, FaultKind, Source};

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
