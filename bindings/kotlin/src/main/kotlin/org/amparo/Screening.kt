package org.amparo

import amparo.AnswerValue
import amparo.CardView
import amparo.ClosedView
import amparo.ConsentRequest
import amparo.Device
import amparo.Hash
import amparo.IdentityField
import amparo.IdentityRequest
import amparo.Lang
import amparo.Name
import amparo.ReferralId
import amparo.ReferralState
import amparo.ScreeningId
import amparo.ScreeningView
import amparo.ServiceKind
import amparo.ShareScope
import amparo.StepState
import amparo.StopReason
import amparo.WaiverRequest
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * One screening, as a flow of what to draw. Got from [AmparoDevice.start] or [AmparoDevice.screening]; holds nothing
 * that must be closed.
 *
 * Every method records (or shows) something, puts the new state into [states], and returns it. When it returns, it
 * is on disk. Calls run one after the other, on the device's IO dispatcher; call them from any coroutine. A coroutine
 * that is cancelled while it waits here may find its change recorded: [states] tells.
 *
 * All throw `amparo.FieldException` and nothing else; then nothing was recorded and [states] is as it was. Take one
 * [Screening] for a screen and share it: two of the same screening do not hear of each other until [refresh].
 */
class Screening internal constructor(private val device: AmparoDevice, view: ScreeningView) {
    private val turn = Mutex()
    private val shown = MutableStateFlow(ScreeningState.of(view))

    /** Its id: random, may be logged and kept in a saved instance state. */
    val id: ScreeningId = view.line.id

    /** What to draw, and whenever it changes. */
    val states: StateFlow<ScreeningState> = shown.asStateFlow()

    /** What to draw now. */
    val state: ScreeningState get() = shown.value

    /** Reads it again: after [AmparoDevice.unlock], or when another [Screening] of the same id changed it. */
    suspend fun refresh(): ScreeningState = change { it.screening(id) }

    /** Shows this item instead of the one that comes next, to correct an answer. Records nothing. */
    suspend fun show(item: Name): ScreeningState = change { it.show(id, item) }

    /** Goes back from what is shown. At the beginning the same is shown. Records nothing. */
    suspend fun back(): ScreeningState = change {
        it.back(id, (state as? ScreeningState.Asking)?.question?.item)
    }

    /** Records an answer. The last answer to an item counts, earlier ones stay in the history. */
    suspend fun answer(item: Name, answer: AnswerValue): ScreeningState = change { it.answer(id, item, answer) }

    /** Records a try of the safe-interview gate with these checks confirmed. */
    suspend fun gate(confirmed: Collection<Name>): ScreeningState = change { it.gate(id, confirmed.toList()) }

    /** Changes the official's language. */
    suspend fun setLanguage(lang: Lang): ScreeningState = change { it.setLanguage(id, lang) }

    /** Chooses the person's language: that of the words that are said. */
    suspend fun setPersonLanguage(lang: Lang): ScreeningState = change { it.setPersonLanguage(id, lang) }

    /** Stops the talk. What is known stays; to go on, pass the gate again. */
    suspend fun stop(reason: StopReason): ScreeningState = change { it.stop(id, reason) }

    /** Records the outcome as the answers stand. Call it at [ScreeningState.AtEnd]: deadlines begin here. */
    suspend fun recordOutcome(): ScreeningState = change { it.recordOutcome(id) }

    /**
     * Logs a step. A forbidden step that was done is a breach: show the official that it will be recorded as one,
     * and then record it.
     */
    suspend fun logStep(step: Name, state: StepState): ScreeningState = change { it.logStep(id, step, state) }

    /** Records that the person agreed. Returns the counter by which it can be withdrawn. */
    suspend fun consent(request: ConsentRequest): ULong = step {
        val given = it.consent(id, request)
        given.screening to given.counter
    }

    /** Records that the person did not agree. */
    suspend fun refuseConsent(request: ConsentRequest): ScreeningState = change { it.refuseConsent(id, request) }

    /** Withdraws the consent that was recorded under this counter. Works after closing too. */
    suspend fun withdrawConsent(counter: ULong): ScreeningState = change { it.withdrawConsent(id, counter) }

    /** Records that the law lets something go ahead without consent. */
    suspend fun waiveConsent(request: WaiverRequest): ScreeningState = change { it.waiveConsent(id, request) }

    /** Fills `view.contacts`: who takes this person, now, from here. [kinds] best first; empty for any. */
    suspend fun contacts(kinds: List<ServiceKind> = emptyList()): ScreeningState = change { it.contacts(id, kinds) }

    /** Offers a referral to a service, by the `index` of one of its channels. Returns its id. */
    suspend fun refer(service: Name, channel: UInt?): ReferralId = step {
        val offered = it.refer(id, service, channel)
        offered.screening to offered.referral
    }

    /** Moves a referral on, to one of its `mayBecome`. Declined, rejected and revoked need a [reason]. */
    suspend fun moveReferral(referral: ReferralId, to: ReferralState, reason: String? = null): ScreeningState =
        change { it.moveReferral(id, referral, to, reason) }

    /** Records who the person is, only at referral and with consent to share identity. Never shown again. */
    suspend fun giveIdentity(field: IdentityField, value: String): ScreeningState =
        change { it.giveIdentity(id, IdentityRequest(field, value)) }

    /** The packet for the service of a referral, sealed for [recipient] (64 hexadecimal digits) if there is one. */
    suspend fun packet(referral: ReferralId, scope: Collection<ShareScope>, recipient: Hash? = null): Packet =
        device.call { Packet(it.packet(id, referral, scope.toList(), recipient)) }

    /** The card for the person: the memorable code and the contact, nothing else. */
    suspend fun card(referral: ReferralId, lang: Lang): CardView = device.call { it.card(id, referral, lang) }

    /**
     * Closes and seals it. Without consent to storing everything but the outcome is erased; `keep` says what was
     * kept, to tell the person.
     */
    suspend fun closeScreening(): ClosedView = step {
        val closed = it.closeScreening(id)
        closed.screening to closed
    }

    /** Its id and its screen; nothing of a person. */
    override fun toString(): String = "Screening($id, $state)"

    private suspend fun change(work: (Device) -> ScreeningView): ScreeningState = step {
        val view = work(it)
        view to ScreeningState.of(view)
    }

    /** One call and its new state; no other comes between, so that the last state is the newest. */
    private suspend fun <T> step(work: (Device) -> Pair<ScreeningView, T>): T = turn.withLock {
        device.call {
            val (view, result) = work(it)
            // Here and not in the caller's coroutine: a cancelled caller must not hide what was recorded.
            shown.value = ScreeningState.of(view)
            result
        }
    }
}
