//! What is known of the models of one provider that are called: what they cost, and what earlier
//! calls taught of their tokens. Looked up once for each model, and kept.
//!
//! Not here: how a cost is worked out, which is policy.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use tollgate_catalogue::Catalogue;
use tollgate_model::{Meter, Price, Rate};
use tollgate_policy::limit::Learnt;
use tollgate_policy::price::PriceList;

use crate::config::base_url::Host;
use crate::config::{BaseUrl, Config, PriceRule, ProviderConfig, SIMULATED};

/// Models of one provider that are kept; of more the facts are looked up for each call.
const MOST_KEPT: usize = 4096;
/// What the simulated models ask, so that costs and budgets can be tried: dollars for a million
/// tokens.
const SIMULATED_PRICE: [(Meter, u64); 2] = [(Meter::Input, 1), (Meter::Output, 2)];
/// Kinds that people run themselves: nobody charges for their tokens where they run close by.
const SELF_HOSTED: [&str; 5] = ["llamacpp", "lmstudio", "ollama", "sglang", "vllm"];

/// What is known of a model.
#[derive(Debug)]
pub struct Facts {
    pub prices: PriceList,
    pub learnt: Arc<Learnt>,
}

/// The models of one provider.
#[derive(Debug)]
pub struct Known {
    provider: String,
    kind: &'static str,
    /// It runs on this machine or in a private network.
    near: bool,
    rules: Arc<[PriceRule]>,
    catalogue: Arc<Catalogue>,
    models: RwLock<HashMap<String, Arc<Facts>>>,
}

impl Known {
    /// What `before` has learnt goes on to be known.
    #[must_use]
    pub fn new(
        provider: &ProviderConfig,
        base: &BaseUrl,
        config: &Config,
        before: Option<&Self>,
    ) -> Self {
        let known = Self {
            provider: provider.name.clone(),
            kind: provider.provider.kind,
            near: is_near(&base.host),
            rules: config.prices.clone(),
            catalogue: config.catalogue.clone(),
            models: RwLock::default(),
        };
        if let Some(before) = before {
            let old = before.models.read().unwrap_or_else(PoisonError::into_inner);
            let models = old.iter().map(|(model, facts)| {
                let facts = Facts { prices: known.prices(model), learnt: facts.learnt.clone() };
                (model.clone(), Arc::new(facts))
            });
            let models = models.collect();
            return Self { models: RwLock::new(models), ..known };
        }
        known
    }

    #[must_use]
    pub fn of(&self, model: &str) -> Arc<Facts> {
        let kept = self.models.read().unwrap_or_else(PoisonError::into_inner).get(model).cloned();
        if let Some(facts) = kept {
            return facts;
        }
        let facts = Arc::new(Facts { prices: self.prices(model), learnt: Arc::default() });
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        if models.len() < MOST_KEPT {
            return models.entry(model.to_owned()).or_insert(facts).clone();
        }
        facts
    }

    /// The organisation's own word, else what the vendor publishes.
    fn prices(&self, model: &str) -> PriceList {
        let name = format!("{}/{model}", self.provider);
        if let Some(rule) = self.rules.iter().find(|rule| rule.models.matches(&name)) {
            let same = self.rules.iter().filter(|other| other.models == rule.models);
            let prices: Option<Vec<Price>> = same.map(|rule| rule.price.clone()).collect();
            return prices.map_or_else(PriceList::free, PriceList::new);
        }
        if self.kind == SIMULATED {
            let rates = SIMULATED_PRICE.map(|(meter, dollars)| (meter, Rate(dollars * 1_000_000)));
            return PriceList::new(vec![Price { rates: rates.to_vec(), ..Price::default() }]);
        }
        if self.near && SELF_HOSTED.contains(&self.kind) {
            return PriceList::free();
        }
        let entry = self.catalogue.find(self.kind, model);
        entry.map(|entry| PriceList::new(entry.prices())).unwrap_or_default()
    }
}

/// On this machine, or in a network that is nobody else's.
fn is_near(host: &Host) -> bool {
    let private = match host {
        Host::Name(_) => false,
        Host::Address(IpAddr::V4(address)) => address.is_private(),
        Host::Address(IpAddr::V6(address)) => address.is_unique_local(),
    };
    private || host.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_this_machine_and_the_private_networks() {
        let near =
            |host: &str| is_near(&BaseUrl::parse(&format!("http://{host}/v1")).unwrap().host);
        for host in ["localhost", "127.0.0.1", "10.1.2.3", "192.168.0.7", "[::1]", "[fd00::1]"] {
            assert!(near(host), "{host}");
        }
        for host in
            ["api.example.com", "8.8.8.8", "172.15.0.1", "[2001:db8::1]", "localhost.example"]
        {
            assert!(!near(host), "{host}");
        }
    }
}
