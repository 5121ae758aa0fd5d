use proptest::prelude::*;

use super::*;

/// Whether a network can be written down at all is for the parser to say, whether it works for the
/// plan: any sequence of layers will do.
fn layer() -> impl Strategy<Value = Layer> {
    let stride = || proptest::option::of(1..=64_usize);
    let leaf = prop_oneof![
        (1..=4096_usize, 1..=7_usize, 1..=7_usize, 0..=6_usize, any::<bool>()).prop_map(
            |(channels, kernel, stride, padding, bias)| {
                Layer::Conv { channels, kernel, stride, padding, bias }
            }
        ),
        Just(Layer::BatchNorm),
        Just(Layer::Relu),
        Just(Layer::Gelu),
        (1..=64_usize, stride()).prop_map(|(size, stride)| Layer::MaxPool { size, stride }),
        (1..=64_usize, stride()).prop_map(|(size, stride)| Layer::AvgPool { size, stride }),
        Just(Layer::GlobalAvgPool),
        (0.0..1.0).prop_map(|p| Layer::Dropout { p }),
        Just(Layer::Flatten),
        (proptest::option::of(1..=4096_usize), any::<bool>())
            .prop_map(|(width, bias)| Layer::Linear { width, bias }),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        prop::collection::vec(inner, 1..4).prop_map(|layers| Layer::Residual { layers })
    })
}

fn spec() -> impl Strategy<Value = NetworkSpec> {
    prop::collection::vec(layer(), 1..6).prop_map(|layers| NetworkSpec { layers })
}

/// The TOML file of a network.
fn toml(layers: &[Layer], prefix: &str) -> String {
    let path = format!("{prefix}layer");
    let strided = |kind: &str, size: &usize, stride: &Option<usize>| {
        let stride = stride.map(|stride| format!("\nstride = {stride}")).unwrap_or_default();
        format!("type = \"{kind}\"\nsize = {size}{stride}\n")
    };
    let table = |layer: &Layer| match layer {
        Layer::Conv { channels, kernel, stride, padding, bias } => format!(
            "type = \"conv\"\nchannels = {channels}\nkernel = {kernel}\nstride = {stride}\n\
             padding = {padding}\nbias = {bias}\n"
        ),
        Layer::BatchNorm => "type = \"batch_norm\"\n".to_owned(),
        Layer::MaxPool { size, stride } => strided("max_pool", size, stride),
        Layer::AvgPool { size, stride } => strided("avg_pool", size, stride),
        Layer::GlobalAvgPool => "type = \"global_avg_pool\"\n".to_owned(),
        Layer::Dropout { p } => format!("type = \"dropout\"\np = {p}\n"),
        Layer::Linear { width, bias } => {
            let width = width.map(|width| format!("width = {width}\n")).unwrap_or_default();
            format!("type = \"linear\"\n{width}bias = {bias}\n")
        }
        Layer::Residual { layers } => {
            format!("type = \"residual\"\n{}", toml(layers, &format!("{path}.")))
        }
        Layer::Relu | Layer::Gelu | Layer::Flatten => format!("type = \"{layer}\"\n"),
    };
    let tables = layers.iter().map(|layer| format!("[[{path}]]\n{}", table(layer)));
    tables.collect::<Vec<_>>().concat()
}

fn refused(text: &str) -> String {
    text.parse::<NetworkSpec>().expect_err(text).to_string()
}

fn refused_file(text: &str) -> String {
    NetworkSpec::from_toml(text).expect_err(text).to_string()
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(spec in spec()) {
        let text = spec.to_string();
        prop_assert_eq!(text.parse::<NetworkSpec>(), Ok(spec.clone()), "{}", text);
        let json = serde_json::to_string(&spec).expect("it has a form");
        prop_assert_eq!(serde_json::from_str::<NetworkSpec>(&json).expect("it reads"), spec);
    }

    #[test]
    fn a_file_says_the_same(spec in spec()) {
        prop_assert_eq!(NetworkSpec::from_toml(&toml(&spec.layers, "")), Ok(spec));
    }

    #[test]
    fn random_text_never_panics(text in "\\PC*", near in "[a-z0-9 ,().\u{e9}\n\t-]{0,60}") {
        for text in [text, near] {
            if let Ok(spec) = text.parse::<NetworkSpec>() {
                prop_assert_eq!(spec.to_string().parse(), Ok(spec));
            }
            let _ = NetworkSpec::from_toml(&text);
        }
    }

    #[test]
    fn damaged_files_never_panic(spec in spec(), at in any::<prop::sample::Index>(), c in any::<char>()) {
        let mut text: Vec<char> = toml(&spec.layers, "").chars().collect();
        let at = at.index(text.len());
        text[at] = c;
        let _ = NetworkSpec::from_toml(&text.into_iter().collect::<String>());
    }
}

