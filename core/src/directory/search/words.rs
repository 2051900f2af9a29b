//! Text to words: without case, accents, punctuation or invisible characters.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that are looked at; what follows is ignored in the index and in a query alike.
pub const WORD_CHARS_MAX: usize = 32;

/// The words of a text, in order: compatibility decomposition, lower case, marks stripped, letters with a stroke and
/// ligatures folded (`Đ` is found by `d`, `ñ` by `n`), anything but letters and digits between words. Invisible
/// characters, bidirectional controls among them, do not part a word. Words can repeat.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = Word::default();
    for c in text.nfkd().flat_map(char::to_lowercase).nfkd() {
        if is_combining_mark(c) || is_invisible(c) {
            continue;
        }
        if let Some(letters) = folded(c) {
            letters.chars().for_each(|c| word.push(c));
        } else if c.is_alphanumeric() {
            word.push(c);
        } else {
            words.extend(word.take());
        }
    }
    words.extend(word.take());
    words
}

/// A word as it grows, with its length in characters.
#[derive(Default)]
struct Word {
    text: String,
    chars: usize,
}

impl Word {
    fn push(&mut self, c: char) {
        if self.chars < WORD_CHARS_MAX {
            self.text.push(c);
            self.chars += 1;
        }
    }

    fn take(&mut self) -> Option<String> {
        let word = std::mem::take(self);
        (!word.text.is_empty()).then_some(word.text)
    }
}

/// Letters that no decomposition takes apart, in lower case. People type them without the stroke.
fn folded(c: char) -> Option<&'static str> {
    Some(match c {
        'đ' | 'ð' | 'ɖ' => "d",
        'ø' => "o",
        'ł' => "l",
        'ħ' => "h",
        'ŧ' => "t",
        'ɨ' | 'ı' => "i",
        'ʉ' => "u",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        'ŋ' => "ng",
        _ => return None,
    })
}

/// Soft hyphen, zero-width characters, bidirectional controls, word joiners, byte order mark, tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    )
}
