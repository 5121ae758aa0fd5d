//! A run that another program trains, or has trained.

use std::sync::Arc;

use super::{steps::inspection, *};
use crate::{
    app::Focus,
    keymap::{self, BINDINGS},
};

fn watched(steps: u64) -> App {
    trained(steps).looking_on()
}

#[test]
fn no_key_is_offered_that_commands_the_run() {
    let mut app = watched(2_900);
    let commanding: Vec<_> =
        BINDINGS.iter().filter(|binding| binding.action.is_about_the_run()).collect();
    for state in [RunState::Training, RunState::Paused, RunState::Done] {
        feed(&mut app, Event::State(state));
        for view in View::ALL {
            act(&mut app, Action::Show(view));
            let footer = text(&app, 200, 60).lines().last().map(str::to_owned).expect("a footer");
            act(&mut app, Action::ToggleHelp);
            let help = text(&app, 200, 60);
            act(&mut app, Action::ToggleHelp);
            for binding in &commanding {
                assert!(!help.contains(binding.help), "{view:?}: {}: {help}", binding.help);
                let keys = keymap::keys_in(binding, Focus::View(view));
                let Some(key) = keys.first().map(|key| key.name()) else { continue };
                let hint = format!("{key} {}", binding.short);
                assert!(!footer.contains(&hint), "{view:?}: {hint}: {footer}");
            }
        }
    }
    act(&mut app, Action::Show(View::Loss));
    act(&mut app, Action::Point(700));
    assert!(!text(&app, 120, 40).contains("go to this step"), "{}", text(&app, 120, 40));
}

#[test]
fn the_step_view_shows_what_the_last_checkpoint_would_do() {
    let mut app = App::default().looking_on();
    act(&mut app, Action::Show(View::Step));
    assert!(text(&app, 80, 24).contains("and gradients appear"), "{}", text(&app, 80, 24));
    let mut app = watched(2_900);
    act(&mut app, Action::Show(View::Step));
    feed(&mut app, Event::Inspected(Arc::new(inspection(2_401, 50))));
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let shown = text(&app, width, height);
        let is_named = shown.contains("Step 2,401") && shown.contains(", from the last checkpoint");
        assert!(is_named && shown.contains("fc.weight"), "{shown}");
    }
    act(&mut app, Action::Show(View::Overview));
    assert!(!text(&app, 120, 40).contains("of step 2,401"), "it is no step of the run");
}

#[test]
fn the_loss_around_the_weights_of_a_checkpoint_is_computed_while_the_run_goes_on() {
    let mut app = watched(2_900);
    act(&mut app, Action::Show(View::Why));
    act(&mut app, Action::Explain);
    assert!(text(&app, 120, 40).contains("Press enter to compute"), "{}", text(&app, 120, 40));
    act(&mut app, Action::Confirm);
    assert!(app.why.explores());
}
