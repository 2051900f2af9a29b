//! Asking a person at the terminal, one thing per screen; plain lines where input or output is piped.
//!
//! Owns the two ways of asking. Never decides what is asked, and never keeps an answer.

use std::io::{BufRead, IsTerminal, Write};

use crate::words::{Speaker, Word};

/// The person ended the input: Ctrl-C, Escape, or the end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the input ended")]
pub struct Ended;

/// One choice on a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// What it stands for.
    pub value: T,
    /// Its words.
    pub label: String,
    /// A short hint, or nothing.
    pub hint: String,
}

/// A way of asking.
pub trait Ask {
    /// One of the choices.
    ///
    /// # Errors
    /// [`Ended`] when no more input comes.
    fn select(&mut self, prompt: &str, choices: &[(String, String)]) -> Result<usize, Ended>;

    /// Any of the choices, or none.
    ///
    /// # Errors
    /// [`Ended`] when no more input comes.
    fn several(&mut self, prompt: &str, choices: &[(String, String)]) -> Result<Vec<usize>, Ended>;

    /// A line of text.
    ///
    /// # Errors
    /// [`Ended`] when no more input comes.
    fn line(&mut self, prompt: &str) -> Result<String, Ended>;

    /// A secret that is not shown.
    ///
    /// # Errors
    /// [`Ended`] when no more input comes.
    fn secret(&mut self, prompt: &str) -> Result<zeroize::Zeroizing<String>, Ended>;

    /// Tells something.
    fn tell(&mut self, text: &str);

    /// Begins a new screen: what was said before is no longer in sight of bystanders.
    fn page(&mut self);
}

/// Asks for one of the values.
///
/// # Errors
/// [`Ended`] when no more input comes.
pub fn choose<T: Clone>(ask: &mut dyn Ask, prompt: &str, choices: &[Choice<T>]) -> Result<T, Ended> {
    let lines: Vec<_> = choices.iter().map(|c| (c.label.clone(), c.hint.clone())).collect();
    let chosen = ask.select(prompt, &lines)?;
    choices.get(chosen).map(|c| c.value.clone()).ok_or(Ended)
}

/// The way of asking that fits where input and output go.
#[must_use]
pub fn fitting(speaker: Speaker) -> Box<dyn Ask> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        Box::new(Screen)
    } else {
        Box::new(Plain::new(std::io::stdin().lock(), std::io::stdout(), speaker))
    }
}

/// Asking on a terminal, with arrow keys and colour.
#[derive(Debug)]
pub struct Screen;

impl Ask for Screen {
    fn select(&mut self, prompt: &str, choices: &[(String, String)]) -> Result<usize, Ended> {
        let mut select = cliclack::select(prompt).max_rows(14);
        for (at, (label, hint)) in choices.iter().enumerate() {
            select = select.item(at, label, hint);
        }
        select.interact().map_err(|_| Ended)
    }

    fn several(&mut self, prompt: &str, choices: &[(String, String)]) -> Result<Vec<usize>, Ended> {
        let mut select = cliclack::multiselect(prompt).required(false).max_rows(14);
        for (at, (label, hint)) in choices.iter().enumerate() {
            select = select.item(at, label, hint);
        }
        select.interact().map_err(|_| Ended)
    }

    fn line(&mut self, prompt: &str) -> Result<String, Ended> {
        cliclack::input(prompt).required(false).interact::<String>().map_err(|_| Ended)
    }

    fn secret(&mut self, prompt: &str) -> Result<zeroize::Zeroizing<String>, Ended> {
        cliclack::password(prompt).mask('•').interact().map(zeroize::Zeroizing::new).map_err(|_| Ended)
    }

    #[allow(clippy::print_stdout)] // a shell talks
    fn tell(&mut self, text: &str) {
        println!("{text}\n");
    }

    fn page(&mut self) {
        // A terminal that cannot be cleared is written on further.
        let _ = cliclack::clear_screen();
    }
}

