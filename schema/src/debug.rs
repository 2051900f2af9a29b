//! What `Debug` shows of types that carry words of a person or an official: their form, never the words.
//!
//! Written by hand and in one place, because a derived `Debug` would show everything, and what can be shown
//! ends up in a log sooner or later.

use std::fmt;

use crate::answer::Value;
use crate::fact::{Body, StepState};

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("Yes"),
            Self::No => f.write_str("No"),
            Self::Choice(option) => f.debug_tuple("Choice").field(option).finish(),
            Self::Choices(options) => f.debug_tuple("Choices").field(options).finish(),
            Self::Number(n) => f.debug_tuple("Number").field(n).finish(),
            // A date may be one of birth.
            Self::Date(_) => f.write_str("Date(..)"),
            Self::Age(range) => f.debug_tuple("Age").field(range).finish(),
            Self::Text(_) => f.write_str("Text(..)"),
        }
    }
}

impl fmt::Debug for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "Done",
            Self::Skipped { .. } => "Skipped(..)",
            Self::Impossible { .. } => "Impossible(..)",
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(..)", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;
    use crate::fact::IdentityField;

    #[test]
    fn words_are_not_shown() {
        const WORDS: &str = "synthetic-words";
        let said = Answer::Known(Value::Text(WORDS.into()));
        let reason = StepState::Skipped { reason: WORDS.into() };
        let identity = Body::IdentityGiven { field: IdentityField::Name, value: WORDS.into() };
        let shown = [format!("{said:?}"), format!("{reason:?}"), format!("{identity:?}")];
        assert_eq!(shown, ["Known(Text(..))", "Skipped(..)", "identity_given(..)"]);
        assert_eq!(format!("{:?}", Answer::Known(Value::Yes)), "Known(Yes)");
    }
}
