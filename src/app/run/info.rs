//! What the run trains, and on what.

use std::sync::LazyLock;

use super::Run;
use crate::{
    data::DataInfo,
    printable::printable,
    protocol::{NetworkInfo, RunInfo},
};

/// What is assumed of a run until its data is read.
static UNKNOWN: LazyLock<(DataInfo, NetworkInfo)> = LazyLock::new(Default::default);

impl Run {
    /// Name, image size and classes of the data.
    pub fn set(&self) -> &DataInfo {
        self.info.as_ref().map_or(&UNKNOWN.0, |info| &info.set)
    }

    /// Stages and parameters of the network.
    pub fn network(&self) -> &NetworkInfo {
        self.info.as_ref().map_or(&UNKNOWN.1, |info| &info.network)
    }
}

/// Spells out what would command a terminal in texts that come from files.
pub(super) fn clean(info: &mut RunInfo) {
    let RunInfo { data, device, set, network, .. } = info;
    let stages = network.stages.iter_mut().map(|stage| &mut stage.name);
    let parameters = network.parameters.iter_mut().map(|parameter| &mut parameter.name);
    let names = [data, device, &mut set.name, &mut network.name];
    for text in names.into_iter().chain(&mut set.classes).chain(stages).chain(parameters) {
        *text = printable(text);
    }
}
