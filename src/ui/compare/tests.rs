use ratatui::style::Color;

use super::*;
use crate::{compare::tests::comparison, ui::Depth};

fn drawn(browser: &Browser, (width, height): (u16, u16), depth: Depth) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    Compare::new(browser, &Theme::new(depth)).render(area, &mut buf);
    buf
}

fn text(buf: &Buffer) -> String {
    let rows = buf.content().chunks(usize::from(buf.area.width));
    rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n")
        .collect()
}

#[test]
fn every_page_is_drawn_at_every_size() {
    for runs in [2, 8] {
        let rates: Vec<f64> = (1..=runs).map(|run| f64::from(run) / 1_000.0).collect();
        let mut browser = Browser::new(comparison(&rates));
        for page in Page::ALL {
            browser.page = page;
            browser.top = 1_000;
            for size in
                [(0, 0), (1, 1), (39, 12), (40, 12), (56, 13), (80, 24), (120, 40), (200, 60)]
            {
                let buf = drawn(&browser, size, Depth::True);
                let area = buf.area;
                let (rows, all) = Compare::new(&browser, &Theme::new(Depth::True)).rows(area);
                assert!(rows <= usize::from(size.1) && all < 1_000, "{page:?} {size:?}");
            }
        }
    }
}

#[test]
fn the_smallest_screen_has_the_page_and_the_way_out() {
    let mut browser = Browser::new(comparison(&[0.001, 0.002]));
    for page in Page::ALL {
        browser.page = page;
        let shown = text(&drawn(&browser, (40, 12), Depth::True));
        for wanted in [page.name(), "tab next page", "q quit"] {
            assert!(shown.contains(wanted), "{wanted:?} is not in\n{shown}");
        }
    }
}

#[test]
fn runs_are_told_apart_by_letters_and_by_colours() {
    let browser = Browser::new(comparison(&[0.001, 0.002]));
    let buf = drawn(&browser, (80, 24), Depth::None);
    let shown = text(&buf);
    for wanted in ["A 10.0 %", "B 9.00 %", "A 0.4000", "A run-0", "q quit", "y linear axis"] {
        assert!(shown.contains(wanted), "{wanted:?} is not in\n{shown}");
    }
    let buf = drawn(&browser, (80, 24), Depth::Indexed);
    let color = |run: usize| {
        let letter = Comparison::letter(run).to_string();
        let found =
            buf.content().iter().find(|cell| cell.symbol() == letter && cell.fg != Color::Reset);
        found.expect("its letter is coloured").fg
    };
    assert_ne!(color(0), color(1));
}

#[test]
fn a_difference_is_blue_where_the_second_run_is_better_and_has_signs_without_colours() {
    let mut browser = Browser::new(comparison(&[0.001, 0.002]));
    browser.page = Page::Confusion;
    let shown = text(&drawn(&browser, (80, 24), Depth::None));
    assert!(shown.contains("Confusion · B minus A") && shown.contains("+1  4→9"), "{shown}");
    let theme = Theme::new(Depth::Indexed);
    let buf = drawn(&browser, (80, 24), Depth::Indexed);
    let ground = |sign: &str, wanted: Option<Color>| {
        buf.content().windows(2).any(|cells| {
            cells[0].symbol() == sign && cells[1].symbol() == "1" && Some(cells[0].bg) == wanted
        })
    };
    let (better, worse) = (theme.signed(-4), theme.signed(4));
    assert!(ground("+", better) && ground("−", better) && ground("+", worse) && ground("−", worse));
}

#[test]
fn images_have_both_answers_and_missing_ones_a_reason() {
    let mut browser = Browser::new(comparison(&[0.001, 0.002, 0.003]));
    browser.page = Page::Images;
    let shown = text(&drawn(&browser, (120, 24), Depth::True));
    for wanted in ["A right, B wrong · 2", "B right, A wrong · 1", "✗ 5→2", ". next pair"] {
        assert!(shown.contains(wanted), "{wanted:?} is not in\n{shown}");
    }
    let _ = browser.act(Action::NewerMatrix, 0, 0);
    let shown = text(&drawn(&browser, (120, 24), Depth::True));
    assert!(shown.contains("No images: its weights are gone."), "{shown}");
    browser.learn(Knowledge::Pending);
    let shown = text(&drawn(&browser, (120, 24), Depth::True));
    assert!(shown.contains("… classifying"), "{shown}");
}

#[test]
fn settings_that_differ_have_their_runs() {
    let mut browser = Browser::new(comparison(&[0.001, 0.002, 0.001]));
    browser.page = Page::Settings;
    let shown = text(&drawn(&browser, (80, 24), Depth::None));
    assert!(shown.contains("lr                A C    0.001"), "{shown}");
    assert!(shown.contains("The predictions of C are not compared"), "{shown}");
    let shown = {
        let area = Rect::new(0, 0, 80, 24);
        let mut buf = Buffer::empty(area);
        Compare::new(&browser, &Theme::new(Depth::None)).in_ascii(true).render(area, &mut buf);
        text(&buf)
    };
    assert!(shown.is_ascii(), "{shown}");
}
