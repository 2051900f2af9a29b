//! The words of reasons: why a service is offered or not, in Spanish and English.

use amparo_core::directory::{Exclusion, Open, Reason, Rung, Trait};
use amparo_schema::pack::protocol::{Phase, Unit};

use super::utc;
use crate::words::Speaker;

/// The words that fit the speaker.
fn of(speaker: Speaker, es: &str, en: &str) -> String {
    match speaker {
        Speaker::Es => es.to_owned(),
        Speaker::En => en.to_owned(),
    }
}

/// A respect in which services choose.
#[must_use]
pub fn respect(respect: Trait, s: Speaker) -> String {
    match respect {
        Trait::Sex => of(s, "sexo", "sex"),
        Trait::Age => of(s, "edad", "age"),
        Trait::Children => of(s, "hijos que la acompañan", "children along"),
        Trait::Exploitation => of(s, "forma de explotación", "form of exploitation"),
        Trait::Nationality => of(s, "nacionalidad", "nationality"),
    }
}

/// Why a service is left out.
#[must_use]
pub fn exclusion(why: &Exclusion, s: Speaker) -> String {
    match why {
        Exclusion::OtherCountry => of(s, "es de otro país", "serves another country"),
        Exclusion::Superseded { by } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(" ({by})"));
            of(s, "fue reemplazado", "was replaced") + &by
        }
        Exclusion::Withheld => of(s, "no debe ofrecerse", "must not be offered"),
        Exclusion::NoContact => of(s, "la fuente no da cómo llamar", "the source gives no way to reach it"),
        Exclusion::DoNotDialOnly => {
            of(s, "el número impreso no debe marcarse", "the printed number must not be dialled")
        }
        Exclusion::NoSafeChannel => of(s, "no hay un canal seguro", "no safe channel"),
        Exclusion::NotReachableFromAbroad => {
            of(s, "no se puede llamar desde el extranjero", "cannot be called from abroad")
        }
        Exclusion::WrongArea => of(s, "atiende otra zona", "serves another area"),
        Exclusion::ClosedNow { opens_at_ms } => {
            let opens =
                opens_at_ms.map_or(String::new(), |ms| format!(", {} {}", of(s, "abre", "opens"), utc(ms)));
            of(s, "cerrado ahora", "closed now") + &opens
        }
        Exclusion::TakesOthers(what) => {
            of(s, "recibe a otras personas: ", "takes others: ") + &respect(*what, s)
        }
        Exclusion::Full { as_of } => {
            let day = as_of.map_or(String::new(), |day| format!(" ({day})"));
            of(s, "sin plazas", "full") + &day
        }
    }
}

