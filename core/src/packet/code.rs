//! Codes for a case: a random one for the records, a short one that a person can remember.
//!
//! Neither tells anything about the person, the place or the time. Never draws randomness by itself.

use std::collections::BTreeMap;

use amparo_schema::text::Lang;

use crate::random::{Entropy, NoEntropy, bytes};

/// Crockford's base 32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Fewest words from which a memorable code may be made.
pub const WORDS_MIN: usize = 64;

/// Why there is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// The host gives no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The list has fewer than [`WORDS_MIN`] words.
    #[error("fewer than {WORDS_MIN} words")]
    FewWords,
}

/// A random case code: ten digits of Crockford's base 32 (50 bits) as `XXXXX-XXXXX`.
///
/// # Errors
/// [`NoEntropy`] from the source.
pub fn case_code(entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    let digits: [u8; 10] = bytes(entropy)?;
    let mut code = String::with_capacity(11);
    for (i, byte) in digits.iter().enumerate() {
        if i == 5 {
            code.push('-');
        }
        code.push(ALPHABET.get(usize::from(byte & 31)).map_or('0', |c| char::from(*c)));
    }
    Ok(code)
}

/// A code to remember: two different words and two digits, as `word-word-47`.
///
/// # Errors
/// [`NoCode`].
pub fn memorable(words: &[String], entropy: &dyn Entropy) -> Result<String, NoCode> {
    if words.len() < WORDS_MIN {
        return Err(NoCode::FewWords);
    }
    let count = words.len() as u64;
    let first = below(count, entropy)?;
    let second = (first + 1 + below(count - 1, entropy)?) % count;
    let number = below(100, entropy)?;
    let word = |n: u64| usize::try_from(n).ok().and_then(|n| words.get(n)).map_or("", String::as_str);
    Ok(format!("{}-{}-{number:02}", word(first), word(second)))
}

/// The words for a reader of `lang`: the same language, else Spanish, English, or the first there are.
#[must_use]
pub fn words_for<'a>(words: &'a BTreeMap<Lang, Vec<String>>, lang: &Lang) -> &'a [String] {
    [lang.primary(), "es", "en"]
        .iter()
        .find_map(|tag| words.iter().find(|(l, _)| l.primary() == *tag))
        .or_else(|| words.iter().next())
        .map_or(&[], |(_, words)| words)
}

/// A number from 0 to `n - 1`; the remainder of 64 bits is even enough for any list that fits in memory.
fn below(n: u64, entropy: &dyn Entropy) -> Result<u64, NoEntropy> {
    Ok(u64::from_be_bytes(bytes(entropy)?).checked_rem(n).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededEntropy;

    fn words() -> Vec<String> {
        (0..64).map(|n| format!("palabra{n}")).collect()
    }

    #[test]
    fn case_codes_have_a_form_and_differ() {
        let entropy = SeededEntropy::new(7);
        let mut seen = std::collections::BTreeSet::new();
        let mut letters = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let code = case_code(&entropy).unwrap();
            let (a, b) = code.split_once('-').unwrap();
            assert_eq!((a.len(), b.len()), (5, 5));
            assert!(!code.contains(['I', 'L', 'O', 'U']));
            letters.extend(code.chars());
            assert!(seen.insert(code));
        }
        assert_eq!(letters.len(), 33, "every digit occurs, and the dash");
    }

    #[test]
    fn memorable_codes_use_every_word_and_two_different_ones() {
        let entropy = SeededEntropy::new(8);
        let words = words();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let code = memorable(&words, &entropy).unwrap();
            let parts: Vec<&str> = code.split('-').collect();
            let [a, b, n] = parts[..] else { panic!("{code}") };
            assert_ne!(a, b);
            assert!(n.len() == 2 && n.parse::<u8>().is_ok());
            seen.extend([a.to_owned(), b.to_owned()]);
        }
        assert_eq!(seen.len(), 64);
        assert_eq!(memorable(&words[..63], &entropy), Err(NoCode::FewWords));
    }

    #[test]
    fn words_fall_back() {
        let lang = |tag: &str| Lang::new(tag).unwrap();
        let lists = BTreeMap::from([(lang("es"), words()), (lang("ht"), vec!["mo".to_owned()])]);
        assert_eq!(words_for(&lists, &lang("ht")), ["mo"]);
        assert_eq!(words_for(&lists, &lang("ay")).len(), 64);
        assert!(words_for(&BTreeMap::new(), &lang("es")).is_empty());
    }
}
