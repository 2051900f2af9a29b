package org.amparo

import amparo.ConsentPurpose
import amparo.ConsentState
import amparo.ConsentView
import amparo.ItemMode
import amparo.NextView
import amparo.QuestionView
import amparo.ScreeningView

/**
 * What a screening shows now, by the screen that draws it. [view] holds everything that any of its screens draws;
 * no further call is needed.
 *
 * `toString` says which screen and nothing else. That of [view] is its name.
 */
sealed class ScreeningState {
    /** Everything. */
    abstract val view: ScreeningView

    /** One [question] to observe, ask, or fill in from papers. */
    class Asking internal constructor(override val view: ScreeningView, val question: QuestionView) : ScreeningState()

    /** The safe-interview gate: `view.gateChecks`. */
    class AtGate internal constructor(override val view: ScreeningView) : ScreeningState()

    /**
     * The gate is passed and a consent that comes before the first question was not asked for, or no longer stands:
     * read `consent.said` aloud, then [Screening.consent] or [Screening.refuseConsent]. A person who does not want to
     * talk ends the questions: [Screening.stop] with `PERSON_STOPPED`.
     */
    class AtConsent internal constructor(override val view: ScreeningView, val consent: ConsentView) : ScreeningState()

    /** Nothing is left to ask: outcome, steps, contacts, referrals. */
    class AtEnd internal constructor(override val view: ScreeningView) : ScreeningState()

    /** Closed and sealed. Only additions are possible: withdrawing a consent, moving a referral on. */
    class Closed internal constructor(override val view: ScreeningView) : ScreeningState()

    final override fun equals(other: Any?): Boolean =
        other is ScreeningState && other.javaClass == javaClass && other.view == view

    final override fun hashCode(): Int = view.hashCode()

    final override fun toString(): String = javaClass.simpleName

    internal companion object {
        fun of(view: ScreeningView): ScreeningState {
            val next = view.next
            val consent = wanted(view)
            // An observation may be shown again before the consents; a question of the person may not.
            val talks = next is NextView.Gate || next is NextView.Ask && next.question.mode == ItemMode.ASK
            return when {
                talks && consent != null -> AtConsent(view, consent)
                next is NextView.Ask -> Asking(view, next.question)
                view.line.closed -> Closed(view)
                next is NextView.Gate -> AtGate(view)
                else -> AtEnd(view)
            }
        }

        /** To talk first, then to store; the device refuses answers to questions without the first. */
        private fun wanted(view: ScreeningView): ConsentView? {
            if (!view.gatePassed || view.line.closed) return null
            val talk = view.consents.find { it.purpose == ConsentPurpose.TALK } ?: return null
            return when (talk.state) {
                ConsentState.NOT_ASKED, ConsentState.EXPIRED, ConsentState.WITHDRAWN -> talk
                ConsentState.REFUSED -> null
                ConsentState.GIVEN ->
                    view.consents.find { it.purpose == ConsentPurpose.STORE && it.state == ConsentState.NOT_ASKED }
            }
        }
    }
}
