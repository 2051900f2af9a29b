//! Every bound in one place, units in the name. A pack, an answer or a message past one of these is
//! refused with the name of the limit; nothing is truncated silently.

/// Bytes of one pack file.
pub const PACK_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of a pack file of any kind but directory.
pub const SMALL_PACK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a pack header.
pub const PACK_HEADER_BYTES_MAX: usize = 16 * 1024;
/// Signatures on one pack.
pub const SIGNATURES_MAX: usize = 16;
/// Keys in a root file.
pub const ROOT_KEYS_MAX: usize = 256;
/// Characters of a name (an id that authors choose).
pub const NAME_CHARS_MAX: usize = 64;
/// Characters of one text in one language.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Languages of one text.
pub const TEXT_LANGUAGES_MAX: usize = 32;
/// Items of one checklist.
pub const ITEMS_MAX: usize = 600;
/// Options of one item.
pub const OPTIONS_MAX: usize = 64;
/// Indicators of one checklist.
pub const INDICATORS_MAX: usize = 300;
/// Dimensions of one checklist.
pub const DIMENSIONS_MAX: usize = 32;
/// Outcome rules of one checklist.
pub const RULES_MAX: usize = 64;
/// Steps of one protocol.
pub const STEPS_MAX: usize = 400;
/// Limits of one deadline.
pub const DEADLINE_LIMITS_MAX: usize = 3;
/// Amount of one limit, in whatever unit it has.
pub const DEADLINE_AMOUNT_MAX: u32 = 10_000;
/// Services of one directory.
pub const SERVICES_MAX: usize = 200_000;
/// Agencies of one directory.
pub const AGENCIES_MAX: usize = 10_000;
/// Channels of one service.
pub const CHANNELS_MAX: usize = 16;
/// Nodes of one condition.
pub const CONDITION_NODES_MAX: usize = 256;
/// Nesting of one condition.
pub const CONDITION_DEPTH_MAX: usize = 16;
/// Years of one calendar.
pub const CALENDAR_YEARS_MAX: usize = 100;
/// Non-working days of one calendar year.
pub const CALENDAR_DAYS_MAX: usize = 366;
/// Offset changes of one time zone.
pub const ZONE_CHANGES_MAX: usize = 600;
/// Characters of a short text answer, whatever the pack allows.
pub const ANSWER_TEXT_CHARS_MAX: usize = 280;
/// Characters of one identity field.
pub const IDENTITY_CHARS_MAX: usize = 200;
/// Characters of a reason or a note on a step or referral.
pub const REASON_CHARS_MAX: usize = 280;
/// Bytes of one fact body.
pub const FACT_BYTES_MAX: usize = 64 * 1024;
/// Facts of one screening.
pub const SCREENING_FACTS_MAX: usize = 10_000;
/// Bytes of one segment's plaintext before compression.
pub const SEGMENT_PLAIN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Facts of one segment; all of a screening fit.
pub const SEGMENT_EVENTS_MAX: usize = 16_384;
/// Bytes of one padding bucket up to [`SEGMENT_FINE_BYTES`].
pub const SEGMENT_BUCKET_BYTES: usize = 128;
/// Bytes from which the coarse bucket applies.
pub const SEGMENT_FINE_BYTES: usize = 1024;
/// Bytes of one padding bucket above [`SEGMENT_FINE_BYTES`].
pub const SEGMENT_COARSE_BUCKET_BYTES: usize = 256;
/// Characters of a search as typed; the rest is refused.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Results of one search or match that a caller may ask for.
pub const RESULTS_MAX: usize = 200;
/// Unlock attempts before the wrapped key is destroyed.
pub const UNLOCK_ATTEMPTS_MAX: u32 = 10;
/// Bytes of one frame, reply or feed entry; a small pack with its envelope fits.
pub const FRAME_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Bytes of one sealed segment; what does not fit is sealed as several.
pub const SEGMENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that one exchange carries upwards.
pub const UPLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Frames that one exchange carries upwards.
pub const UPLOAD_FRAMES_MAX: usize = 10_000;
/// Callers that one exchange upwards answers; the rest is for later. A receipt is counted and signed for each, out
/// of some 150 bytes, and nothing keeps a device from making up lives. Devices call for at most 8.
pub const UPLOAD_CALLERS_MAX: usize = 64;
/// Pairs of segment and reader that one exchange upwards discloses anew; the rest is for later. Each is looked up and
/// written by itself, out of as few as 11 bytes. What fits a device's uploads of 64 KiB hardly comes to so many.
pub const UPLOAD_PAIRS_MAX: usize = 4_096;
/// Bytes that one exchange carries down.
pub const DOWN_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Entries of one page. The rest comes with the next one.
pub const PAGE_ENTRIES_MAX: usize = 65_536;
/// Grants, and withheld grants, of one disclosure.
pub const DISCLOSURE_GRANTS_MAX: usize = 256;
/// Ranges beyond the prefix in one receipt.
pub const RECEIPT_RANGES_MAX: usize = 8;
/// Segments that headquarters chains ahead of a gap, per incarnation; later ones wait on the device.
pub const PENDING_SEGMENTS_MAX: u64 = 10_000;
/// Objects kept aside per device, and for all unknown devices together.
pub const ASIDE_MAX: u64 = 10_000;
/// Bytes kept aside per device, and for all unknown devices together. Frames are some kB, so that an honest device
/// meets the count first, after thousands of screenings that nobody looked at; frames of the greatest size would
/// otherwise be 40 GiB.
pub const ASIDE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of one bundle volume, before padding.
pub const VOLUME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Recipients of one recipients pack.
pub const RECIPIENTS_MAX: usize = 1_000;
/// Keys of one recipient.
pub const RECIPIENT_KEYS_MAX: usize = 16;
