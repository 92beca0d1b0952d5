//! testkit

mod robustness;

pub use robustness::robustness;
