//! Words that must never be said of a person, in any language.
//!
//! A screen is not a diagnosis: it never says what a person is, how likely that is, or whether the person is
//! to be believed. Proper names keep the words they have: services, agencies and posts are called what they
//! are called, and so are documents in sources.

use amparo_schema::text::Text;

use super::finding::{At, Findings, Rule};
use crate::directory::search::words;

/// How banned words begin, folded as [`words`] folds: Spanish, English, Portuguese, French, Haitian Creole.
/// All are looked for in every language, since a word of one in a text of another is no better.
const STEMS: [&str; 29] = [
    // what the person would be
    "victim",
    "vitim",
    "viktim",
    "prostitu",
    "pwostit",
    // how likely
    "score",
    "scoring",
    "puntaj",
    "puntuacion",
    "pontuac",
    "probab",
    "pwobab",
    // whether to believe
    "credibl",
    "credibil",
    "creibl",
    "crivel",
    "criveis",
    "kredib",
    // of what to accuse
    "suspect",
    "suspici",
    "suspeit",
    "sospech",
    "soupcon",
    "sispek",
    // of what to be guilty, and of what to be saved
    "illegal",
    "ilegal",
    "rescue",
    "rescat",
    "resgat",
];

/// Reports each language of a text in which such a word stands.
pub(super) fn check(at: &At<'_>, text: &Text, out: &mut Findings) {
    for (lang, said) in &text.0 {
        if let Some(stem) = stem(said) {
            out.add(Rule::BannedWord, &at.key(lang.as_str()), format!("a word that begins with {stem}"));
        }
    }
}

/// The first banned beginning of a word, if any.
pub(super) fn stem(text: &str) -> Option<&'static str> {
    words(text).iter().find_map(|word| STEMS.iter().copied().find(|stem| word.starts_with(stem)))
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn accents_case_and_hidden_signs_do_not_hide_a_word() {
        for said in [
            "la VÍCTIMA",
            "possible victims",
            "as vítimas",
            "une victime",
            "viktim lan",
            "Score: 7",
            "muy probable",
            "no es creíble",
            "sospechosa",
            "a sus\u{ad}pect",
            "inmigrante ilegal",
            "l'immigré illégal",
            "rescatada",
            "prostituées",
            "un soupçon",
        ] {
            assert!(stem(said).is_some(), "{said}");
        }
    }

    #[test]
    fn words_that_only_hold_one_are_fine() {
        for said in
            ["rescindir", "probar", "crédito", "legal", "la trata", "underscore", "Rescisão", "increíble"]
        {
            assert_eq!(stem(said), None, "{said}");
        }
    }
}
