use proptest::prelude::*;

use super::*;

/// A history with rows at steps 10, 20 and so on; each row holds every image's prediction, the probability
/// of that and the loss.
fn history(rows: &[&[(u8, f32, f32)]]) -> History {
    let mut history = History::default();
    for (row, step) in rows.iter().zip((10..).step_by(10)) {
        let noted = (0..).zip(*row);
        let noted = noted.map(|(index, &(prediction, probability, loss))| Noted {
            index,
            prediction,
            probability,
            loss,
        });
        history.note(step, row.len(), noted);
    }
    history
}

fn noted(index: u32, prediction: u8) -> Noted {
    Noted { index, prediction, probability: 0.9, loss: 0.5 }
}

#[test]
fn a_loss_is_kept_to_three_percent() {
    for loss_of in [0.000_6, 0.001, 0.04, 0.7, 1.0, 2.3, 9.0, 31.0] {
        let kept = loss(level(loss_of));
        assert!((kept / loss_of - 1.0).abs() <= 1.0 / 32.0, "{loss_of} is kept as {kept}");
    }
    assert_eq!([0.0, -0.0, 1e-9].map(level), [0; 3]);
    assert_eq!((loss(0), level(1e9)), (0.0, 254));
    for lost in [f32::NAN, f32::INFINITY] {
        assert!(loss(level(lost)).is_nan());
    }
}

#[test]
fn an_image_is_forgotten_when_it_goes_from_right_to_wrong() {
    let rows = [[4_u8, 9, 4], [9, 4, 4], [4, 4, 4], [8, 9, 4]];
    let rows = rows.map(|row| row.map(|prediction| (prediction, 0.5, 1.0)));
    let mut history = history(&rows.each_ref().map(<[_; 3]>::as_slice));
    assert_eq!(history.forgotten(&[4, 4, 4], 40), [(0, 2), (1, 1)]);
    assert_eq!(history.forgotten(&[4, 4, 4], 39), [(0, 1)]);
    let of = history.of(0, 4, 8, 40);
    assert_eq!((of.predictions, of.forgotten), (vec![Some(4), Some(9), Some(4), Some(8)], 2));
    history.forget_after(10);
    assert_eq!((history.steps(99), history.forgotten(&[4, 4, 4], 99)), (vec![10], vec![]));
}

#[test]
fn a_label_is_suspected_where_most_epochs_confidently_predict_one_other_class() {
    let (sure, unsure) = (0.9, 0.7);
    let history = history(&[
        &[
            (7, sure, 4.0),
            (7, sure, 4.0),
            (7, unsure, 4.0),
            (1, sure, 4.0),
            (3, 0.9, 0.1),
            (7, sure, 9.0),
        ],
        &[
            (7, sure, 4.0),
            (2, sure, 4.0),
            (7, unsure, 4.0),
            (2, sure, 4.0),
            (7, sure, 4.0),
            (7, sure, 9.0),
        ],
        &[
            (7, sure, 5.0),
            (7, sure, 4.0),
            (7, sure, 4.0),
            (7, sure, 4.0),
            (7, sure, 4.0),
            (7, sure, 9.0),
        ],
    ]);
    // The third is unsure in most epochs, and the fourth predicted as another class in each.
    let suspects = history.suspected(&[3; 6], 30);
    let found: Vec<_> = suspects.iter().map(|it| (it.index, it.class, it.count)).collect();
    assert_eq!(found, [(5, 7, 3), (0, 7, 3), (1, 7, 2), (4, 7, 2)]);
    assert_eq!(history.of(1, 3, 7, 30).mistaken, 2);
    let labels = [7, 3, 3, 3, 3, 3];
    assert_eq!(history.suspected(&labels, 20).len(), 1, "one epoch of two is not most of them");
    assert!(history.suspected(&[3; 6], 10).is_empty(), "one epoch says nothing");
}

#[test]
fn an_epoch_counts_once_it_is_complete_and_is_written_again_after_going_back() {
    let mut history = History::default();
    history.note(10, 2, [noted(0, 5)].into_iter());
    let predictions = |history: &History, step| history.of(0, 5, 5, step).predictions;
    assert!(predictions(&history, 9).is_empty());
    assert_eq!(history.of(1, 5, 5, 10).predictions, [None], "resumed in the middle of an epoch");
    history.note(20, 2, [noted(0, 6)].into_iter());
    history.note(10, 2, [noted(0, 7), noted(1, 5)].into_iter());
    assert_eq!(predictions(&history, 20), [Some(7), Some(6)]);
    assert_eq!(history.of(1, 5, 5, 20).predictions, [Some(5), None]);
}

proptest! {
    #[test]
    fn memory_is_bounded_and_the_newest_row_stays(steps in prop::collection::vec(0_u64..90, 1..60)) {
        let mut history = History { most: 16 * size_of::<Cell>(), ..History::default() };
        for step in steps {
            history.note(step, 2, [noted(0, 1)].into_iter());
            prop_assert!(history.rows.len() <= 8);
            prop_assert!(history.rows.windows(2).all(|pair| pair[0].step < pair[1].step));
            prop_assert!(history.steps(u64::MAX).contains(&step));
        }
    }
}
