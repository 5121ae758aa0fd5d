//! What a person does with the debugger, from end to end, in a real pseudo-terminal.
#![cfg(unix)]

mod common;

use common::{Tty, batch};

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const RIGHT: &str = "\x1b[C";
const LEFT: &str = "\x1b[D";

fn wait_for_batch(tty: &Tty, wanted: u64) {
    let what = format!("batch {wanted}");
    tty.wait_for(&what, |screen| (batch(screen) == Some(wanted)).then_some(()));
    tty.wait_for_text("‖ paused");
}

/// A run of large batches that paused after its first epoch, with mistakes enough.
fn after_an_epoch(columns: u16, rows: u16) -> Tty {
    let mut tty = Tty::start(&["--batch-size", "1000", "--epochs", "100"], columns, rows);
    tty.send("e");
    tty.wait_for_text("Confusion · test, epoch 1");
    tty.wait_for_text("‖ paused");
    tty
}

#[test]
fn from_a_spike_back_and_on_at_half_the_rate() {
    let mut tty = Tty::start(&["--break", "spike", "--epochs", "3"], 120, 40);
    tty.wait_for_text("■ break: spike");
    tty.wait_for_text("standard deviations above the recent mean");
    let spike = batch(&tty.screen()).expect("the batch is shown");
    assert!(spike > 100, "{spike}");

    tty.send("3");
    tty.wait_for_text(&format!("Step {spike} · epoch 1, batch {spike} of 1,200"));
    for text in ["‖grad‖", "‖weight‖", "ratio", "layer1_conv.weight", "1 of 50", " → "] {
        tty.wait_for_text(text);
    }
    tty.send(RIGHT);
    tty.wait_for_text("2 of 50");

    tty.send("b");
    wait_for_batch(&tty, spike - 1);
    tty.press(&format!("g{}\r", spike - 20));
    wait_for_batch(&tty, spike - 20);
    tty.send("---");
    tty.wait_for_text("0.000512");
    tty.press("2S");
    wait_for_batch(&tty, spike - 10);
    for text in ["before rewinding", "rate", "smoothed"] {
        tty.wait_for_text(text);
    }
    tty.send("E");
    wait_for_batch(&tty, 0);
    tty.leave();
}

#[test]
fn breakpoints_are_added_and_removed_while_training() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    tty.send("B");
    tty.wait_for_text("Breakpoints");
    tty.press("astep=nonsense\r");
    tty.wait_for_text("✗ step=nonsense");
    tty.send("\x1b");
    tty.wait_for("the question to close", |screen| (!screen.contains("nonsense")).then_some(()));
    tty.press("aaccuracy>=2%\r");
    tty.wait_for_text("accuracy>=0.02");
    tty.send("\x1b");
    tty.wait_for_text("■ break: accuracy");
    tty.leave();
}

#[test]
fn the_fours_predicted_as_nines_are_two_keys_from_the_matrix() {
    let mut tty = after_an_epoch(120, 40);
    tty.send("4");
    tty.send(&DOWN.repeat(4));
    tty.send(&RIGHT.repeat(9));
    tty.wait_for_text("4 predicted as 9");
    tty.send("\r");
    tty.wait_for_text("4 predicted as 9 · test, epoch 1");
    tty.wait_for_text("1 of ");
    tty.send(RIGHT);
    tty.wait_for_text("2 of ");
    let image = tty.wait_for("the image's number", |screen| {
        let line = screen.lines().find(|line| line.contains("  test image "))?;
        line.split_whitespace().last().map(str::to_owned)
    });
    tty.send("i");
    tty.wait_for_text(&format!("test image {image}"));
    tty.wait_for_text("✗ 4→9");
    tty.leave();
}

#[test]
fn the_matrix_goes_back_through_the_epochs() {
    let mut tty = after_an_epoch(80, 24);
    tty.press("4e");
    tty.wait_for_text("epoch 2 ");
    tty.wait_for_text("‖ paused");
    tty.send(",");
    tty.wait_for_text("test, epoch 1 of 2");
    tty.send(".");
    tty.wait_for_text("test, epoch 2 of 2");
    tty.leave();
}

#[test]
fn the_hardest_images_of_all_are_listed_by_loss() {
    let mut tty = after_an_epoch(120, 40);
    tty.send("6");
    tty.wait_for_text("Hardest of 10,000 test images · epoch 1");
    tty.wait_for_text("1 of 400");
    tty.send("\x1b[F");
    tty.wait_for_text("400 of 400");
    tty.leave();
}

#[test]
fn the_network_view_pages_through_its_stages_and_follows_the_training() {
    let mut tty = Tty::start(&["--epochs", "100"], 80, 24);
    tty.wait_for_text("▶ training");
    tty.send("5");
    tty.wait_for_text("layer1_conv · 6 kernels 5×5");
    // The kernels of the second convolution take four screens.
    for (downs, stage) in [
        (1, "layer1_relu · 6 maps 24×24"),
        (1, "layer1_pool · 6 maps 12×12"),
        (1, "layer2_conv · 16×6 kernels 5×5"),
        (4, "layer2_relu · 16 maps 8×8"),
    ] {
        tty.send(&DOWN.repeat(downs));
        tty.wait_for_text(stage);
    }
    tty.send(UP);
    tty.wait_for_text("layer2_conv · 16×6 kernels 5×5");
    tty.press("i42\r");
    tty.wait_for_text("test image 42");
    tty.send(LEFT);
    tty.wait_for_text("test image 41");
    tty.send("t");
    tty.wait_for_text("training image");
    tty.leave();
}

#[test]
fn a_seven_is_drawn_and_its_feature_maps_watched() {
    let mut tty = after_an_epoch(120, 40);
    tty.send("7");
    tty.wait_for_text("Nothing is drawn yet");
    // From the pad's middle to the upper left, then the bar and the stroke.
    tty.send(&UP.repeat(6));
    tty.send(&LEFT.repeat(5));
    tty.send(" ");
    tty.send(&RIGHT.repeat(10));
    for _ in 0..6 {
        tty.send(&DOWN.repeat(2));
        tty.send(LEFT);
    }
    tty.wait_for_text("after step 60");
    for text in ["layer1_relu 6×24×24", "layer1_pool 6×12×12", "layer2_pool 16×4×4"] {
        tty.wait_for_text(text);
    }
    tty.wait_for("an answer", |screen| screen.contains("▸7").then_some(()));
    // The answer changes with the weights, without a stroke.
    tty.send("s");
    tty.wait_for_text("after step 61");
    tty.press("zm");
    tty.send("i");
    tty.wait_for_text("drawn image");
    tty.press("7c");
    tty.wait_for_text("Nothing is drawn yet");
    tty.leave();
}