/// Why a service is offered, and what to beware of.
#[must_use]
pub fn reason(why: &Reason, s: Speaker) -> String {
    match why {
        Reason::Takes(what) => of(s, "la recibe: ", "takes this person: ") + &respect(*what, s),
        Reason::TakesUnknown(what) => {
            of(s, "pregunte si la recibe: ", "ask whether it takes this person: ") + &respect(*what, s)
        }
        Reason::LanguageSpoken => of(s, "habla su idioma", "speaks the language"),
        Reason::LanguageUnknown => of(s, "idiomas no conocidos", "languages not known"),
        Reason::LanguageOther => {
            of(s, "otro idioma: busque intérprete", "another language: find an interpreter")
        }
        Reason::ThemeFits => of(s, "es su tema", "its subject fits"),
        Reason::ThemeUnknown => of(s, "no se sabe si es su tema", "not known whether its subject fits"),
        Reason::ThemeOther => of(s, "su tema es otro", "its subject is another"),
        Reason::OtherKindThanWanted => {
            of(s, "de otro tipo que el pedido", "of another kind than was asked for")
        }
        Reason::AreaUnknown => of(s, "atiende solo algunas zonas", "serves some areas only"),
        Reason::OpenNow => of(s, "abierto ahora", "open now"),
        Reason::HoursUnknown => of(s, "horario no conocido", "hours not known"),
        Reason::ClockInDoubt => {
            of(s, "reloj dudoso: el horario no vale", "clock in doubt: hours say nothing")
        }
        Reason::VerifiedOn(day) => format!("{} {day}", of(s, "verificado el", "verified on")),
        Reason::UnverifiedSince(Some(year)) => {
            format!("{} {year}", of(s, "SIN VERIFICAR desde", "NOT VERIFIED since"))
        }
        Reason::UnverifiedSince(None) => of(s, "SIN VERIFICAR", "NOT VERIFIED"),
        Reason::NotReachableFromAbroad => {
            of(s, "no se puede llamar desde el extranjero", "cannot be called from abroad")
        }
        Reason::FromAbroadUnknown => of(
            s,
            "no se sabe si se puede llamar desde el extranjero",
            "not known whether it can be called from abroad",
        ),
        Reason::AnyOffence => of(s, "atiende cualquier delito", "takes calls about any offence"),
        Reason::NumberDerived => of(s, "parte del número fue deducida", "part of the number was derived"),
        Reason::ObsoletePrefix => {
            of(s, "impreso con un prefijo que ya no se marca", "printed with a prefix no longer dialled")
        }
        Reason::MenuStep => of(s, "hay que elegir una opción del menú", "a menu must be answered"),
        Reason::LikelyChanged => of(s, "puede haber cambiado", "may have changed"),
        Reason::CountryWorkedOut => of(s, "país deducido de la fuente", "country worked out from the source"),
    }
}

/// How far an answer had to step down.
#[must_use]
pub fn rung(rung: Rung, s: Speaker) -> String {
    match rung {
        Rung::Fits => of(s, "Pueden recibir a esta persona ahora", "May take this person now"),
        Rung::Closed => of(s, "Nada abierto ahora; estos abrirán", "Nothing is open now; these will be"),
        Rung::Elsewhere => {
            of(s, "Nada en esta zona; estos atienden otra", "Nothing in this area; these serve another")
        }
        Rung::TakesOthers => {
            of(s, "Ninguno la recibe; pregúnteles quién lo hace", "None takes this person; ask them who does")
        }
        Rung::Named => of(s, "La fuente los nombra sin número", "Named by the source without a number"),
        Rung::Agencies => of(s, "No hay servicio; autoridades nacionales", "No service; national bodies"),
        Rung::LastResort => of(s, "No hay nada para este país", "Nothing for this country"),
    }
}

/// Whether a service answers now.
#[must_use]
pub fn open(open: Open, s: Speaker) -> String {
    match open {
        Open::Now => of(s, "abierto ahora", "open now"),
        Open::Unknown => of(s, "horario no conocido", "hours not known"),
        Open::Closed { opens_at_ms } => exclusion(&Exclusion::ClosedNow { opens_at_ms }, s),
    }
}

/// A phase of a protocol.
#[must_use]
pub fn phase(phase: Phase, s: Speaker) -> String {
    match phase {
        Phase::Protect => of(s, "Proteger", "Protect"),
        Phase::Safety => of(s, "Seguridad", "Safety"),
        Phase::Inform => of(s, "Informar", "Inform"),
        Phase::Refer => of(s, "Derivar", "Refer"),
        Phase::Recover => of(s, "Recuperación", "Recovery"),
        Phase::Justice => of(s, "Justicia", "Justice"),
        Phase::FollowUp => of(s, "Seguimiento", "Follow-up"),
    }
}

/// A limit in words.
#[must_use]
pub fn limit(amount: u32, unit: Unit, s: Speaker) -> String {
    let unit = match unit {
        Unit::Hours if amount == 0 => return of(s, "de inmediato", "at once"),
        Unit::Hours => of(s, "horas", "hours"),
        Unit::CalendarDays => of(s, "días corridos", "calendar days"),
        Unit::WorkingDays => of(s, "días hábiles", "working days"),
        Unit::Months => of(s, "meses", "months"),
    };
    format!("{amount} {unit}")
}