/// Asking by numbered lines, for pipes, screen readers and dumb terminals.
pub struct Plain<R, W> {
    input: R,
    output: W,
    speaker: Speaker,
}

impl<R: BufRead, W: Write> Plain<R, W> {
    /// Reads from and writes to these.
    pub fn new(input: R, output: W, speaker: Speaker) -> Self {
        Self { input, output, speaker }
    }

    fn say(&mut self, text: &str) {
        // A closed pipe ends at the next read; losing a line of text before that harms nothing.
        let _ = writeln!(self.output, "{text}").and_then(|()| self.output.flush());
    }

    fn read(&mut self) -> Result<String, Ended> {
        let mut line = String::new();
        match (&mut self.input).take(64 * 1024).read_line(&mut line) {
            Ok(n) if n > 0 => Ok(line.trim().to_owned()),
            _ => Err(Ended),
        }
    }

    fn list(&mut self, prompt: &str, choices: &[(String, String)]) {
        self.say(&format!("\n{prompt}"));
        for (at, (label, hint)) in choices.iter().enumerate() {
            let hint = if hint.is_empty() { String::new() } else { format!("  ({hint})") };
            self.say(&format!("  {}. {label}{hint}", at.saturating_add(1)));
        }
    }
}

use std::io::Read as _;

impl<R: BufRead, W: Write> Ask for Plain<R, W> {
    fn select(&mut self, prompt: &str, choices: &[(String, String)]) -> Result<usize, Ended> {
        self.list(prompt, choices);
        loop {
            let line = self.read()?;
            match line.parse::<usize>().ok().and_then(|n| n.checked_sub(1)) {
                Some(at) if at < choices.len() => return Ok(at),
                _ => {
                    let text = self.speaker.word(Word::NumberPlease);
                    self.say(&format!("{text} 1-{}", choices.len()));
                }
            }
        }
    }

    fn several(&mut self, prompt: &str, choices: &[(String, String)]) -> Result<Vec<usize>, Ended> {
        self.list(prompt, choices);
        let text = self.speaker.word(Word::NumbersPlease);
        self.say(text);
        loop {
            let line = self.read()?;
            let words = line.split([',', ' ']).filter(|word| !word.is_empty());
            let chosen: Option<Vec<usize>> = words
                .map(|word| word.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < choices.len()))
                .collect();
            match chosen {
                Some(chosen) => return Ok(chosen),
                None => self.say(text),
            }
        }
    }

    fn line(&mut self, prompt: &str) -> Result<String, Ended> {
        self.say(&format!("\n{prompt}"));
        self.read()
    }

    fn secret(&mut self, prompt: &str) -> Result<zeroize::Zeroizing<String>, Ended> {
        self.say(&format!("\n{prompt}"));
        let mut line = zeroize::Zeroizing::new(String::with_capacity(1024));
        match (&mut self.input).take(64 * 1024).read_line(&mut line) {
            Ok(n) if n > 0 => Ok(zeroize::Zeroizing::new(line.trim().to_owned())),
            _ => Err(Ended),
        }
    }

    fn tell(&mut self, text: &str) {
        self.say(&format!("\n{text}"));
    }

    fn page(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(input: &str) -> Plain<&[u8], Vec<u8>> {
        Plain::new(input.as_bytes(), Vec::new(), Speaker::Es)
    }

    #[test]
    fn plain_asks_again_until_it_is_answered() {
        let choices = [("uno".to_owned(), String::new()), ("dos".to_owned(), String::new())];
        let mut ask = plain("0\n\nx\n3\n2\n1, 2\n\n");
        assert_eq!(ask.select("¿?", &choices), Ok(1));
        assert_eq!(ask.several("¿?", &choices), Ok(vec![0, 1]));
        assert_eq!(ask.several("¿?", &choices), Ok(vec![]));
        assert_eq!(ask.select("¿?", &choices), Err(Ended));
    }
}
