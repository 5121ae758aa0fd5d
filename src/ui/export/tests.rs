use ratatui::style::{Color, Modifier, Style};

use super::*;
use crate::{
    app::{Action, View},
    ui::{
        Depth,
        tests::{act, trained},
    },
};

fn painted() -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, 6, 2));
    buf.set_string(0, 0, "a<", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD));
    buf.set_string(2, 0, "漢", Style::new().fg(Color::Indexed(208)));
    buf.set_string(4, 0, "▀", Style::new().fg(Color::LightRed).bg(Color::Blue));
    buf.set_string(0, 1, "b", Style::new().add_modifier(Modifier::REVERSED));
    buf
}

#[test]
fn text_sets_each_style_once_and_ends_lines_plain() {
    let expected = "\x1b[0m\x1b[1;38;2;1;2;3ma<\x1b[0m\x1b[38;5;208m漢\x1b[0m\x1b[91;44m▀\x1b[0m \n\
                    \x1b[0m\x1b[7mb\x1b[0m     \n";
    let found = ansi::text(&painted());
    assert_eq!(found.replace(' ', ""), expected.replace(' ', ""));
}

#[test]
fn a_picture_has_what_the_screen_has() {
    let svg = svg::picture(&painted());
    for part in [
        "viewBox=\"0 0 54 36\"",
        "fill=\"#010203\" font-weight=\"bold\">&lt;</text>",
        // A wide character covers two cells.
        "<text x=\"18\" y=\"14\" textLength=\"18\" fill=\"#ff8700\">漢</text>",
        "<rect x=\"36\" y=\"0\" width=\"9\" height=\"18\" fill=\"#0000ee\"/>",
        "<rect x=\"36\" y=\"0\" width=\"9\" height=\"9\" fill=\"#ff0000\"/>",
        "<rect x=\"0\" y=\"18\" width=\"9\" height=\"18\" fill=\"#d8d8d8\"/>",
    ] {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
}

#[test]
fn data_comes_with_names_of_columns_and_views_without_any_say_so() {
    let mut app = trained(2_600);
    let theme = Theme::new(Depth::True);
    let area = Rect::new(0, 0, 80, 24);
    let mut csv = |view| {
        act(&mut app, Action::Show(view));
        export(&app, &theme, area, false, ExportFormat::Csv)
    };
    let epochs = csv(View::Overview).expect("two epochs");
    assert!(epochs.starts_with("epoch,step,train_loss,set,loss,correct,total"), "{epochs}");
    assert_eq!(epochs.lines().count(), 3);
    let losses = csv(View::Loss).expect("2,600 steps");
    assert!(losses.lines().last().is_some_and(|line| line.split(',').nth(1) == Some("2600")));
    let matrix = csv(View::Confusion).expect("two epochs");
    assert!(matrix.starts_with("true,predicted,images\n") && matrix.contains("\n1,1,1120\n"));
    assert_eq!(csv(View::Mistakes), Err("the mistakes view has no data yet".to_owned()));
    let text = export(&app, &theme, area, false, ExportFormat::Text).expect("a screen");
    assert_eq!(text.lines().count(), 24);
    assert!(text.contains("mistakes"));
}
