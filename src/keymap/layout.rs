//! Other keyboard layouts: the ASCII character of the key that a foreign character comes from.

/// Keys of the Korean two-set layout, by the letter they have in the Latin one. With shift most give
/// the same as without; those that do not follow.
const KOREAN: (&str, &str) = (
    "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡㅃㅉㄸㄲㅆㅒㅖ",
    "qwertyuiopasdfghjklzxcvbnmQWERTOP",
);
/// Keys of the Russian layout, without and with shift.
const RUSSIAN: (&str, &str) = (
    "йцукенгшщзхъфывапролджэячсмитьбюёЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~",
);

/// The ASCII character of the same key; `None` for characters of no layout that is known here.
pub(super) fn latin(c: char) -> Option<char> {
    match c {
        // Full-width forms are those of ASCII, in its order.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + u32::from('!')),
        '\u{3000}' => Some(' '),
        c if c.is_ascii() => None,
        c => [KOREAN, RUSSIAN].into_iter().find_map(|(foreign, latin)| {
            let place = foreign.chars().position(|one| one == c)?;
            latin.chars().nth(place)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_layout_has_one_ascii_character() {
        for (foreign, latin) in [KOREAN, RUSSIAN] {
            assert_eq!(foreign.chars().count(), latin.chars().count());
            assert!(latin.is_ascii());
        }
    }

    #[test]
    fn keys_are_found_by_their_place() {
        for (foreign, expected) in [
            ('ㅔ', 'p'),
            ('ㄴ', 's'),
            ('ㄸ', 'E'),
            ('ㅡ', 'm'),
            ('з', 'p'),
            ('й', 'q'),
            ('Ы', 'S'),
            ('ъ', ']'),
            ('Ё', '~'),
            ('ｐ', 'p'),
            ('Ｓ', 'S'),
            ('？', '?'),
            ('～', '~'),
            ('\u{3000}', ' '),
        ] {
            assert_eq!(latin(foreign), Some(expected), "{foreign}");
        }
        for c in ['p', 'é', 'ω', '네', '\u{7f}'] {
            assert_eq!(latin(c), None, "{c}");
        }
    }
}
