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

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn either<T>(self, es: T, en: T) -> T {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }

    /// The words.
    #[must_use]
    pub fn word(self, word: Word) -> &'static str {
        let (es, en) = word.both();
        self.either(es, en)
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
    MenuSync: "Enviar a la sede y recibir", "Send to headquarters and fetch";
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
    StepHeeded: "Se respetó", "Heeded";
    StepNotHeeded: "No se respetó", "Not heeded";
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
    ShareHowMuch: "¿Qué va a pedirle a la persona?", "What will you ask the person for?";
    ShareNeeded: "Solo lo necesario: necesidades y resultado", "Only what is needed: needs and outcome";
    ShareAll: "Todo lo anotado hoy, sin el nombre: quien responde por el servicio lo leerá a través de la sede",
        "All that was noted today, without the name: whoever answers for the service will read it through headquarters";
    NotShared: "Todavía no se comparte nada: falta ese consentimiento. La derivación queda ofrecida.",
        "Nothing is shared yet: that consent is missing. The referral stays offered.";
    CardTitle: "TARJETA para la persona (sin nombre)", "CARD for the person (no name)";
    CardCode: "Su código", "Your code";
    AfterOutcome: "¿Qué sigue?", "What next?";
    WhyNotAsked: "no se preguntó", "not asked";
    WhyInterrupted: "se interrumpió", "interrupted";
    RuleHolds: "se cumple", "holds";
    RuleFails: "no se cumple", "does not hold";
    RuleOpen: "no se sabe", "not known";
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
    PacketsRemoved: "Paquetes sin cifrar que se borraron (amparo packet CÓDIGO los escribe otra vez):",
        "Packets without encryption that were removed (amparo packet CODE writes them again):";
    NoCases: "Todavía no hay casos.", "No cases yet.";
    Open: "abierta", "open";
    Sealed: "sellada", "sealed";
    MachineText: "sin texto en este idioma; se muestra otro", "no text in this language; another is shown";
    NextThing: "Siguiente:", "Next:";
    TicketPlease: "Pegue el texto del boleto de la sede:", "Paste the text of headquarters' ticket:";
    NoTicket: "Eso no es un boleto de la sede. Empieza con AMPARO1:",
        "That is no ticket of a headquarters. It begins with AMPARO1:";
    Enrolled: "Este dispositivo pertenece ahora a", "This device now belongs to";
    TicketUnknown: "La sede no conoce ese boleto. Pida otro.", "Headquarters does not know that ticket. Ask for another.";
    TicketUsed: "Ese boleto ya inscribió otro dispositivo, o este dispositivo ya no puede inscribirse. Pida otro.",
        "That ticket enrolled another device already, or this device cannot be enrolled any more. Ask for another.";
    TicketExpired: "Ese boleto venció. Pida otro.", "That ticket has expired. Ask for another.";
    TicketWrong: "La sede no aceptó el boleto: el texto está incompleto o cambiado.",
        "Headquarters did not accept the ticket: its text is incomplete or changed.";
    CertificateNotOurs: "La respuesta no es de la sede del boleto, o no es para este dispositivo. No se guardó nada.",
        "The answer is not of the headquarters of the ticket, or not for this device. Nothing was kept.";
    AddressRefused: "La dirección de la sede debe empezar con https.", "The address of headquarters must begin with https.";
    CertificatesUnread: "El archivo de certificados no sirve: debe tener certificados en formato PEM.",
        "The file of certificates is of no use: it must hold certificates as PEM.";
    Calling: "llamando a la sede", "calling headquarters";
    Unreached: "No se llegó a la sede. Nada se perdió.", "Headquarters was not reached. Nothing is lost.";
    BrokenOff: "Se cortó. Lo que llegó cuenta; nada se perdió.", "It broke off. What arrived counts; nothing is lost.";
    Distrusted: "El servidor no puede demostrar que es la sede. Nada se da por enviado.",
        "The server cannot show that it is headquarters. Nothing counts as sent.";
    HqRefuses: "La sede, o algo antes de ella, no atiende ahora. Nada se perdió.",
        "Headquarters, or something before it, does not serve now. Nothing is lost.";
    NotEnrolled: "Este dispositivo no pertenece a ninguna sede todavía. Pida un boleto y use: amparo enrol",
        "This device belongs to no headquarters yet. Ask for a ticket and use: amparo enrol";
    SyncDone: "Todo fue enviado y recibido.", "Everything was sent and fetched.";
    SyncStuck: "Algo no avanza.", "Something does not move.";
    SyncLater: "La sede pide esperar; lo recibido cuenta.", "Headquarters asks to wait; what it has counts.";
    SyncStopped: "Detenido; lo hecho queda hecho.", "Stopped; what was done stays done.";
    SentBytes: "Enviado", "Sent";
    ReceivedBytes: "recibido", "received";
    LevelSent: "enviada, sin acuse todavía", "sent, no receipt yet";
    LevelStored: "guardada en la sede", "stored at headquarters";
    LevelDurable: "a salvo en la sede, con copia", "safe at headquarters, with a copy";
    LevelDelivered: "entregada a quien corresponde", "delivered to whom it may go";
    LevelAnswered: "respondida", "answered";
    PurgedHere: "lo dicho ya no está en este dispositivo", "what was said is no longer on this device";
    PurgedNow: "Entrevistas cuyo texto se borró de aquí, porque la sede lo tiene a salvo:",
        "Screenings whose words were wiped here, because headquarters has them safe:";
    MoreInJson: "más; todas con --json", "more; all of them with --json";
    BelongsTo: "Este dispositivo pertenece a", "This device belongs to";
    RevokedSince: "La sede retiró este dispositivo:", "Headquarters revoked this device:";
    LastContact: "Último contacto con la sede:", "Last contact with headquarters:";
    Never: "nunca", "never";
    WaitingToSend: "Segmentos sellados que la sede aún no tiene:", "Sealed segments that headquarters lacks:";
    FollowUpFrom: "AVISO de", "NOTE from";
    ReferralOffered: "ofrecida", "offered";
    ReferralDeclined: "la persona no quiso", "the person declined";
    ReferralSent: "enviada; sin respuesta todavía", "sent; no answer yet";
    ReferralAccepted: "ACEPTADA", "ACCEPTED";
    ReferralRejected: "no aceptada", "not accepted";
    ReferralDone: "cumplida", "done";
    ReferralRevoked: "retirada", "taken back";
    ReferralOverdue: "sin respuesta a tiempo", "no answer in time";
    AsideUnknown: "Apartado: algo de la sede que esta versión no entiende. Actualice la aplicación.",
        "Kept aside: something from headquarters that this version does not understand. Update the app.";
    AsideSignature: "Apartado: algo cuya firma no vale. Avise a la sede.",
        "Kept aside: something whose signature does not hold. Tell headquarters.";
    AsideOtherDevice: "Apartado: algo que era para otro dispositivo.", "Kept aside: something for another device.";
    AsideStranger: "Apartado: una carta de una agencia que este dispositivo no conoce; se prueba otra vez con contenido nuevo.",
        "Kept aside: a letter of an agency that this device does not know; tried again when new content comes.";
    AsideLetter: "Apartado: una carta que no se abre, o que habla en nombre de otra agencia. Avise a la sede.",
        "Kept aside: a letter that does not open, or speaks in another agency's name. Tell headquarters.";
    AsidePack: "Apartado: contenido que no se puede comprobar o usar.", "Kept aside: content that cannot be verified or used.";
    AsideMalformed: "Apartado: un acuse que se contradice. Avise a la sede.",
        "Kept aside: a receipt that contradicts itself. Tell headquarters.";
    AsideFallen: "Apartado: un acuse que dice menos que antes. Avise a la sede.",
        "Kept aside: a receipt that says less than before. Tell headquarters.";
    AsideAhead: "Este almacén volvió a un momento anterior; se empezó de nuevo y se envía todo otra vez.",
        "This store went back to an earlier moment; it began anew and sends everything again.";
    AsideFork: "Este almacén fue copiado y se usó en dos lugares. Avise a la sede.",
        "This store was copied and used in two places. Tell headquarters.";
    RefusedForm: "La sede no pudo leer una parte. Queda aquí; avise a la sede.",
        "Headquarters could not read a part. It stays here; tell headquarters.";
    RefusedStranger: "La sede no conoce a este dispositivo; apartó lo enviado. Avise a la sede.",
        "Headquarters does not know this device; it kept aside what was sent. Tell headquarters.";
    RefusedFork: "La sede ya tiene otra cosa con ese número; guardó las dos. Avise a la sede.",
        "Headquarters has something else under that number; it keeps both. Tell headquarters.";
    RefusedRevoked: "La sede apartó lo enviado: este dispositivo fue retirado.",
        "Headquarters kept aside what was sent: this device was revoked.";
    RefusedNewer: "La sede aún no entiende esta versión; guardó una parte aparte.",
        "Headquarters does not understand this version yet; it kept a part aside.";
    RefusedTooLarge: "Una parte es demasiado grande para la sede. Queda aquí.", "A part is too large for headquarters. It stays here.";
    RefusedFull: "La sede no tiene lugar para apartar más. Queda aquí.", "Headquarters has no room to keep more aside. It stays here.";
    BegunAgain: "Este almacén no seguía al anterior; la sede lo notó y se empezó de nuevo. Nada se perdió.",
        "This store did not follow the one before; headquarters noticed and it began anew. Nothing is lost.";
    NotDisclosed: "Entrevistas que no se pudieron preparar; se prueban otra vez:",
        "Screenings that could not be prepared; they are tried again:";
    NextRevoked: "hable con su sede; lo sellado se sigue enviando.", "talk to your headquarters; what is sealed is still sent.";
    NextOffline: "con señal, amparo sync; sin señal, amparo bundle export CARPETA.",
        "with a signal, amparo sync; without, amparo bundle export FOLDER.";
    NextDistrusted: "no insista en esta red; pruebe otra o avise a la sede.", "do not insist on this network; try another or tell headquarters.";
    NextLater: "pruebe más tarde: amparo sync.", "try later: amparo sync.";
    NextAgain: "siga donde quedó: amparo sync.", "go on where it stopped: amparo sync.";
    NextWait: "espere", "wait";
    NextStuck: "avise a la sede; amparo status dice qué falta.", "tell headquarters; amparo status says what is missing.";
    NextFollowUps: "lea los avisos de las agencias, arriba.", "read the notes of the agencies, above.";
    NextClose: "cierre las entrevistas abiertas para poder enviarlas: amparo screen.",
        "close the open screenings so that they can be sent: amparo screen.";
    NextNothing: "nada. La sede lo tiene.", "nothing. Headquarters has it.";
    NextCarry: "lleve los archivos a la sede; traiga los suyos y use amparo bundle import.",
        "carry the files to headquarters; bring back its own and use amparo bundle import.";
    WipeAsk: "La sede retiró este dispositivo. ¿Borrar ahora de él lo que se dijo? Lo sellado se sigue enviando.",
        "Headquarters revoked this device. Wipe from it now what was said? What is sealed is still sent.";
    WipeLater: "No, todavía no", "No, not yet";
    WipeNow: "Sí, borrar", "Yes, wipe";
    Wiped: "Entrevistas borradas de este dispositivo:", "Screenings wiped from this device:";
    BundleWritten: "Archivos escritos:", "Files written:";
    BundleTaken: "Archivos recibidos:", "Files taken:";
    ForOthers: "Archivos pasados por alto, porque son para la sede o para otro dispositivo, o están dañados:",
        "Files passed over, because they are for headquarters or another device, or damaged:";
    NewThings: "novedades", "news";
    KeyDestroyed: "demasiados intentos: la clave se destruyó. Lo que no se había enviado se perdió; avise a la sede.",
        "too many attempts: the key was destroyed. What had not been sent is lost; tell headquarters.";
    StoreGone: "el almacén no está, pero sí su clave: póngalo de vuelta, o use otra carpeta",
        "the store is gone, but its key is here: put it back, or use another folder";
    StoreAside: "el almacén está dañado y se apartó; no se borró nada. Guárdelo y avise a la sede, que tiene lo ya enviado; para seguir trabajando, use otra carpeta. Está en",
        "the store is damaged and was set aside; nothing was deleted. Keep it and tell headquarters, which has what was sent; to go on working, use another folder. It is at";
    StoreUnreadable: "el almacén no se puede leer con esta clave y no se tocó: avise a la sede",
        "the store cannot be read with this key, and was left as it is: tell headquarters";
    ConsentLacking: "no se escribe: falta el consentimiento para compartir, o ya no vale",
        "not written: the consent to share is missing, or no longer holds";
    NoCountry: "ese país no existe: escriba sus dos letras, por ejemplo CL",
        "there is no such country: type its two letters, such as CL";
    SaidIsPurged: "ya no está en este dispositivo; la sede lo tiene", "gone from this device; headquarters has it";
    SaidIsErased: "lo que se dijo se borró al cerrar; queda solo el resultado",
        "what was said was erased at closing; only the outcome is kept";
    SearchTooLong: "texto de búsqueda demasiado largo", "search text too long";
    DiskFull: "no queda espacio en el disco", "no room left on the disk";
    StoreBusy: "otro programa usa el almacén", "another program uses the store";
    StoreDamaged: "el almacén está dañado: amparo verify dice dónde", "the store is damaged: amparo verify says where";
    NotForUs: "dañado, o no es para este dispositivo", "damaged, or not for this device";
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
