//! Weights files as they are read: what `PyTorch` writes is taken, and every other file is refused
//! by a sentence.

use std::fs;

use mnist_tui::{
    checkpoint::{self, load_weights, load_weights_for},
    data::DataInfo,
    network::Plan,
};
use proptest::prelude::*;
use tempfile::TempDir;

const NAMES: &str = "layer1_conv.weight, layer1_conv.bias, layer2_conv.weight, layer2_conv.bias, \
                     fc.weight, fc.bias";

const START: &str = "w does not hold the weights of the network article: ";

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

/// The six tensors as `PyTorch` orders them.
fn six() -> Vec<Entry<'static>> {
    vec![
        ("fc.bias", "F32", "[10]", 40),
        ("fc.weight", "F32", "[10,256]", 10_240),
        ("layer1_conv.bias", "F32", "[6]", 24),
        ("layer1_conv.weight", "F32", "[6,1,5,5]", 600),
        ("layer2_conv.bias", "F32", "[16]", 64),
        ("layer2_conv.weight", "F32", "[16,6,5,5]", 9_600),
    ]
}

fn refusal(bytes: &[u8]) -> String {
    checkpoint::decode("w", bytes).unwrap_err().to_string()
}

#[test]
fn any_order_of_the_tensors_and_any_metadata_are_read() {
    let loaded = checkpoint::decode("w", &file(&six())).unwrap();
    assert_eq!((&loaded.plan, &loaded.set), (&Plan::article(), &DataInfo::mnist()));
    assert_eq!((loaded.trained.len(), loaded.notes.len()), (5_142, 0));
    let mut reversed = six();
    reversed.reverse();
    assert_eq!(checkpoint::decode("w", &file(&reversed)).unwrap(), loaded);
}

#[test]
fn paths_that_lead_to_no_weights_are_refused() {
    let folder = TempDir::new().unwrap();
    let message = |name: &str| {
        let path = folder.path().join(name);
        load_weights(&path).unwrap_err().to_string().replace(&path.display().to_string(), "PATH")
    };
    assert_eq!(
        message("none"),
        "there is no file PATH: expected a safetensors file with the network's weights"
    );
    assert_eq!(
        message(""),
        "PATH is not a regular file: expected a safetensors file with the network's weights"
    );
    fs::File::create(folder.path().join("large")).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(
        message("large"),
        "PATH has 1099511627776 bytes, expected at most 268435456: it holds a larger network than this \
         program trains, or something else"
    );
    assert!(message("large/w").contains("cannot read PATH: ") || cfg!(not(unix)));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero")).unwrap();
        assert!(message("zero").starts_with("PATH is not a regular file"));
    }
}

