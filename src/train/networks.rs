//! Which networks can be trained.

use crate::{config::ConfigError, network::NetworkSpec};

/// Checks that the engine can compute a network.
///
/// # Errors
/// If it is any but the article's.
pub fn check_network(spec: &NetworkSpec) -> Result<(), ConfigError> {
    if *spec == NetworkSpec::article() {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "this version computes only the network \"article\": it can describe {spec}, with \
         `mnist-tui model`, but not train or evaluate it"
    )))
}