#[test]
fn the_article_reads_as_it_prints() {
    let text = "conv 6 k5, relu, pool 2, conv 16 k5, relu, pool 2, flatten, linear";
    assert_eq!(NetworkSpec::article().to_string(), text);
    assert_eq!(text.parse(), Ok(NetworkSpec::article()));
    assert_eq!(NetworkSpec::named("article"), Some(NetworkSpec::article()));
    assert_eq!(NetworkSpec::article().name(), Some("article"));
    assert_eq!("flatten, linear".parse().map(|spec: NetworkSpec| spec.name()), Ok(None));
}

#[test]
fn case_spaces_long_names_and_the_order_of_settings_do_not_matter() {
    let plain = "conv 16 k3 p1 nobias, relu, pool 2, residual(bn, relu), flatten, linear 10";
    let other =
        "CONV p1 nobias K3 16,ReLU , max_pool 2,\n Residual ( batch_norm,relu ),flatten,linear 10";
    assert_eq!(other.parse::<NetworkSpec>(), plain.parse::<NetworkSpec>());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let layers = "conv, bn, relu, gelu, pool, avgpool, gap, dropout, flatten, linear or residual";
    for (text, message) in [
        (
            "conv 6 k5, rleu",
            &*format!(
                "at character 12: expected a layer ({layers}), found \"rleu\"; did you mean relu?"
            ),
        ),
        ("", &format!("at character 1: expected a layer ({layers}), found the end")),
        ("relu,", &format!("at character 6: expected a layer ({layers}), found the end")),
        (
            "conv16 k3",
            &format!(
                "at character 1: expected a layer ({layers}), found \"conv16\"; did you mean conv?"
            ),
        ),
        (
            "MaxPool2d 2",
            &format!(
                "at character 1: expected a layer ({layers}), found \"MaxPool2d\"; did you mean pool?"
            ),
        ),
        ("softmax", &format!("at character 1: expected a layer ({layers}), found \"softmax\"")),
        ("conv 6, relu", "at character 7: expected kernel k1 to k7, found \",\""),
        ("conv 6", "at character 7: expected kernel k1 to k7, found the end"),
        ("conv k3", "at character 6: expected channels 1 to 4096, found \"k3\""),
        ("conv 6 k8", "at character 8: expected kernel k1 to k7, found \"k8\""),
        ("conv 6 k 3", "at character 8: expected kernel k1 to k7, found \"k\""),
        ("conv 0 k3", "at character 6: expected channels 1 to 4096, found \"0\""),
        ("linear 4097", "at character 8: expected width 1 to 4096, found \"4097\""),
        ("linear -1", "at character 8: expected width 1 to 4096, found \"-1\""),
        ("conv 1 k3 s0", "at character 11: expected stride s1 to s7, found \"s0\""),
        (
            "conv 1 k3 k3",
            "at character 11: expected \",\" or a setting of conv, each at most once: channels 1 to 4096, kernel k1 to k7, stride s1 to s7, padding p0 to p6, nobias, found \"k3\"",
        ),
        ("relu 2", "at character 6: expected \",\", since relu has no settings, found \"2\""),
        ("relu flatten", "at character 6: expected \",\" between two layers, found \"flatten\""),
        (
            "dropout",
            "at character 8: expected a probability of at least 0 and below 1, such as 0.1, found the end",
        ),
        (
            "dropout 1",
            "at character 9: expected a probability of at least 0 and below 1, such as 0.1, found \"1\"",
        ),
        (
            "residual relu",
            "at character 10: expected \"(\" and the layers of the block, found \"relu\"",
        ),
        ("residual(relu", "at character 14: expected \",\" or \")\", found the end"),
        ("relu)", "at character 5: expected \",\" or the end, found \")\""),
        ("relu (", "at character 6: expected \",\", found \"(\""),
        (
            "größe\u{1b}[2J",
            &format!("at character 1: expected a layer ({layers}), found \"größe\u{fffd}[2J\""),
        ),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
}

#[test]
fn layers_and_blocks_are_limited() {
    let many = |count: usize| vec!["relu"; count].join(", ");
    assert_eq!(many(200).parse::<NetworkSpec>().map(|spec| spec.layers.len()), Ok(200));
    assert!(refused(&many(201)).ends_with("expected at most 200 layers in all"));
    let nested = |depth| format!("{}relu{}", "residual(".repeat(depth), ")".repeat(depth));
    assert!(nested(8).parse::<NetworkSpec>().is_ok());
    let message = "at character 81: expected at most 8 residual blocks around a layer";
    assert_eq!(refused(&nested(9)), message);
    assert_eq!(refused(&"residual(".repeat(1_000_000)), message);

    let tables = |count| "[[layer]]\ntype = \"relu\"\n".repeat(count);
    assert!(NetworkSpec::from_toml(&tables(200)).is_ok());
    assert_eq!(refused_file(&tables(201)), "line 401: expected at most 200 layers in all");
    let inline = |depth| {
        let open = "{type = \"residual\", layer = [".repeat(depth);
        format!("layer = [{open}{{type = \"relu\"}}{}]", "]}".repeat(depth))
    };
    assert!(NetworkSpec::from_toml(&inline(8)).is_ok());
    let message = "line 1: expected at most 8 residual blocks around a layer";
    assert_eq!(refused_file(&inline(9)), message);
    assert!(NetworkSpec::from_toml(&inline(100_000)).is_err());
    for deep in ["a.".repeat(100_000) + "a = 1", format!("[{}a]", "a.".repeat(100_000))] {
        assert_eq!(refused_file(&deep), "line 1: expected at most 32 dots");
    }
}

#[test]
fn mistakes_in_a_file_are_named_with_their_line_and_key() {
    let conv = "# mine\n\n[[layer]]\ntype = \"conv\"\n";
    for (rest, message) in [
        ("channels = 6\n", "line 3: a layer has no kernel: expected 1 to 7"),
        ("channels = 6\nkernel = 9\n", "line 6: kernel is 9, expected 1 to 7"),
        ("channels = 6\nkernel = \"3\"\n", "line 6: kernel is \"3\", expected 1 to 7"),
        ("channels = -6\nkernel = 3\n", "line 5: channels is -6, expected 1 to 4096"),
        (
            "channels = 6\nkernal = 3\nkernel = 3",
            "line 6: conv has no key \"kernal\", expected type, channels, kernel, stride, padding, \
             bias; did you mean kernel?",
        ),
        ("channels = 6\nkernel = 3\nbias = 1", "line 7: bias is 1, expected true or false"),
    ] {
        assert_eq!(refused_file(&format!("{conv}{rest}")), message, "{rest}");
    }
    assert_eq!(refused_file(""), "line 1: there are no layers: expected [[layer]] tables");
    assert_eq!(refused_file("layer = 3"), "line 1: layer is 3, expected [[layer]] tables");
    assert_eq!(refused_file("layer = [3]"), "line 1: layer is 3, expected [[layer]] tables");
    let message = refused_file("[[layer]]\ntype = \"flaten\"");
    assert!(message.ends_with("found \"flaten\"; did you mean flatten?"), "{message}");
    assert!(message.starts_with("line 2: expected a layer (conv, "), "{message}");
    let message = refused_file("[[layer]]\ntype = \"relu\"\n\n[optimiser]\nlr = 1");
    assert!(message.starts_with("line 4: a network has no key \"optimiser\""), "{message}");
    let message = refused_file("[[layer]]\ntype = relu");
    assert!(message.starts_with("line 2: not valid TOML: "), "{message}");
}
