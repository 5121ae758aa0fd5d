//! Weights files as they are written: what is saved comes back, and nothing is ever half replaced.

use std::fs;
use std::path::PathBuf;

use mnist_tui::checkpoint::{load_weights, save_weights};
use mnist_tui::nn::parameters::{Parameter, Parameters, SHAPES};
use tempfile::TempDir;

const NAMES: &str = "layer1_conv.weight, layer1_conv.bias, layer2_conv.weight, layer2_conv.bias, \
                     fc.weight, fc.bias";

fn weights() -> Parameters {
    let parameter = |(number, (name, shape)): (usize, (&str, &[usize]))| Parameter {
        name: name.to_owned(),
        shape: shape.to_vec(),
        values: (0..shape.iter().product())
            .map(|index: usize| (index as f32 - 30.5) / (number + 3) as f32)
            .collect(),
    };
    Parameters(SHAPES.into_iter().enumerate().map(parameter).collect())
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn names(&self) -> Vec<String> {
        fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

#[test]
fn saved_weights_come_back_bit_for_bit_and_nothing_else_is_left() {
    let folder = Folder::new();
    let path = folder.path("w.safetensors");
    let mut saved = weights();
    saved.0[0].values[0] = -0.0;
    saved.0[1].values[2] = f32::MIN_POSITIVE / 2.0;
    save_weights(&path, &saved).unwrap();
    let bits = |parameters: &Parameters| -> Vec<u32> {
        parameters.0.iter().flat_map(|p| p.values.iter().map(|value| value.to_bits())).collect()
    };
    let loaded = load_weights(&path).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
    assert_eq!(loaded, saved);
    assert_eq!(folder.names(), ["w.safetensors"]);
}

#[test]
fn saved_files_have_the_layout_that_pytorch_reads() {
    let folder = Folder::new();
    let path = folder.path("w");
    let mut saved = weights();
    saved.0.reverse();
    save_weights(&path, &saved).unwrap();
    let bytes = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert_eq!(
        header.trim_end(),
        concat!(
            r#"{"__metadata__":{"format":"pt"},"#,
            r#""fc.bias":{"dtype":"F32","shape":[10],"data_offsets":[0,40]},"#,
            r#""fc.weight":{"dtype":"F32","shape":[10,256],"data_offsets":[40,10280]},"#,
            r#""layer1_conv.bias":{"dtype":"F32","shape":[6],"data_offsets":[10280,10304]},"#,
            r#""layer1_conv.weight":{"dtype":"F32","shape":[6,1,5,5],"data_offsets":[10304,10904]},"#,
            r#""layer2_conv.bias":{"dtype":"F32","shape":[16],"data_offsets":[10904,10968]},"#,
            r#""layer2_conv.weight":{"dtype":"F32","shape":[16,6,5,5],"data_offsets":[10968,20568]}}"#,
        )
    );
    assert_eq!(bytes[8 + length..][..4], saved.0[0].values[0].to_le_bytes());
    assert_eq!(bytes.len(), 8 + length + 20_568);
    // Whatever order they are given in, they come back in the network's.
    saved.0.reverse();
    assert_eq!(load_weights(&path).unwrap(), saved);
}

#[test]
fn a_replaced_file_is_new_and_keeps_the_usual_permissions() {
    let folder = Folder::new();
    let path = folder.path("w");
    fs::write(&path, "old").unwrap();
    save_weights(&path, &weights()).unwrap();
    assert_eq!(load_weights(&path).unwrap(), weights());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode();
        fs::write(folder.path("usual"), "").unwrap();
        assert_eq!(mode("w"), mode("usual"));
    }
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_its_file_is_replaced() {
    let folder = Folder::new();
    fs::create_dir(folder.path("far")).unwrap();
    fs::write(folder.path("far/w"), "old").unwrap();
    std::os::unix::fs::symlink("far/w", folder.path("link")).unwrap();
    save_weights(&folder.path("link"), &weights()).unwrap();
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
    assert_eq!(load_weights(&folder.path("far/w")).unwrap(), weights());
    assert_eq!(load_weights(&folder.path("link")).unwrap(), weights());
}

#[test]
fn what_cannot_be_replaced_is_named_and_unchanged() {
    let folder = Folder::new();
    let message = |name: &str| {
        let path = folder.path(name);
        let message = save_weights(&path, &weights()).unwrap_err().to_string();
        message.replace(&path.display().to_string(), "PATH")
    };
    let refused =
        |reason: &str| format!("cannot write PATH ({reason}): what was there before is unchanged");
    fs::create_dir(folder.path("folder")).unwrap();
    assert_eq!(message("folder"), refused("it is a folder, expected a file name"));
    let missing = format!("there is no folder {}; make it first", folder.path("none").display());
    assert_eq!(message("none/w"), refused(&missing));
    assert_eq!(message(".."), refused("it is a folder, expected a file name"));
    fs::write(folder.path("file"), "").unwrap();
    assert!(message("file/w").starts_with("cannot write PATH ("));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/full", folder.path("device")).unwrap();
        assert_eq!(message("device"), refused("it is not a regular file"));
    }
    assert!(save_weights("".as_ref(), &weights()).is_err());
    assert_eq!(fs::read(folder.path("file")).unwrap(), b"");
}

#[test]
fn weights_that_could_not_be_loaded_again_are_not_saved() {
    let folder = Folder::new();
    let path = folder.path("w");
    save_weights(&path, &weights()).unwrap();
    let refused = |change: fn(&mut Vec<Parameter>)| {
        let mut changed = weights();
        change(&mut changed.0);
        let message = save_weights(&path, &changed).unwrap_err().to_string();
        assert_eq!(load_weights(&path).unwrap(), weights());
        let start = format!(
            "{} is not written, because the weights could not be loaded again: ",
            path.display()
        );
        message.strip_prefix(&start).unwrap().to_owned()
    };
    assert_eq!(
        refused(|all| all[4].values[7] = f32::NAN),
        "fc.weight is NaN at position 7, expected finite numbers"
    );
    assert_eq!(
        refused(|all| all.truncate(5)),
        format!("there is no tensor fc.bias, expected {NAMES}")
    );
    assert_eq!(refused(|all| all[5].shape.push(1)), "fc.bias has the shape [10, 1], expected [10]");
    assert_eq!(
        refused(|all| all[0].values.truncate(149)),
        "layer1_conv.weight has the shape [149], expected [6, 1, 5, 5]"
    );
    assert_eq!(
        refused(|all| all[0].name = "conv".into()),
        format!("there is a tensor \"conv\", expected only {NAMES}")
    );
}
