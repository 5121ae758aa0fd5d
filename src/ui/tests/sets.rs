//! Other networks on other data: nine stages on Fashion-MNIST, letters, and 100 classes at 64×64.

mod any;
mod screens;

use std::sync::Arc;

use super::*;
use crate::{
    data::DataInfo,
    protocol::{
        FeatureMaps, Filters, Found, ImageSet, Insides, Inspection, NetworkInfo, ParameterInfo,
        ParameterUpdate, RankedDigit, StageInfo, Subject,
    },
};

/// A data set and a network.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) set: DataInfo,
    pub(super) network: NetworkInfo,
    /// Channels and rows of the filters, where the first layer has some.
    filters: Option<(usize, usize)>,
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn network(stages: &[(&str, [usize; 3])], layers: &[(&str, &[usize])]) -> NetworkInfo {
    let stage = |&(name, shape): &(&str, [usize; 3])| StageInfo { name: name.to_owned(), shape };
    let parameters = layers.iter().flat_map(|&(name, shape)| {
        let parameter = |kind: &str, shape: &[usize]| ParameterInfo {
            name: format!("{name}.{kind}"),
            shape: shape.to_vec(),
        };
        [parameter("weight", shape), parameter("bias", &shape[..1])]
    });
    NetworkInfo {
        name: "test".into(),
        stages: stages.iter().map(stage).collect(),
        parameters: parameters.collect(),
    }
}

/// Nine stages on Fashion-MNIST.
pub(super) fn fashion() -> Kind {
    let classes = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];
    let stages = [
        ("relu1", [16, 28, 28]),
        ("relu2", [16, 28, 28]),
        ("pool1", [16, 14, 14]),
        ("relu3", [32, 14, 14]),
        ("relu4", [32, 14, 14]),
        ("pool2", [32, 7, 7]),
        ("relu5", [64, 5, 5]),
        ("dropout1", [64, 5, 5]),
        ("flatten1", [1_600, 1, 1]),
    ];
    let layers: [(&str, &[usize]); 6] = [
        ("conv1", &[16, 1, 3, 3]),
        ("conv2", &[16, 16, 3, 3]),
        ("conv3", &[32, 16, 3, 3]),
        ("conv4", &[32, 32, 3, 3]),
        ("conv5", &[64, 32, 3, 3]),
        ("fc1", &[10, 1_600]),
    ];
    Kind {
        set: DataInfo {
            name: "Fashion-MNIST".into(),
            shape: [1, 28, 28],
            classes: named(&classes),
        },
        network: network(&stages, &layers),
        filters: Some((16, 3)),
    }
}

/// The letters of EMNIST through linear layers.
pub(super) fn letters() -> Kind {
    let classes = ('A'..='Z').map(String::from).collect();
    let stages = [("flatten1", [784, 1, 1]), ("relu1", [128, 1, 1]), ("relu2", [64, 1, 1])];
    let layers: [(&str, &[usize]); 3] =
        [("fc1", &[128, 784]), ("fc2", &[64, 128]), ("fc3", &[26, 64])];
    Kind {
        set: DataInfo { name: "EMNIST letters".into(), shape: [1, 28, 28], classes },
        network: network(&stages, &layers),
        filters: None,
    }
}

/// 100 classes whose names begin alike, at 64×64, through 30 batch-normalised layers.
pub(super) fn hundred() -> Kind {
    let animals = ["otter", "beaver", "seal", "whale", "dolphin"];
    let classes = (0..100).map(|class| format!("{} of kind {}", animals[class % 5], class / 5 + 1));
    let mut stages = Vec::new();
    let mut parameters = Vec::new();
    for layer in 1..=30_usize {
        let side = 64 >> (layer / 10);
        for kind in ["bn", "gelu"] {
            stages.push(StageInfo { name: format!("{kind}{layer}"), shape: [8, side, side] });
        }
        let mut add = |name: String, shape: &[usize]| {
            parameters.push(ParameterInfo { name, shape: shape.to_vec() });
        };
        let inputs = if layer == 1 { 1 } else { 8 };
        add(format!("residual{layer}.conv1.weight"), &[8, inputs, 3, 3]);
        add(format!("residual{layer}.bn1.weight"), &[8]);
        add(format!("residual{layer}.bn1.bias"), &[8]);
    }
    parameters.push(ParameterInfo { name: "fc1.weight".into(), shape: vec![100, 8] });
    parameters.push(ParameterInfo { name: "fc1.bias".into(), shape: vec![100] });
    Kind {
        set: DataInfo { name: "animals".into(), shape: [1, 64, 64], classes: classes.collect() },
        network: NetworkInfo { name: "deep".into(), stages, parameters },
        filters: Some((8, 3)),
    }
}

