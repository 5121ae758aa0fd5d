//! A file of unknown content as a whole data set: `.npz`, CSV, or told by what is in it.
#![no_main]

use std::{env, fs, process};

use libfuzzer_sys::fuzz_target;
use mnist_tui::{
    config::DataSource,
    data::{self, Description},
};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let end = ["", ".npz", ".csv"][usize::from(first % 3)];
    let path = env::temp_dir().join(format!("mnist-tui-fuzz-{}{end}", process::id()));
    fs::write(&path, bytes).expect("there is room for temporary files");
    match data::load(&DataSource::Path(path.clone()), None) {
        Ok(set) => {
            let description = Description::of(&set);
            assert!(set.info.is_supported());
            assert_eq!(description.train.images, set.train.len() as u64);
        }
        Err(error) => assert!(error.to_string().contains("mnist-tui-fuzz")),
    }
    let _ = fs::remove_file(&path);
});
