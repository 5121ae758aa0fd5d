//! Weights files as `PyTorch`'s users have them: other types, names and containers.

use std::fs;

use mnist_tui::{
    checkpoint::{self, load_weights_for},
    network::Plan,
};
use tempfile::TempDir;

/// Name, type, shape and bytes of a tensor in a header.
type Entry<'a> = (&'a str, &'a str, &'a str, usize);

/// A file of tensors whose data are zeros.
fn file(tensors: &[Entry]) -> Vec<u8> {
    let mut start = 0;
    let entries: Vec<String> = tensors
        .iter()
        .map(|(name, dtype, shape, size)| {
            let end = start + size;
            let entry = format!(
                r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#
            );
            start = end;
            entry
        })
        .collect();
    with_header(&format!("{{{}}}", entries.join(",")), start)
}

fn with_header(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

fn refusal(bytes: &[u8]) -> String {
    checkpoint::decode("w", bytes).unwrap_err().to_string()
}

/// The bytes of a file of the article's tensors, with values that every type has exactly.
fn written(name: impl Fn(&str) -> String, dtype: &str, value: impl Fn(f32) -> Vec<u8>) -> Vec<u8> {
    let plan = Plan::article();
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for param in plan.params() {
        let start = data.len();
        for place in param.range.clone() {
            data.extend(value((place % 100) as f32 / 16.0));
        }
        header.push(format!(
            r#""{}":{{"dtype":"{dtype}","shape":{:?},"data_offsets":[{start},{}]}}"#,
            name(&param.name),
            param.shape,
            data.len()
        ));
    }
    let mut bytes = with_header(&format!("{{{}}}", header.join(",")), 0);
    bytes.extend(data);
    bytes
}

fn float(value: f32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

fn sequential(name: &str) -> String {
    name.replace("layer1_conv", "0").replace("layer2_conv", "3").replace("fc", "7")
}

#[test]
fn what_pytorch_users_have_is_converted_with_a_note() {
    let expected: Vec<f32> = (0..5_142).map(|place| (place % 100) as f32 / 16.0).collect();
    let sequence =
        "the layers 0, 3, 7 of an nn.Sequential were taken as layer1_conv, layer2_conv, fc";
    let prefixed = |prefix: &'static str| move |name: &str| format!("{prefix}{name}");
    for (bytes, note) in [
        (
            written(str::to_owned, "F16", |v| half::f16::from_f32(v).to_le_bytes().to_vec()),
            "values of type F16 were converted to F32",
        ),
        (
            written(str::to_owned, "BF16", |v| half::bf16::from_f32(v).to_le_bytes().to_vec()),
            "values of type BF16 were converted to F32",
        ),
        (
            written(str::to_owned, "F64", |v| f64::from(v).to_le_bytes().to_vec()),
            "values of type F64 were converted to F32",
        ),
        (
            written(prefixed("module."), "F32", float),
            "the prefix module. was removed from the names",
        ),
        (written(prefixed("net."), "F32", float), "the prefix net. was removed from the names"),
        (
            written(prefixed("_orig_mod.module.model."), "F32", float),
            "the prefix _orig_mod.module.model. was removed from the names",
        ),
        (written(sequential, "F32", float), sequence),
        (
            written(|name| format!("model.{}", sequential(name)), "F32", float),
            "the layers model.0, model.3, model.7 of an nn.Sequential were taken as layer1_conv, \
          layer2_conv, fc",
        ),
    ] {
        let loaded = checkpoint::decode("w", &bytes).unwrap();
        assert_eq!(loaded.trained, expected, "{note}");
        assert_eq!(loaded.notes, [format!("w: {note}")]);
    }
}

#[test]
fn a_sequence_of_other_layers_is_refused_in_its_own_words() {
    let start = |name: &str| sequential(name).replace("7.", "7.0.");
    assert!(refusal(&written(start, "F32", float)).contains("expected those of layer1_conv"));
    // The order decides: the last convolution does not fit where the first should be.
    let turned = |name: &str| {
        name.replace("layer1_conv", "3").replace("layer2_conv", "0").replace("fc", "7")
    };
    let message = refusal(&written(turned, "F32", float));
    assert!(
        message.contains("0.weight has the shape [16, 6, 5, 5], expected [6, 1, 5, 5]"),
        "{message}"
    );
    let few = |name: &str| sequential(name).replace("7.bias", "8.bias");
    let message = refusal(&written(few, "F32", float));
    let expected = "it has tensors for the layers 0, 3, 7, 8 of an nn.Sequential, expected those of \
                    layer1_conv, layer2_conv, fc";
    assert!(message.contains(expected), "{message}");
}

#[test]
fn a_count_of_batches_is_ignored_and_statistics_are_not() {
    let plan = Plan::of(&"gap, bn, linear".parse().unwrap(), [1, 28, 28], 10).unwrap();
    let mut tensors = vec![
        ("bn1.num_batches_tracked", "I64", "[]", 8),
        ("bn1.weight", "F32", "[1]", 4),
        ("bn1.bias", "F32", "[1]", 4),
        ("bn1.running_mean", "F32", "[1]", 4),
        ("bn1.running_var", "F32", "[1]", 4),
        ("fc1.weight", "F32", "[10,1]", 40),
        ("fc1.bias", "F32", "[10]", 40),
    ];
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("w");
    let load = |tensors: &[Entry]| {
        fs::write(&path, file(tensors)).unwrap();
        load_weights_for(&path, &plan).map_err(|error| error.to_string())
    };
    let loaded = load(&tensors).unwrap();
    assert_eq!((loaded.running, loaded.notes), (vec![0.0; 2], Vec::new()));
    let indices: Vec<Entry> = tensors
        .iter()
        .map(|&(name, dtype, shape, size)| {
            let name = name.replace("bn1", "1").replace("fc1", "4");
            (&*name.leak(), dtype, shape, size)
        })
        .collect();
    assert_eq!(load(&indices).unwrap().running, [0.0; 2]);
    tensors.remove(4);
    let message = load(&tensors).unwrap_err();
    assert!(message.contains("there is no tensor bn1.running_var"), "{message}");
}

#[test]
fn the_network_that_a_file_names_is_read_and_checked() {
    let named = |network: &str| {
        let header = format!(
            r#"{{"__metadata__":{{"mnist_tui_network":"{network}"}},"fc1.bias":{{"dtype":"F32",
            "shape":[10],"data_offsets":[0,40]}},"fc1.weight":{{"dtype":"F32","shape":[10,784],
            "data_offsets":[40,31400]}}}}"#
        );
        with_header(&header, 31_400)
    };
    let loaded = checkpoint::decode("w", &named("flatten, linear")).unwrap();
    assert_eq!(
        (loaded.plan.spec().to_string().as_str(), loaded.trained.len()),
        ("flatten, linear", 7_850)
    );
    let message = refusal(&named("flaten, linear"));
    assert!(
        message.starts_with("w is damaged: its network is unusable (at character 1: "),
        "{message}"
    );
    let message = refusal(&named("linear"));
    assert!(
        message.starts_with("w is damaged: its network is unusable (fc1 takes a row"),
        "{message}"
    );
    assert_eq!(
        refusal(&named("flatten, linear, relu, linear")).split(": ").next(),
        Some("w is damaged")
    );
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("w");
    fs::write(&path, named("flatten, linear")).unwrap();
    let message = load_weights_for(&path, &Plan::article()).unwrap_err().to_string();
    let expected = "does not hold the weights of the network article: it holds the weights of \
                    the network \"flatten, linear\"";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn files_that_people_have_in_place_of_safetensors_are_told_with_what_to_do() {
    let told = |name: &str, bytes: &[u8]| {
        let message = checkpoint::decode(name, bytes).unwrap_err().to_string();
        let start = format!("{name} is not a safetensors file: it is ");
        message.strip_prefix(&start).unwrap_or_else(|| panic!("{message}")).to_owned()
    };
    let zip = |entry: &str, data: &[u8]| {
        [b"PK\x03\x04".as_slice(), &[0; 26], entry.as_bytes(), data].concat()
    };
    let save = "a file of torch.save: convert it in Python with `import torch, safetensors.torch; \
                safetensors.torch.save_file(";
    assert_eq!(
        told("dir/w.pt", &zip("w/data.pkl", b"")),
        format!("{save}torch.load(\"dir/w.pt\", map_location=\"cpu\"), \"dir/w.safetensors\")`")
    );
    assert_eq!(
        told("w.ckpt", &zip("w/data.pkl", b"X\x0a\0\0\0state_dictq\x01")),
        format!(
            "{save}torch.load(\"w.ckpt\", map_location=\"cpu\")[\"state_dict\"], \"w.safetensors\")`"
        )
    );
    assert!(told("w.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.").starts_with(save));
    let module = told("w", &zip("w/data.pkl", b"_parameters _modules"));
    assert!(module.contains("weights_only=False).state_dict(), \"w.safetensors\""), "{module}");
    let script = told("a\"b\\.pt", &zip("w/code/__torch__.py w/data.pkl", b""));
    assert!(
        script.contains(r#"torch.jit.load("a\"b\\.pt", map_location="cpu").state_dict()"#),
        "{script}"
    );
    assert_eq!(told("w", &zip("x.npy", b"")), "a zip archive without weights of PyTorch");
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 21032\n";
    assert!(told("w", pointer).starts_with("a Git LFS pointer, which stands for the file"));
    assert!(told("w", b"\n<!DOCTYPE html><html>").starts_with("a web page"));
}
