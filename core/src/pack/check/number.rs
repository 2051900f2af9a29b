//! Numbers: what is shown must be what is dialled, in digits that a phone understands.

use amparo_schema::pack::directory::{Channel, ChannelKind};

use super::finding::{At, Findings, Rule};

/// Characters of a dial string; menus are short.
const DIAL_CHARS_MAX: usize = 40;
/// Digits that must agree when one form is longer by a prefix: a country, area or trunk code.
const SUFFIX_DIGITS_MIN: usize = 5;

/// Checks the numbers of one channel. `explained` says that the service tells an official why shown and
/// dialled forms differ.
pub(super) fn check(channel: &Channel, explained: bool, at: &At<'_>, out: &mut Findings) {
    if let Some(dial) = &channel.dial {
        let fits = dial.chars().all(|c| c.is_ascii_digit() || "*#,;".contains(c));
        if !fits || !dial.contains(|c: char| c.is_ascii_digit()) || dial.len() > DIAL_CHARS_MAX {
            out.add(Rule::DialForm, &at.key("dial"), "digits and * # , ; only");
        }
    }
    if let Some(e164) = &channel.e164
        && !is_e164(e164)
    {
        out.add(Rule::E164Form, &at.key("e164"), "not + and 2 to 15 digits");
    }
    if let (Some(dial), Some(e164), false) = (&channel.dial, &channel.e164, explained) {
        let national = dial.split([',', ';']).next().map(digits).unwrap_or_default();
        if !same(national.trim_start_matches('0'), &digits(e164)) {
            out.add(Rule::E164Differs, &at.key("e164"), "not the number that is dialled within the country");
        }
    }
    let Some(display) = &channel.display else { return };
    if !matches!(channel.kind, ChannelKind::Phone | ChannelKind::Tty | ChannelKind::Sms) {
        return;
    }
    if display.chars().any(|c| c.is_numeric() && !c.is_ascii_digit()) {
        out.add(Rule::ForeignDigit, &at.key("display"), "digits 0 to 9 only");
    }
    let shown = shown(display);
    let dialled: Vec<String> =
        [&channel.dial, &channel.e164].into_iter().flatten().map(|n| digits(n)).collect();
    let agree = |a: &str| dialled.iter().any(|b| same(a, b));
    if !dialled.is_empty() && !explained && !shown.iter().any(|a| agree(a)) {
        out.add(Rule::DisplayDiffers, &at.key("display"), "not the number that is dialled");
    }
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The numbers that a shown form may stand for: as a whole, and outside and inside of brackets, each with
/// vanity letters left out and with them as digits.
fn shown(display: &str) -> Vec<String> {
    std::iter::once(display)
        .chain(display.split(['(', ')']))
        .flat_map(|part| [digits(part), vanity(part)])
        .filter(|number| !number.is_empty())
        .collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Digits and capital letters as on a telephone keypad (ITU-T E.161).
fn vanity(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '0'..='9' => Some(c),
            'A'..='C' => Some('2'),
            'D'..='F' => Some('3'),
            'G'..='I' => Some('4'),
            'J'..='L' => Some('5'),
            'M'..='O' => Some('6'),
            'P'..='S' => Some('7'),
            'T'..='V' => Some('8'),
            'W'..='Z' => Some('9'),
            _ => None,
        })
        .collect()
}

fn same(a: &str, b: &str) -> bool {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    long == short || (short.len() >= SUFFIX_DIGITS_MIN && long.ends_with(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(display: &str, dial: &str) -> bool {
        let channel = Channel {
            kind: ChannelKind::Phone,
            display: Some(display.into()),
            dial: Some(dial.into()),
            e164: None,
            e164_basis: None,
            from_abroad: amparo_schema::pack::directory::Known::Unknown,
            do_not_dial: false,
        };
        let mut out = Findings::new(false);
        check(&channel, false, &At::root(), &mut out);
        !out.into_list().is_empty()
    }

    /// Forms as they are printed in the region.
    #[test]
    fn shown_and_dialled_forms_agree() {
        for (display, dial) in [
            ("145", "145"),
            ("01-8000 522020", "018000522020"),
            ("592 227 4083", "2274083"),
            ("1818 Option 1", "1818,1"),
            ("800-4CTU", "8004288"),
            ("1-866-487-9243 (1-866-4USWAGE)", "18664879243"),
            ("0800-MUJERES (0800-6853737)", "08006853737"),
            ("1 800 335486 (DELITO)", "1800335486"),
            ("TTY: 711", "711"),
        ] {
            assert!(!differs(display, dial), "{display}");
        }
        for (display, dial) in [
            ("145", "146"),
            ("911", "1911"),
            ("1-888-555-0100", "19005550199"),
            ("١٤٥", "145"),
            ("145", "１４５"),
        ] {
            assert!(differs(display, dial), "{display}");
        }
    }

    #[test]
    fn international_numbers_have_a_form() {
        for (text, fits) in [
            ("+18885550100", true),
            ("18885550100", false),
            ("+0123", false),
            ("+1", false),
            ("+1234567890123456", false),
        ] {
            assert_eq!(is_e164(text), fits, "{text}");
        }
    }
}
