//! Which field of HTCDS each of ours goes to, and what is lost either way. Field names and picklists as in
//! "HTCDS Field Standards 2.0" (research/domain.md 4.1).

use amparo_schema::person::{Exploitation, Sex};
use amparo_schema::text::Lang;

/// Losses that are counted, for the operator. Not counted is what would speak against somebody, or of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lossy {
    Sex,
    Disagree,
    Language,
    Age,
    Foreign,
    Outcome,
    Referral,
    Exploitation,
    Name,
    Identity,
}

pub(super) type Line = (Option<Lossy>, &'static str, &'static str, &'static str);

/// Every loss: counted or always so, ours, the field of the standard, what is lost.
pub(super) const LOSSES: &[Line] = &[
    (
        Some(Lossy::Sex),
        "sex",
        "prs_Gender",
        "the standard asks for gender; sex as given or seen stands in for it, and `other` becomes NonSpecifiedUnknown",
    ),
    (Some(Lossy::Disagree), "sex", "prs_Gender", "devices disagree; nothing goes"),
    (
        Some(Lossy::Language),
        "languages",
        "prs_PrimaryLanguage",
        "several languages, of which none is known to be the first, or one without a code of ISO 639-2",
    ),
    (Some(Lossy::Age), "age band", "prs_Birthdate", "no birth date is ever asked; an age band has no field"),
    (
        Some(Lossy::Foreign),
        "foreign or national",
        "prs_Citizenship",
        "the country is not asked; nationality as words is no code of ISO 3166",
    ),
    (
        None,
        "children along",
        "prs_NumberOfChildren",
        "how many children are along says neither how many there are nor whose they are",
    ),
    (
        None,
        "whether a child has someone responsible along, as answered",
        "",
        "no field; guidance 7 of the standard has classes of children, the field list has none",
    ),
    (None, "connection with an act, as answered", "", "no field, and it would speak against the person"),
    (
        Some(Lossy::Outcome),
        "outcome classes other than presumed",
        "vic_TraffickingStatus",
        "urgent safety, child protection, unresolved concern, labour rights, return concern and none noted have no value; they never become NotAVictimOfTrafficking",
    ),
    (
        Some(Lossy::Referral),
        "referral: contact, state, times, reasons",
        "cas_ReferredOrganisation; cas_OutgoingReferralDate; cas_OutgoingReferralDetails; cas_ReasonForOutgoingReferral",
        "which service and which day could name a person in a small place, and nobody is asked for a reason of the list; only that a referral to the receiver is under way goes",
    ),
    (
        Some(Lossy::Exploitation),
        "form of exploitation",
        "vic_TypeOfExploitation",
        "domestic servitude becomes Servitude; forced offences become Other",
    ),
    (
        Some(Lossy::Name),
        "name to be called by",
        "prs_FirstName",
        "it need not be a first name, nor the name in a document",
    ),
    (
        Some(Lossy::Identity),
        "nationality, safe contact, further names and documents",
        "prs_Citizenship; prs_MobilePhone; prs_Email",
        "words without a form; the safe way to reach a person is no telephone field; of names or documents on which devices disagree none goes",
    ),
    (
        None,
        "consent: purposes, receivers, scope, wording, language, expiry, withdrawals",
        "con_Consent",
        "the standard has a check box",
    ),
    (
        None,
        "screening closed",
        "cas_Status",
        "a closed screening is no closed case: Active while a referral to the receiver is under way, and else nothing; ClosedReferred, FollowUp and Closed are never written",
    ),
    (
        None,
        "country, area, post, setting",
        "",
        "where a screening took place is neither recruitment, transit nor exploitation (hte_Type)",
    ),
    (
        None,
        "answers, indicators, dimensions, packs, gate, steps",
        "vic_MethodOfRecruitment; vic_MethodsOfControl",
        "no field but these, which would need a mapping of each indicator; no pack has one yet",
    ),
    (
        None,
        "unknown with its reason",
        "",
        "an empty field does not say whether something was not asked, refused or not seen",
    ),
    (None, "contradictions, authors, time quality", "", "no field"),
    (None, "case code, memorable code", "", "never exported; the pseudonym differs for each receiver"),
    (
        None,
        "",
        "vic_TraffickingStatus; vic_TraffickingStatusDecisionMakingOrg",
        "ActualVictimOfTrafficking, NotAVictimOfTrafficking and who decided so are decisions that no screening makes",
    ),
    (
        None,
        "",
        "prs_Salutation; prs_MiddleName; prs_SecondName; prs_Title; prs_Deceased; prs_MaritalStatus; prs_SecondaryLanguage; prs_HighestLevelOfEducation; prs_Mailing*; prs_HomePhone",
        "never asked",
    ),
    (
        None,
        "",
        "vic_LocationOfRecruitment; vic_LocationOfExploitation; vic_ForcedLabourIndustry; vic_TypeOfSexExploitation; vic_RelationshipToTrafficker; vic_AgeWhenTrafficked; vic_RecruitmentWebsitesAndApps; vic_ExploitationWebsitesAndApps; hte_*",
        "not asked in this form",
    ),
    (None, "", "per_*", "nothing about other persons is ever stored"),
    (None, "", "org_*; cas_CaseOwner; cco_*; spl_*", "the receiver's own"),
    (
        None,
        "",
        "cas_ReferringOrganisation; cas_ReferringPrimaryCaseWorker; cas_IncomingReferralDate; cas_ReasonForIncomingReferral; cas_IncomingReferralDetails; cas_ReferredPrimaryCaseWorker",
        "a desk knows of no referral to it but this one, and no case worker is ever named",
    ),
    (None, "", "cas_ReasonForCaseClosure", "no case is closed here"),
    (
        None,
        "",
        "vic_AgreementToManagePersonalData; vic_Vulnerabilities; vic_DetailsOfVulnerabilities",
        "the standard asks no longer for these",
    ),
];

pub(super) fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "Feminine",
        Sex::Male => "Masculine",
        Sex::Other => "NonSpecifiedUnknown",
    }
}

/// The value of `vic_TypeOfExploitation`, and whether it says the same.
pub(super) fn exploitation(form: Exploitation) -> (&'static str, bool) {
    match form {
        Exploitation::Labour => ("ForcedLabour", true),
        Exploitation::Sexual => ("SexualExploitation", true),
        Exploitation::Domestic => ("Servitude", false),
        Exploitation::Begging => ("ForcedBegging", true),
        Exploitation::Offences => ("Other", false),
        Exploitation::Marriage => ("ForcedMarriage", true),
        Exploitation::Organs => ("OrganRemoval", true),
        Exploitation::Other => ("Other", true),
    }
}

/// ISO 639-2 (terminological) of a language of the region; none for one without a code there.
pub(super) fn language(lang: &Lang) -> Option<&'static str> {
    const CODES: [(&str, &str); 15] = [
        ("arn", "arn"),
        ("ay", "aym"),
        ("de", "deu"),
        ("en", "eng"),
        ("es", "spa"),
        ("fr", "fra"),
        ("gn", "grn"),
        ("ht", "hat"),
        ("nah", "nah"),
        ("nl", "nld"),
        ("pt", "por"),
        ("qu", "que"),
        ("ru", "rus"),
        ("srn", "srn"),
        ("zh", "zho"),
    ];
    CODES.iter().find(|(tag, _)| *tag == lang.primary()).map(|(_, code)| *code)
}
