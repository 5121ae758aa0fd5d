//! Weights files as they are written: what is saved comes back, and nothing is ever half replaced.

use std::fs;
use std::path::{Path, PathBuf};

use mnist_tui::{
    checkpoint::{LoadedWeights, load_weights, save_weights},
    data::DataInfo,
    network::{NetworkSpec, Plan},
};
use tempfile::TempDir;

fn weights() -> Vec<f32> {
    (0..5_142).map(|place| (place as f32 - 30.5) / 7.0).collect()
}

/// Saves the article's weights.
fn save(path: &Path, weights: &[f32]) -> Result<(), String> {
    save_weights(path, &Plan::article(), &DataInfo::mnist(), weights, &[])
        .map_err(|error| error.to_string())
}

fn load(path: &Path) -> Vec<f32> {
    load_weights(path).unwrap().trained
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
    saved[0] = -0.0;
    saved[152] = f32::MIN_POSITIVE / 2.0;
    save(&path, &saved).unwrap();
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let loaded = load_weights(&path).unwrap();
    assert_eq!(bits(&loaded.trained), bits(&saved));
    let plan = Plan::article();
    let expected = LoadedWeights {
        plan,
        set: DataInfo::mnist(),
        trained: saved,
        running: Vec::new(),
        notes: Vec::new(),
    };
    assert_eq!(loaded, expected);
    assert_eq!(folder.names(), ["w.safetensors"]);
}

#[test]
fn any_network_comes_back_with_its_layers_images_and_classes() {
    let folder = Folder::new();
    let path = folder.path("w");
    let text = "conv 4 k3 p1, bn, relu, residual(bn, conv 4 k3 p1 nobias), gap, linear";
    let spec: NetworkSpec = text.parse().unwrap();
    let classes = ["T-shirt/top", "\"quoted\"", "größer"].map(str::to_owned).to_vec();
    let set = DataInfo { name: "Fashion".into(), shape: [1, 12, 20], classes };
    let plan = Plan::of(&spec, set.shape, set.classes.len()).unwrap();
    let trained: Vec<f32> = (0..plan.trained_len()).map(|place| place as f32).collect();
    let running: Vec<f32> = (0..plan.running_len()).map(|place| -(place as f32)).collect();
    save_weights(&path, &plan, &set, &trained, &running).unwrap();
    let expected = LoadedWeights { plan, set, trained, running, notes: Vec::new() };
    assert_eq!(load_weights(&path).unwrap(), expected);
    // PyTorch's modules have a count of batches, too.
    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
    let count =
        r#""res1.bn1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[8,16]}"#;
    assert!(text.contains(count), "{text}");
    // The same weights are the same file.
    let (first, second) = (fs::read(&path).unwrap(), folder.path("second"));
    let LoadedWeights { plan, set, trained, running, .. } = load_weights(&path).unwrap();
    save_weights(&second, &plan, &set, &trained, &running).unwrap();
    assert_eq!(fs::read(second).unwrap(), first);
}

#[test]
fn saved_files_have_the_layout_that_pytorch_reads() {
    let folder = Folder::new();
    let path = folder.path("w");
    let saved = weights();
    save(&path, &saved).unwrap();
    let bytes = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(length.is_multiple_of(8));
    assert_eq!(
        header.trim_end(),
        concat!(
            r#"{"__metadata__":{"format":"pt","#,
            r#""mnist_tui_network":"conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, linear","#,
            r#""mnist_tui_set":"{\"name\":\"MNIST\",\"shape\":[1,28,28],\"classes\":"#,
            r#"[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}"},"#,
            r#""fc.bias":{"dtype":"F32","shape":[10],"data_offsets":[0,40]},"#,
            r#""fc.weight":{"dtype":"F32","shape":[10,256],"data_offsets":[40,10280]},"#,
            r#""layer1_conv.bias":{"dtype":"F32","shape":[6],"data_offsets":[10280,10304]},"#,
            r#""layer1_conv.weight":{"dtype":"F32","shape":[6,1,5,5],"data_offsets":[10304,10904]},"#,
            r#""layer2_conv.bias":{"dtype":"F32","shape":[16],"data_offsets":[10904,10968]},"#,
            r#""layer2_conv.weight":{"dtype":"F32","shape":[16,6,5,5],"data_offsets":[10968,20568]}}"#,
        )
    );
    assert_eq!(bytes[8 + length..][..4], saved[5_132].to_le_bytes());
    assert_eq!(bytes.len(), 8 + length + 20_568);
}

#[test]
fn a_replaced_file_is_new_and_keeps_the_usual_permissions() {
    let folder = Folder::new();
    let path = folder.path("w");
    fs::write(&path, "old").unwrap();
    save(&path, &weights()).unwrap();
    assert_eq!(load(&path), weights());
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
    save(&folder.path("link"), &weights()).unwrap();
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
    assert_eq!(load(&folder.path("far/w")), weights());
    assert_eq!(load(&folder.path("link")), weights());
}

#[test]
fn what_cannot_be_replaced_is_named_and_unchanged() {
    let folder = Folder::new();
    let message = |name: &str| {
        let path = folder.path(name);
        let message = save(&path, &weights()).unwrap_err();
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
    assert!(save("".as_ref(), &weights()).is_err());
    assert_eq!(fs::read(folder.path("file")).unwrap(), b"");
}

#[test]
fn weights_that_could_not_be_loaded_again_are_not_saved() {
    let folder = Folder::new();
    let path = folder.path("w");
    save(&path, &weights()).unwrap();
    let refused = |change: fn(&mut Vec<f32>)| {
        let mut changed = weights();
        change(&mut changed);
        let message = save(&path, &changed).unwrap_err();
        assert_eq!(load(&path), weights());
        let start = format!(
            "{} is not written, because the weights could not be loaded again: ",
            path.display()
        );
        message.strip_prefix(&start).unwrap().to_owned()
    };
    assert_eq!(
        refused(|all| all[156 + 2_416 + 7] = f32::NAN),
        "fc.weight is NaN at position 7, expected finite numbers"
    );
    assert_eq!(refused(|all| all.truncate(5)), "there are 5 parameters, expected 5142");
    assert_eq!(refused(|all| all.push(0.0)), "there are 5143 parameters, expected 5142");
}
