//! Screens in ASCII.

use super::*;

fn signs(app: &App, depth: Depth, (width, height): (u16, u16), ascii: bool) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    let theme = Theme::new(depth);
    Dashboard::new(app, &theme).in_ascii(ascii).render(area, &mut buf);
    buf.content().iter().map(|cell| cell.symbol().to_owned()).collect()
}

#[test]
fn every_sign_of_every_view_has_one_in_ascii_that_stands_for_it() {
    let mut apps = [trained(2_900), finished(), App::default()];
    for app in &mut apps {
        for view in View::ALL {
            act(app, Action::Show(view));
            act(app, Action::Stroke { x: 9, y: 9, drag: false });
            for overlay in
                [None, Some(crate::app::Overlay::Help), Some(crate::app::Overlay::ConfirmQuit)]
            {
                app.overlay = overlay;
                for size in [(200, 60), (120, 40), (80, 24), (40, 12), (20, 5)] {
                    for depth in [Depth::True, Depth::Indexed, Depth::Basic, Depth::None] {
                        let before = signs(app, depth, size, false);
                        let after = signs(app, depth, size, true);
                        for (before, after) in before.iter().zip(&after) {
                            assert!(after.is_ascii(), "{after} for {before} in {view:?}");
                            assert!(after != "?" || before == "?", "none for {before} in {view:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_legend_tells_a_line_from_its_points() {
    let shown = signs(&trained(2_900), Depth::None, (120, 40), true).concat();
    assert!(shown.contains("- smoothed  o test"), "{shown}");
    let narrow = text(&trained(2_900), 80, 24);
    assert!(narrow.contains("range  ⠒ smooth  ⠶ test"), "{narrow}");
}

#[test]
fn a_screen_in_ascii() {
    let app = trained(2_900);
    let lines: Vec<String> =
        signs(&app, Depth::Indexed, (80, 24), true).chunks(80).map(<[String]>::concat).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
