//! Errors in the official's language. What has no words of its own here is told as the core tells it, in English.

use amparo_core::device::{Error, ErrorKind};
use amparo_core::store::OpenError;

use crate::commands::CommandError;
use crate::home::HomeError;
use crate::keystore::KeystoreError;
use crate::walk::WalkError;
use crate::words::{Speaker, Word};

/// The error in words.
#[must_use]
pub fn told(error: &CommandError, speaker: Speaker) -> String {
    let word = match error {
        CommandError::Home(HomeError::Keystore(KeystoreError::Wrong { left })) => {
            return format!("{} {left}", speaker.word(Word::SecretWrong));
        }
        CommandError::Home(HomeError::Keystore(KeystoreError::Destroyed)) => Word::KeyDestroyed,
        CommandError::Home(HomeError::StoreGone { place }) => {
            return format!("{}: {place}", speaker.word(Word::StoreGone));
        }
        CommandError::Home(
            HomeError::StoreAside { place }
            | HomeError::Device(Error::Open(OpenError::Damaged { set_aside: place })),
        ) => return format!("{}: {}", speaker.word(Word::StoreAside), place.display()),
        CommandError::NotFound("country") | CommandError::Walk(WalkError::NotFound("country")) => {
            Word::NoCountry
        }
        CommandError::NotFound(_) => Word::NothingFound,
        CommandError::Home(HomeError::Device(why))
        | CommandError::Device(why)
        | CommandError::Walk(WalkError::Device(why)) => match of_device(why) {
            Some(word) => word,
            None => return error.to_string(),
        },
        _ => return error.to_string(),
    };
    speaker.word(word).to_owned()
}

fn of_device(why: &Error) -> Option<Word> {
    match (why, why.kind()) {
        (Error::Purged, _) => Some(Word::SaidIsPurged),
        (Error::Erased, _) => Some(Word::SaidIsErased),
        (Error::Search(_), _) => Some(Word::SearchTooLong),
        (Error::NotFound { .. }, _) => Some(Word::NothingFound),
        (Error::NoPermit(_), _) => Some(Word::ConsentLacking),
        (_, ErrorKind::DiskFull) => Some(Word::DiskFull),
        (_, ErrorKind::Busy) => Some(Word::StoreBusy),
        (Error::Open(_), ErrorKind::StoreDamaged) => Some(Word::StoreUnreadable),
        (_, ErrorKind::StoreDamaged) => Some(Word::StoreDamaged),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_an_official_is_told_in_both_languages() {
        let wrong = || CommandError::Home(HomeError::Keystore(KeystoreError::Wrong { left: 3 }));
        for error in [
            wrong(),
            CommandError::NotFound("screening"),
            CommandError::NotFound("country"),
            CommandError::Home(HomeError::StoreAside { place: "store.db.set-aside-1".into() }),
            CommandError::Device(Error::Open(OpenError::Unreadable)),
            CommandError::Device(Error::Purged),
            CommandError::Device(Error::NotFound { what: "screening" }),
        ] {
            let (es, en) = (told(&error, Speaker::Es), told(&error, Speaker::En));
            assert!(es != en && !es.is_empty(), "{es}");
        }
        assert!(told(&wrong(), Speaker::Es).ends_with(" 3"));
    }
}
