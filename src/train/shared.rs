//! Data sets in memory that the runs of a process share.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::{error::TrainError, sets::load_data};
use crate::{
    config::{DataSource, ImageSize},
    data::{Checksums, DataInfo, Dataset, Splits},
};

/// What decides which images are read.
type Source = (DataSource, Option<ImageSize>);

/// Data sets that are read once and shared by all runs that use them.
#[derive(Clone, Default)]
pub struct SharedData(Arc<Mutex<Vec<(Source, Loaded)>>>);

/// A data set in memory.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) info: DataInfo,
    pub(super) train: Arc<Dataset>,
    pub(super) test: Arc<Dataset>,
    pub(super) checksums: Checksums,
    pub(super) notes: Vec<String>,
}

impl Loaded {
    /// Reads a set.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read(source: &DataSource, size: Option<ImageSize>) -> Result<Self, TrainError> {
        let data = load_data(source, size)?;
        let checksums = Checksums::of(&data);
        let Splits { info, train, test, notes } = data;
        let (train, test) = (Arc::new(train), Arc::new(test));
        Ok(Self { info, train, test, checksums, notes })
    }
}

impl SharedData {
    /// The set from this source, which is read unless it is in memory; other runs wait meanwhile.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn load(
        &self,
        source: &DataSource,
        size: Option<ImageSize>,
    ) -> Result<Loaded, TrainError> {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let source = (source.clone(), size);
        if let Some((_, loaded)) = sets.iter().find(|(known, _)| *known == source) {
            return Ok(loaded.clone());
        }
        let loaded = Loaded::read(&source.0, source.1)?;
        sets.push((source, loaded.clone()));
        Ok(loaded)
    }
}

impl PartialEq for SharedData {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for SharedData {
    /// Leaves out the images.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedData").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_once() {
        let shared = SharedData::default();
        let [first, second] =
            [(), ()].map(|()| shared.load(&DataSource::Builtin, None).expect("it is built in"));
        assert!(Arc::ptr_eq(&first.train, &second.train));
        assert!(Arc::ptr_eq(&first.test, &second.test));
        let missing = DataSource::Path("/nowhere".into());
        assert!(shared.load(&missing, None).is_err());
        assert_eq!(shared.0.lock().expect("nothing panicked").len(), 1);
    }
}
