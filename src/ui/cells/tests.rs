use super::*;
use crate::ui::Depth;

fn drawn(values: &[f32], side: u16, form: Form, scale: Scale, depth: Depth) -> Buffer {
    let (width, height) = form.size(side, side);
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    let theme = Theme::new(depth);
    Grid { values, height: side, width: side, form, scale, theme: &theme }.render(area, &mut buf);
    buf
}

fn rows(buf: &Buffer) -> Vec<String> {
    let symbols: Vec<&str> = buf.content().iter().map(ratatui::buffer::Cell::symbol).collect();
    symbols.chunks(usize::from(buf.area.width)).map(<[&str]>::concat).collect()
}

fn text(line: &Line<'_>) -> String {
    line.spans.iter().map(|span| span.content.as_ref()).collect()
}

#[test]
fn a_scale_ends_at_a_round_number_that_no_value_exceeds() {
    for (largest, most) in
        [(0.0, 0.0), (1.0, 1.0), (1.01, 1.2), (0.37, 0.4), (2.31, 2.5), (7.0, 8.0), (812.0, 1000.0)]
    {
        let scale = Scale::of_activations(&[0.0, largest, 0.5 * largest]);
        assert!((scale.most() - most).abs() <= 1e-6 * most, "{largest}: {}", scale.most());
        assert!(scale.most() >= largest * 0.999_99);
    }
    assert_eq!(Scale::of_signed(&[-3.4, 1.0]).most(), 4.0);
    assert_eq!(Scale::of_activations(&[f32::NAN, 3.0, f32::INFINITY]).most(), 3.0);
}

#[test]
fn a_legend_tells_the_range_without_colours_too() {
    let theme = Theme::new(Depth::None);
    let legend = |scale: Scale| text(&scale.legend(&theme));
    assert_eq!(legend(Scale::of_activations(&[0.0, 2.4])), "0  ░░▒▒▓▓█ 2.5");
    assert_eq!(legend(Scale::of_signed(&[-0.29, 0.1])), "−0.3 ==--0++## 0.3");
    assert_eq!(legend(Scale::of_activations(&[0.0; 3])), "all 0");
    assert_eq!(legend(Scale::of_activations(&[f32::NAN])), "all 0 not finite");
}

#[test]
fn signs_are_told_apart_by_characters_or_by_hue() {
    let values = [-1.0, -0.3, 0.0, 1.0];
    let scale = Scale::of_signed(&values);
    for depth in [Depth::None, Depth::Basic] {
        assert_eq!(rows(&drawn(&values, 2, Form::Whole, scale, depth)), ["==--", "  ##"]);
    }
    let buf = drawn(&values, 2, Form::Whole, scale, Depth::True);
    let theme = Theme::new(Depth::True);
    let grounds: Vec<_> = buf.content().iter().step_by(2).map(|cell| Some(cell.bg)).collect();
    assert_eq!(grounds, [-4, -1, 0, 4].map(|level| theme.signed(level)));
}

#[test]
fn half_a_row_holds_a_value_and_an_odd_grid_ends_in_the_middle_of_a_cell() {
    let values = [0.0, 1.0, 1.0, 1.0, 0.0, 0.5, 1.0, 0.0, 0.0];
    let scale = Scale::of_activations(&values);
    let buf = drawn(&values, 3, Form::Half, scale, Depth::Indexed);
    let theme = Theme::new(Depth::Indexed);
    assert_eq!(rows(&buf), ["▀▀▀", "▀▀▀"]);
    let colours = |x, y| buf.cell((x, y)).map(|cell| (Some(cell.fg), Some(cell.bg)));
    let level = |level| theme.activation(level);
    assert_eq!(colours(0, 0), Some((level(0), level(7))));
    assert_eq!(colours(2, 0), Some((level(7), level(4))));
    assert_eq!(colours(0, 1), Some((level(7), Some(Color::Reset))));
}

#[test]
fn small_grids_keep_the_shape_in_quadrants() {
    // Bright are the left column of the left cell, and the lower half of the right one.
    let bright = |x: usize, y: usize| x == 0 || x >= 2 && y >= 2;
    let values: Vec<f32> =
        (0..16).map(|place| if bright(place % 4, place / 4) { 1.0 } else { 0.0 }).collect();
    let scale = Scale::of_activations(&values);
    let buf = drawn(&values, 4, Form::Small, scale, Depth::True);
    assert_eq!(rows(&buf), ["▌▄"]);
    let theme = Theme::new(Depth::True);
    for cell in buf.content() {
        assert_eq!((Some(cell.fg), Some(cell.bg)), (theme.activation(7), theme.activation(0)));
    }
    assert_eq!(rows(&drawn(&values, 4, Form::Small, scale, Depth::None)), ["▒▒"]);
}

#[test]
fn whole_and_double_values_are_square_blocks_of_spaces() {
    let values = [0.0, 1.0, 2.0, 4.0];
    let scale = Scale::of_activations(&values);
    for (form, size) in [(Form::Whole, (4, 2)), (Form::Double, (8, 4))] {
        let buf = drawn(&values, 2, form, scale, Depth::True);
        assert_eq!(buf.area.as_size(), size.into());
        assert!(buf.content().iter().all(|cell| cell.symbol() == " "));
        let last = buf.cell((size.0 - 1, size.1 - 1)).map(|cell| Some(cell.bg));
        assert_eq!(last, Some(Theme::new(Depth::True).activation(7)));
    }
}

#[test]
fn what_is_not_a_number_or_not_there_does_no_harm() {
    for form in [Form::Small, Form::Half, Form::Whole, Form::Double] {
        for values in [&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0][..], &[1.0], &[]] {
            for scale in [Scale::of_activations(values), Scale::of_signed(values)] {
                let buf = drawn(values, 2, form, scale, Depth::True);
                let theme = Theme::new(Depth::None);
                let grid = Grid { values, height: 40, width: 40, form, scale, theme: &theme };
                grid.render(Rect::ZERO, &mut buf.clone());
                grid.render(Rect::new(1, 0, 9, 9), &mut buf.clone());
            }
        }
    }
}
