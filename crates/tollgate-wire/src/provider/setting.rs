//! What a cloud must be told besides a key: a region, a project, the name of a resource. Each is a
//! key of the configuration and fills the place of its name in an address or a path.

use std::collections::BTreeMap;

use super::{Base, Provider, Speaks};

/// Values by the names of their settings; what is not given has none.
pub type Settings = BTreeMap<&'static str, String>;

#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    /// Environment variables that hold it, where there is no file.
    pub env: &'static [&'static str],
    pub need: Need,
    /// Values for which the base URL is another; the empty one stands for no value.
    pub addresses: &'static [(&'static str, &'static str)],
}

/// When a setting must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Always,
    /// A key says it too.
    WithoutKey,
    Never,
}

impl Setting {
    /// One that must be there.
    #[must_use]
    pub const fn of(name: &'static str, env: &'static [&'static str]) -> Self {
        Self { name, env, need: Need::Always, addresses: &[] }
    }
}

impl Provider {
    /// The row's own base URL, for what is set.
    #[must_use]
    pub fn address(&self, settings: &Settings) -> String {
        let other = self.settings.iter().find_map(|setting| {
            let value = settings.get(setting.name).map_or("", String::as_str);
            setting.addresses.iter().find(|(of, _)| *of == value).map(|(_, address)| *address)
        });
        filled(other.unwrap_or(self.base_url), settings)
    }

    /// The setting is needed for more than the row's own base URL.
    #[must_use]
    pub fn needs_beyond_address(&self, setting: &Setting) -> bool {
        let place = format!("{{{}}}", setting.name);
        let within = |speaks: &Speaks| match speaks.base {
            Base::Path(path) | Base::Below(path) => path.contains(&place),
            Base::Given | Base::Root | Base::V1 => false,
        };
        self.speaks.iter().any(within) || !self.base_url.contains(&place)
            // A signature names the region.
            || matches!(self.identity, crate::auth::Identity::Aws { .. })
    }
}

/// Fills in each `{name}` that is set.
#[must_use]
pub fn filled(template: &str, settings: &Settings) -> String {
    let mut filled = template.to_owned();
    for (name, value) in settings {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}