impl Kind {
    /// An arch over a bar: no symmetry but that of left and right, and ink at all edges.
    pub(super) fn picture(&self) -> Vec<u8> {
        let (height, width) = (self.set.height(), self.set.width());
        let pixel = |x: usize, y: usize| {
            let (x, y) = ((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
            let arch = ((x - 0.5).hypot(y - 0.55) - 0.42).abs();
            let bar = (y - 0.9).abs() - 0.05;
            let line = if y < 0.6 { arch.min((x - y).abs()) } else { bar.max(0.0) };
            (255.0 * (1.0 - 12.0 * line).clamp(0.0, 1.0)) as u8
        };
        (0..height).flat_map(|y| (0..width).map(move |x| pixel(x, y))).collect()
    }

    fn classes(&self) -> usize {
        self.set.classes.len()
    }

    fn digit(&self, place: usize) -> Digit {
        let label = place % self.classes();
        let prediction = if place % 4 == 2 { (label + 7) % self.classes() } else { label };
        Digit {
            pixels: self.picture(),
            label: label as u8,
            prediction: prediction as u8,
            probability: 1.0 - (place % 24) as f32 * 0.03,
        }
    }

    fn ranked(&self, count: usize) -> Vec<RankedDigit> {
        let one = |place: usize| RankedDigit {
            index: place as u32 * 7,
            digit: self.digit(place * 2),
            loss: 9.0 - place as f32 * 0.2,
        };
        (0..count).map(one).collect()
    }

    fn evaluation(&self) -> Evaluation {
        let classes = self.classes();
        let mut confusion = Confusion::new(classes);
        for truth in 0..classes {
            for image in 0..100 {
                let wrong = image * 7 % 100 < 12 + truth % 9;
                let predicted = (truth + image % 5 * (image % 3)) % classes;
                confusion.record(truth, if wrong { predicted } else { truth });
            }
        }
        Evaluation {
            correct: u64::from(confusion.correct()),
            total: u64::from(confusion.total()),
            confusion,
            ..evaluation(1)
        }
    }

    /// What the network makes of the picture.
    pub(super) fn insides(&self, subject: Subject, label: Option<u8>) -> Insides {
        let values = |count: usize, low: f32| {
            (0..count).map(move |place| (((place * 37) % 101) as f32 / 100.0).max(low)).collect()
        };
        let maps = |stage: &StageInfo| {
            let [channels, height, width] = stage.shape;
            FeatureMaps { channels, height, width, values: values(channels * height * width, 0.2) }
        };
        let logits: Vec<f32> =
            (0..self.classes()).map(|class| 9.0 - ((class * 7 + 4) % 23) as f32 * 0.7).collect();
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        Insides {
            image: (!matches!(subject, Subject::Drawn(_))).then_some((ImageSet::Test, 1_234)),
            subject,
            step: 2_900,
            label,
            pixels: self.picture(),
            filters: self
                .filters
                .map(|(channels, side)| Filters {
                    layer: self.network.first_layer().to_owned(),
                    stage: 0,
                    channels,
                    inputs: 1,
                    side,
                    values: values(channels * side * side, -1.0),
                })
                .into_iter()
                .collect(),
            stages: self.network.stages.iter().map(maps).collect(),
            probabilities: logits.iter().map(|logit| logit.exp() / sum).collect(),
            logits,
        }
    }

    fn inspection(&self, step: u64) -> Inspection {
        let update = |(place, parameter): (usize, &ParameterInfo)| ParameterUpdate {
            name: parameter.name.clone(),
            shape: parameter.shape.iter().map(|&length| length as u32).collect(),
            gradient_norm: 0.02 * (place + 1) as f32,
            weight_norm: 1.5 + place as f32,
            update_ratio: 1e-3 / (place + 1) as f32,
        };
        Inspection {
            step,
            epoch: 1,
            batch: step,
            images: 64,
            learning_rate: 1e-3,
            loss_before: 0.9,
            loss_after: 0.8,
            digits: self.ranked(30),
            parameters: self.network.parameters.iter().enumerate().map(update).collect(),
        }
    }

    /// A run that has evaluated one epoch and is paused.
    pub(super) fn app(&self) -> App {
        let mut app = App::default();
        let (set, network) = (self.set.clone(), self.network.clone());
        feed(&mut app, Event::Started(RunInfo { set, network, ..RunInfo::example() }));
        feed(&mut app, Event::State(RunState::Training));
        let losses = (1..=1_200).map(loss).collect();
        let sample = Sample {
            step: 1_200,
            digits: (0..24).map(|place| self.digit(place)).collect(),
            originals: Vec::new(),
        };
        feed(
            &mut app,
            Event::Progress(Progress {
                epoch: 1,
                first_step: 1,
                first_batch: 1,
                losses,
                images: 60_000,
                learning_rate: 1e-3,
                clock: clock(1_200),
                sample: Some(sample),
                measures: Vec::new(),
            }),
        );
        let evaluation = self.evaluation();
        feed(&mut app, Event::Epoch(EpochRecord { evaluation, ..record(1, 1_200) }));
        feed(&mut app, Event::State(RunState::Paused));
        feed(&mut app, Event::Inspected(Arc::new(self.inspection(1_200))));
        app
    }

    /// The same with a view and all that it shows.
    pub(super) fn showing(&self, view: View) -> App {
        let mut app = self.app();
        act(&mut app, Action::Show(view));
        match view {
            View::Network => {
                let subject = Subject::Image { set: ImageSet::Test, index: 1_234 };
                let insides = self.insides(subject, Some((self.classes() - 1) as u8));
                feed(&mut app, Event::Insides(Arc::new(insides)));
            }
            View::Mistakes => {
                let digits = self.ranked(40);
                let query = app.asked_query().expect("the view asks");
                let found = Found { total: Some(1_500), digits, ..Found::unknown(query) };
                feed(&mut app, Event::Found(found));
            }
            View::Draw => {
                let (width, height) = app.pad.size();
                for (place, drag) in [(width / 4, false), (width * 3 / 4, true)] {
                    act(&mut app, Action::Stroke { x: place, y: height / 2, drag });
                }
                act(&mut app, Action::EndStroke);
                let subject = Subject::Drawn(app.pad.pixels.clone());
                feed(&mut app, Event::Insides(Arc::new(self.insides(subject, None))));
            }
            View::Why => super::why::answer_all(&mut app),
            _ => {}
        }
        app
    }
}
