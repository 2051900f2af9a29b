import AmparoCore

// `description` of these comes from Rust and is their name only. `dump`, debuggers' output and crash reporters look
// into a value by its mirror instead: here it has nothing in it.

/// Holds something of a person and shows nothing of it.
public protocol Redacted: CustomReflectable {}

extension Redacted {
    /// Without children.
    public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}

extension AnswerValue: Redacted {}
extension CardView: Redacted {}
extension ConsentRequest: Redacted {}
extension ConsentView: Redacted {}
extension ContactsView: Redacted {}
extension ExcludedView: Redacted {}
extension FollowUpView: Redacted {}
extension IdentityRequest: Redacted {}
extension IndicatorView: Redacted {}
extension OfferView: Redacted {}
extension OutcomeClassView: Redacted {}
extension OutcomeView: Redacted {}
extension PacketView: Redacted {}
extension QuestionView: Redacted {}
extension ReferralView: Redacted {}
extension ScreeningLineView: Redacted {}
extension ScreeningView: Redacted {}
extension StepState: Redacted {}
extension StepView: Redacted {}
extension UnknownView: Redacted {}
extension VolumeView: Redacted {}
extension WaiverRequest: Redacted {}