#[test]
fn files_of_another_format_are_refused() {
    let malformed = |bytes: &[u8]| {
        let message = refusal(bytes);
        let end = "): it is damaged, cut short or of another format";
        let start = "w is not a whole safetensors file (";
        message.strip_prefix(start).unwrap().strip_suffix(end).unwrap().to_owned()
    };
    assert_eq!(malformed(b""), "it ends after 0 bytes, within the header's length");
    assert_eq!(malformed(b"abc"), "it ends after 3 bytes, within the header's length");
    assert_eq!(
        malformed(&[255; 20]),
        "its header should have 18446744073709551615 bytes, but 12 follow"
    );
    assert_eq!(
        malformed(&with_header("{", 0)),
        "its header is unusable: EOF while parsing an object at line 1 column 1"
    );
    assert!(malformed(&with_header("\u{1b}[2J", 0)).contains("expected value"));
    let whole = file(&six());
    assert_eq!(
        malformed(&whole[..whole.len() - 1]),
        "its tensors should have 20568 bytes, but 20567 follow the header"
    );
    assert_eq!(
        malformed(&[whole, vec![0]].concat()),
        "its tensors should have 20568 bytes, but 20569 follow the header"
    );
    let overlapping = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                          "b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    assert!(malformed(&with_header(overlapping, 4)).contains("invalid offset"));
    let unknown = file(&[("fc.bias", "\\u001b[31mF99", "[1]", 4)]);
    let message = malformed(&unknown);
    assert!(message.contains("F99") && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn sizes_that_add_up_to_all_of_memory_are_refused() {
    let each = 1u64 << 60;
    let entries: Vec<String> = (0..16)
        .map(|index| {
            let start = index * each;
            let elements = if index == 15 { each - 1 } else { each };
            let end = start + elements;
            format!(
                r#""{index}":{{"dtype":"U8","shape":[{elements}],"data_offsets":[{start},{end}]}}"#
            )
        })
        .collect();
    assert_eq!(
        refusal(&with_header(&format!("{{{}}}", entries.join(",")), 0)),
        "w is not a whole safetensors file (its tensors should have 18446744073709551615 bytes, \
         but 0 follow the header): it is damaged, cut short or of another format"
    );
}

#[test]
fn tensors_of_another_network_are_refused() {
    let (start, end) = (START, "; if it is of another network, say which with --model");
    let unfit = |change: fn(&mut Vec<Entry<'static>>)| {
        let mut tensors = six();
        change(&mut tensors);
        let message = refusal(&file(&tensors));
        message.strip_prefix(start).unwrap().strip_suffix(end).unwrap().to_owned()
    };
    assert_eq!(
        unfit(|all| all.retain(|tensor| tensor.0 != "fc.weight")),
        format!("there is no tensor fc.weight, expected {NAMES}")
    );
    assert_eq!(
        unfit(Vec::clear),
        format!("there is no tensor layer1_conv.weight, expected {NAMES}")
    );
    assert_eq!(
        unfit(|all| all.push(("adam.m\\u001b", "F32", "[1]", 4))),
        format!("there is a tensor \"adam.m\u{fffd}\", expected only {NAMES}")
    );
    assert_eq!(
        unfit(|all| all[1].2 = "[256,10]"),
        "fc.weight has the shape [256, 10], expected [10, 256]"
    );
    assert_eq!(
        unfit(|all| all[0] = ("fc.bias", "I32", "[10]", 40)),
        "fc.bias holds I32 values, expected F32, F16, BF16 or F64"
    );
}

#[test]
fn values_that_are_not_finite_are_refused() {
    for (value, shown) in [(f32::NAN, "NaN"), (f32::NEG_INFINITY, "-inf")] {
        let mut bytes = file(&six());
        let at = bytes.len() - 9_600 + 4 * 3;
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        assert_eq!(
            refusal(&bytes),
            format!(
                "{START}layer2_conv.weight is {shown} at position 3, expected finite numbers; if it is \
                 of another network, say which with --model"
            )
        );
    }
}

#[test]
fn long_names_and_shapes_are_cut_off() {
    let name = "x".repeat(10_000);
    assert!(refusal(&file(&[(&name, "F32", "[1]", 4)])).len() < 500);
    let shape = format!("[{}1]", "1,".repeat(10_000));
    let mut tensors = six();
    tensors[0] = ("fc.bias", "F32", &shape, 4);
    assert!(refusal(&file(&tensors)).len() < 500);
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
    let expected = "does not hold the weights of the network article: it holds those of the network \
                    \"flatten, linear\", expected the network article";
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

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(refusal(&bytes).starts_with("w is not a whole safetensors file ("));
    }

    #[test]
    fn random_headers_never_panic(header in r#"[{}\[\]":,a-e0-9 ]{0,60}"#, data in 0..50usize) {
        prop_assert!(refusal(&with_header(&header, data)).starts_with("w "));
    }

    #[test]
    fn damaged_files_never_panic(
        flips in prop::collection::vec((0..600usize, any::<u8>()), 1..5),
        cut in prop::option::of(0..21_100usize),
    ) {
        let mut bytes = file(&six());
        for (place, value) in flips {
            bytes[place] ^= value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut);
        }
        match checkpoint::decode("w", &bytes) {
            Ok(weights) => prop_assert_eq!(weights.trained.len(), 5_142),
            Err(error) => prop_assert!(error.to_string().starts_with("w ")),
        }
    }
}
