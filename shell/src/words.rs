//! The shell's own words, Spanish and English. Words about people, outcomes and steps come from content.

/// The official's language, as far as this shell speaks it. Content may speak more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Spanish.
    Es,
    /// English.
    En,
}

impl Speaker {
    /// The speaker for a language tag: English for `en..`, Spanish for everything else.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        if tag.starts_with("en") { Self::En } else { Self::Es }
    }

    /// The language tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    /// The language.
    #[must_use]
    #[allow(clippy::missing_panics_doc, clippy::expect_used)] // both tags are well formed
    pub fn lang(self) -> amparo_schema::text::Lang {
        amparo_schema::text::Lang::new(self.tag()).expect("a language tag")
    }

    /// The words.
    #[must_use]
    pub fn word(self, word: Word) -> &'static str {
        let (es, en) = word.both();
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $es:literal, $en:literal;)*) => {
        /// One text of the shell.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // the words document themselves
        pub enum Word { $($(#[$doc])* $name,)* }

        impl Word {
            fn both(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($es, $en),)* }
            }
        }
    };
}

words! {
    NumberPlease: "Escriba un número:", "Type a number:";
    NumbersPlease: "Escriba los números separados por comas, o deje la línea vacía si ninguno:",
        "Type the numbers separated by commas, or leave the line empty for none:";
    Welcome: "Amparo: detección y derivación sin conexión. Almacén de demostración.",
        "Amparo: screening and referral without a network. Demonstration store.";
    FirstRun: "Primera vez aquí. Se creará un almacén cifrado de demostración.",
        "First time here. An encrypted demonstration store will be made.";
    NewSecret: "Elija una frase de acceso (12 o más caracteres; mínimo 6):",
        "Choose a passphrase (12 characters or more; at least 6):";
    NewSecretAgain: "Escríbala otra vez:", "Type it again:";
    SecretsDiffer: "No coinciden.", "They differ.";
    SecretShort: "Un PIN corto se puede adivinar si alguien copia los archivos. En un teléfono lo protege su hardware; aquí no.",
        "A short PIN can be guessed by someone who copies the files. A phone's hardware protects it; this file does not.";
    Secret: "Frase de acceso o PIN:", "Passphrase or PIN:";
    SecretWrong: "No es correcta. Intentos restantes:", "That is not it. Attempts left:";
    MainMenu: "¿Qué necesita?", "What do you need?";
    MenuScreen: "Empezar una entrevista", "Start a screening";
    MenuResume: "Continuar la entrevista abierta", "Continue the open screening";
    MenuLookup: "Buscar un contacto", "Find a contact";
    MenuList: "Ver los casos", "See the cases";
    MenuLanguage: "English", "Español";
    MenuLock: "Bloquear y salir", "Lock and leave";
    ChooseChecklist: "¿Qué lista usará?", "Which checklist?";
    ChoosePlace: "¿Dónde está?", "Where are you?";
    OtherPlace: "Otro lugar", "Another place";
    ChooseCountry: "País (dos letras, por ejemplo CL):", "Country (two letters, such as CL):";
    Observe: "OBSERVE, no pregunte", "OBSERVE, do not ask";
    Staff: "REVISE los papeles", "LOOK at the papers";
    SayThis: "DIGA", "SAY";
    Yes: "Sí", "Yes";
    No: "No", "No";
    Seen: "Se observa", "Seen";
    NotSeen: "Se buscó y no se observa", "Looked for and not seen";
    DoesNotKnow: "No sabe", "Does not know";
    Refused: "No quiere responder", "Does not want to answer";
    NotObservable: "No se puede ver desde aquí", "Cannot be seen from here";
    Skip: "Saltar", "Skip";
    Back: "Volver a la anterior", "Back";
    Stop: "Detener la entrevista", "Stop the screening";
    SwitchLanguage: "Switch to English", "Cambiar a español";
    MoreChoices: "Otra respuesta…", "Another answer…";
    AnswerNow: "Responder", "Answer";
    HowMany: "¿Cuántos?", "How many?";
    DateForm: "Fecha (AAAA-MM-DD):", "Date (YYYY-MM-DD):";
    NotAccepted: "Esa respuesta no es posible aquí.", "That answer is not possible here.";
    Position: "pregunta", "question";
    Of: "de", "of";
    GateTitle: "ANTES DE PREGUNTAR: ¿se cumple todo?", "BEFORE ASKING: does all of this hold?";
    GateConfirm: "Marque lo que se cumple ahora:", "Mark what holds now:";
    GatePassed: "Se puede conversar.", "You may talk.";
    GatePostponed: "Posponga las preguntas. No es un «no»: la persona conserva todas sus opciones.",
        "Postpone the questions. This is not a \"no\": every option stays open to the person.";
    GateAgain: "Intentar de nuevo ahora", "Try again now";
    GateLater: "Terminar la observación aquí", "End here with what was observed";
    StopWhy: "¿Por qué se detiene?", "Why does it stop?";
    StopPerson: "La persona quiere parar", "The person wants to stop";
    StopUnsafe: "Ya no es seguro conversar", "It is no longer safe to talk";
    StopTime: "No hay tiempo o lugar", "No time or no place";
    StopUrgent: "Primero hace falta ayuda urgente", "Urgent help comes first";
    OutcomeTitle: "RESULTADO: no es un diagnóstico ni una prueba", "OUTCOME: not a diagnosis and not evidence";
    Because: "Por qué", "Why";
    Noted: "Indicadores anotados", "Indicators noted";
    NoneNoted: "Ningún indicador anotado hoy", "No indicator noted today";
    NotKnown: "No se sabe", "Not known";
    YouMaySay: "Puede decir", "You may say";
    StepsTitle: "PROTOCOLO", "PROTOCOL";
    Forbidden: "NO HAGA", "DO NOT";
    Mandatory: "OBLIGATORIO", "MANDATORY";
    Recommended: "RECOMENDADO", "RECOMMENDED";
    PossibleStep: "si corresponde", "if it applies";
    DueBy: "antes de", "by";
    OuterLimit: "límite exterior", "outer limit";
    Ambiguous: "la fuente da dos plazos", "the source names two limits";
    Provisional: "provisional: falta el calendario de ese año", "provisional: that year's calendar is missing";
    ClockDoubt: "el reloj del teléfono es dudoso", "the phone's clock is in doubt";
    DueUnknown: "el plazo corre desde un hecho aún no registrado", "the time runs from an event not yet recorded";
    Late: "VENCIDO", "PAST";
    StepDone: "Hecho", "Done";
    StepSkipped: "No se hizo", "Not done";
    StepImpossible: "No fue posible", "Was not possible";
    StepLater: "Dejarlo abierto", "Leave it open";
    ReasonPlease: "¿Por qué? (sin nombres)", "Why? (no names)";
    LogSteps: "Anotar los pasos del protocolo", "Log the steps of the protocol";
    ContactsTitle: "CONTACTOS", "CONTACTS";
    ContactNone: "Ninguno de estos", "None of these";
    NotOffered: "No ofrecidos, y por qué", "Not offered, and why";
    Unverified: "sin verificar desde", "not verified since";
    VerifiedOn: "verificado el", "verified on";
    NoNumber: "la fuente no da un número", "the source gives no number";
    AskWhetherTaken: "pregunte si la recibe", "ask whether it takes this person";
    OfferReferral: "¿La persona quiere que se contacte?", "Does the person want it to be contacted?";
    ConsentTitle: "CONSENTIMIENTO: lea en voz alta", "CONSENT: read aloud";
    ConsentYes: "Acepta", "Agrees";
    ConsentByGuardian: "Acepta la persona tutora, y la niña, niño o adolescente está de acuerdo",
        "The guardian agrees, and so does the child";
    ConsentByAuthority: "Acepta la autoridad de protección de la niñez, y la niña, niño o adolescente está de acuerdo",
        "The child-protection authority agrees, and so does the child";
    ConsentNo: "No acepta", "Does not agree";
    NotShared: "Todavía no se comparte nada: falta ese consentimiento. La derivación queda ofrecida.",
        "Nothing is shared yet: that consent is missing. The referral stays offered.";
    CardTitle: "TARJETA para la persona (sin nombre)", "CARD for the person (no name)";
    CardCode: "Su código", "Your code";
    AfterOutcome: "¿Qué sigue?", "What next?";
    MenuSteps: "Ver y anotar los pasos", "See and log the steps";
    MenuContacts: "Buscar quién la reciba", "Find who takes this person";
    MenuExplain: "Ver la explicación completa", "See the whole explanation";
    MenuBackToQuestions: "Volver a las preguntas", "Back to the questions";
    MenuClose: "Cerrar y sellar", "Close and seal";
    MenuLeaveOpen: "Dejar abierta", "Leave open";
    Closed: "Cerrada y sellada para la sede. Código del caso:", "Closed and sealed for headquarters. Case code:";
    LeftOpen: "Queda abierta; nada se pierde. Código del caso:", "Left open; nothing is lost. Case code:";
    SearchPlease: "Nombre, lugar o servicio:", "Name, place or service:";
    NothingFound: "Nada encontrado.", "Nothing found.";
    PacketWritten: "Paquete para el servicio guardado en", "Packet for the service written to";
    OutcomeKept: "Cerrada. La persona no aceptó que se guardara más: solo se conserva el resultado.", "Closed. The person did not agree to more being kept: only the outcome remains.";
    PackExpired: "El contenido puede estar desactualizado desde", "Content may be out of date since";
    VerifyWhole: "El almacén está íntegro:", "The store is whole:";
    VerifyBroken: "EL ALMACÉN TIENE FALLAS:", "THE STORE HAS FAULTS:";
    CannotSee: "Lo que esta prueba no puede ver", "What this check cannot see";
    BlindSetBack: "un almacén, su registro y su archivo de cabecera devueltos todos juntos a un momento anterior; solo la sede lo sabrá",
        "a store, its log and its head file that were all set back together; only headquarters will tell";
    BlindPurged: "lo que decían los hechos borrados; su huella sigue en la cadena",
        "what erased facts said; their hashes are still in the chain";
    Locked: "Bloqueado.", "Locked.";
    NoCases: "Todavía no hay casos.", "No cases yet.";
    Open: "abierta", "open";
    Sealed: "sellada", "sealed";
    MachineText: "sin texto en este idioma; se muestra otro", "no text in this language; another is shown";
    OpensAt: "abre", "opens";
    NextPage: "Siguiente", "Next";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_spanish_unless_asked_for_english() {
        assert_eq!(Speaker::of("en-US"), Speaker::En);
        assert_eq!(Speaker::of("ht"), Speaker::Es);
        assert_ne!(Speaker::Es.word(Word::Yes), Speaker::En.word(Word::Yes));
    }
}
