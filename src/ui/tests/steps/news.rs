//! Messages, and the question before quitting.

use super::*;
use crate::recorder::Report;

const FULL: &str = "cannot write /home/somebody/.local/state/mnist-tui/runs/20260714-093012-1a2b/\
                    events.jsonl: no space left on device (os error 28)";

fn unrecorded() -> App {
    let mut app = trained(2_900);
    for report in [Report::Kept { step: 2_400 }, Report::Ended(FULL.into())] {
        let _ = app.update(Msg::Recorded(report));
    }
    app
}

/// The screen's text in one line.
fn words(app: &App, width: u16, height: u16) -> String {
    let shown = text(app, width, height);
    let lines: Vec<&str> = shown.lines().map(|line| line.trim_matches('"').trim()).collect();
    lines.join(" ")
}

#[test]
fn why_no_more_is_kept_is_told_in_full() {
    let mut app = unrecorded();
    insta::assert_snapshot!(text(&app, 80, 24));
    insta::assert_snapshot!("why_no_more_is_kept_in_the_smallest_terminal", text(&app, 40, 12));
    for (width, height) in [(80, 24), (120, 40)] {
        let shown = words(&app, width, height);
        assert!(shown.contains("no space left on device"), "{shown}");
        assert!(shown.contains("the run can be resumed from step 2,400 (esc)"), "{shown}");
    }
    act(&mut app, Action::Dismiss);
    assert!(!words(&app, 80, 24).contains("resumed"));
    let mut app = trained(2_900);
    let _ = app.update(Msg::Recorded(Report::CheckpointFailed(FULL.into())));
    let shown = words(&app, 80, 24);
    assert!(shown.contains("The checkpoint was not saved: cannot write"), "{shown}");
    assert!(shown.contains("(os error 28) (esc)"), "{shown}");
}

#[test]
fn a_message_never_covers_the_figures_and_success_is_not_an_alert() {
    let mut app = trained(2_900);
    feed(&mut app, Event::Notice("The run can go back no further.".into()));
    let shown = text(&app, 80, 24);
    let rows: Vec<&str> = shown.lines().collect();
    assert!(rows[2].contains("epoch") && rows[2].contains("run "), "{shown}");
    assert!(rows[3].contains("The run can go back no further. (esc)"), "{shown}");
    feed(&mut app, Event::Notice("word ".repeat(500)));
    for (width, height) in [(40, 12), (80, 24), (120, 40)] {
        let shown = text(&app, width, height);
        assert!(shown.lines().nth(1).is_some_and(|row| row.contains("loss 0.1387")), "{shown}");
        assert!(shown.contains("Loss · so far"), "the view makes room: {shown}");
    }
    let mut app = trained(2_900);
    act(&mut app, Action::Keep);
    let _ = app.update(Msg::Recorded(Report::Kept { step: 2_900 }));
    let terminal = screen(&app, 80, 24, Depth::True);
    let (buf, alert) = (terminal.backend().buffer(), Theme::new(Depth::True).alert.fg);
    let row: String = (0..80).map(|x| buf[(x, 3)].symbol()).collect();
    assert_eq!(row.trim_end(), "Checkpoint saved at step 2,900.");
    assert_ne!(buf[(0, 3)].style().fg, alert);
}

#[test]
fn a_notice_of_any_length_fits_any_size() {
    for length in [0, 1, 39, 40, 79, 80, 200, 5_000] {
        for separator in ["x", " x"] {
            let mut app = trained(3);
            feed(&mut app, Event::Notice(separator.repeat(length)));
            for (width, height) in [(40, 12), (41, 13), (80, 19), (80, 24), (200, 60)] {
                let shown = text(&app, width, height);
                assert!(shown.contains("(esc)"), "{length} at {width}: {shown}");
                let header = shown.lines().next().unwrap_or_default();
                assert!(header.contains("▶ training"), "{shown}");
                let footer = shown.lines().last().unwrap_or_default();
                assert!(footer.contains("q quit"), "{shown}");
            }
        }
    }
}

