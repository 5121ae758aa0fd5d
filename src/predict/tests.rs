use std::sync::LazyLock;

use super::*;

const SIDE: usize = 28;
static MNIST: LazyLock<DataInfo> = LazyLock::new(DataInfo::mnist);

fn answer() -> Answer<'static> {
    let mut pixels = vec![0; SIDE * SIDE];
    // A seven.
    for column in 8..20 {
        pixels[5 * SIDE + column] = 255;
    }
    for row in 6..24 {
        pixels[row * SIDE + 19 - (row - 6) / 2] = 255;
    }
    let mut probabilities = vec![0.0; 10];
    probabilities[7] = 0.75;
    probabilities[1] = 0.25;
    let file = "seven.png".into();
    Answer { file, class: 7, probabilities, pixels, doubt: None, set: &MNIST }
}

#[test]
fn two_lines_tell_the_digit_and_all_probabilities() {
    assert_eq!(
        answer().lines(),
        "seven.png: 7 (75.0%)\n  0   0.0%  1  25.0%  2   0.0%  3   0.0%  4   0.0%  5   0.0%  \
         6   0.0%  7  75.0%  8   0.0%  9   0.0%\n"
    );
}

#[test]
fn the_object_is_one_line() {
    assert_eq!(
        answer().object(),
        "{\"file\":\"seven.png\",\"digit\":7,\"probabilities\":[0.0,0.25,0.0,0.0,0.0,0.0,0.0,0.75,\
         0.0,0.0],\"warning\":null,\"message\":null}\n"
    );
    let object = Answer { doubt: Some(Doubt::NoStroke), ..answer() }.object();
    assert!(object.contains(",\"warning\":\"none\",\"message\":\"shows nothing "), "{object}");
}

#[test]
fn classes_with_names_are_called_by_them_and_pictures_have_their_size() {
    let classes = ["Bag", "Ankle boot"].map(str::to_owned).to_vec();
    let set = DataInfo { name: "two".into(), shape: [1, 2, 8], classes };
    let probabilities = vec![0.25, 0.75];
    let pixels = [[255; 8], [0; 8]].concat();
    let file = "boot.png".to_owned();
    let answer = Answer { file, class: 1, probabilities, pixels, doubt: None, set: &set };
    assert_eq!(answer.lines(), "boot.png: Ankle boot (75.0%)\n  Bag  25.0%  Ankle boot  75.0%\n");
    assert_eq!(
        answer.object(),
        "{\"file\":\"boot.png\",\"label\":1,\"class\":\"Ankle boot\",\"probabilities\":[0.25,0.75],\
         \"warning\":null,\"message\":null}\n"
    );
    assert_eq!(
        answer.with_picture(true),
        "boot.png: Ankle boot (75.0%)\n  \'\'\'\'\'\'\'\'   >Ankle boot  75.0%  ###############\n\
        \x20             Bag         25.0%  #####\n\n"
    );
}

#[test]
fn the_picture_is_next_to_the_three_most_likely_digits() {
    insta::assert_snapshot!(answer().with_picture(false));
}

#[test]
fn the_picture_can_be_drawn_in_ascii() {
    let text = answer().with_picture(true);
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}