/// The question of an open dialog, in one line.
fn dialog(app: &App) -> String {
    let shown = text(app, 80, 24);
    let dialog = shown.lines().skip_while(|line| !line.contains("╭ Quit?")).skip(1);
    let lines = dialog.filter_map(|line| line.split('│').rev().nth(1));
    let lines: Vec<&str> = lines.map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

#[test]
fn the_question_before_leaving_says_what_is_left_of_the_run() {
    let asked = |saves: bool, recorded: bool, reports: &[Report]| {
        let mut app = trained(5);
        feed(&mut app, Event::Started(RunInfo { saves, recorded, ..RunInfo::example() }));
        for report in reports {
            let _ = app.update(Msg::Recorded(report.clone()));
        }
        act(&mut app, Action::Quit);
        dialog(&app)
    };
    let ended = [Report::Kept { step: 2_400 }, Report::Ended(FULL.into())];
    for (saves, recorded, reports, expected) in [
        (false, false, &[][..], "Progress is lost: neither --save nor a run folder keeps it."),
        (true, false, &[], "Training, at step 5. Quit? The weights are saved."),
        (false, true, &[], "Quit? Progress is saved: --resume continues the run."),
        (
            true,
            true,
            &[],
            "Quit? The weights are saved. Progress is saved: --resume continues the run.",
        ),
        (false, true, &ended, "Progress is saved up to step 2,400: --resume continues from there."),
        (false, true, &ended[1..], "Progress is lost: neither --save nor a run folder keeps it."),
    ] {
        let shown = asked(saves, recorded, reports);
        assert!(shown.ends_with(expected), "{shown}");
    }
}

#[test]
fn the_question_before_leaving_a_diverged_run_promises_no_more_than_its_checkpoint() {
    for (kept, expected) in [
        (Some(1_200), "; --resume continues from the checkpoint at step 1,200."),
        (None, ", and there is no checkpoint to resume from."),
    ] {
        let mut app = trained(5);
        feed(
            &mut app,
            Event::Started(RunInfo { recorded: true, saves: true, ..RunInfo::example() }),
        );
        if let Some(step) = kept {
            let _ = app.update(Msg::Recorded(Report::Kept { step }));
        }
        feed(&mut app, Event::Progress(progress(6, vec![f32::NAN])));
        act(&mut app, Action::Quit);
        let shown = dialog(&app);
        let expected = format!("Quit? The run diverged at step 6{expected}");
        assert!(shown.ends_with(&expected), "{shown}");
    }
}

#[test]
fn the_header_says_that_the_run_goes_back_until_it_has() {
    for mut app in
        [inspected(2_900), trained(2_900), finished(), broken(Breakpoint::Spike(6.0), SPIKED)]
    {
        act(&mut app, Action::Back(1));
        assert!(text(&app, 80, 24).contains("◀ rewinding"));
        go_back(&mut app, 700);
        let shown = text(&app, 80, 24);
        assert!(shown.contains("‖ paused") && !shown.contains("rewinding"), "{shown}");
    }
}

#[test]
fn every_breakpoint_says_when_it_pauses_in_the_smallest_terminal_too() {
    let mut app = trained(5);
    app.breakpoints = Breakpoints::new(vec![Breakpoint::Step(100_000)]);
    act(&mut app, Action::EditBreakpoints);
    insta::assert_snapshot!(text(&app, 40, 12));
    for said in
        ["every epoch ", "this step ", "higher loss ", "jump in loss ", "infinity ", "is reached "]
    {
        assert!(text(&app, 40, 12).contains(said), "{said}");
    }
}

#[test]
fn a_run_that_diverged_says_so_and_how_to_go_on() {
    let mut app = broken(Breakpoint::NotFinite, "the loss of step 2,900 is not finite (NaN)");
    let shown = text(&app, 120, 40);
    let rows: Vec<&str> = shown.lines().collect();
    assert!(rows[0].ends_with("✗ diverged at step 2,900\""), "{shown}");
    let offer = "✗ diverged at step 2,900: the loss of step 2,900 is not finite (NaN). (R rewinds to step 2,800 and sets lr 0.0001)";
    assert!(rows[3].contains(offer), "{shown}");
    act(&mut app, Action::Dismiss);
    assert!(!text(&app, 120, 40).contains("rewinds to"));

    let mut app = trained(2_900);
    let mut progress = sample(2_901);
    for digit in &mut progress.digits {
        (digit.prediction, digit.probability) = (0, f32::NAN);
    }
    feed(
        &mut app,
        Event::Progress(Progress {
            epoch: 3,
            first_step: 2_901,
            first_batch: 501,
            losses: vec![f32::NAN],
            images: 2_901 * 50,
            learning_rate: 1e-3,
            clock: clock(2_901),
            sample: Some(progress),
            measures: Vec::new(),
        }),
    );
    feed(&mut app, Event::State(RunState::Paused));
    let shown = text(&app, 80, 24);
    assert!(shown.contains("✗ 0→—   — %") && !shown.contains("✓ 0"), "{shown}");
    let summary = Summary {
        steps: 2_901,
        images: 0,
        clock: clock(2_901),
        test: None,
        stopped: false,
        saved: None,
        best: None,
        diverged: Some(2_901),
    };
    feed(&mut app, Event::Finished(summary));
    let header = text(&app, 80, 24).lines().next().unwrap_or_default().to_owned();
    assert!(header.contains("✗ diverged at step 2,901") && !header.contains("done"), "{header}");
}
