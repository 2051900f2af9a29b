package org.amparo.example

import amparo.AnswerValue
import amparo.ConsentBy
import amparo.ConsentPurpose
import amparo.ConsentRequest
import amparo.FieldException
import amparo.Keep
import amparo.OutcomeView
import amparo.ScreeningProgress
import amparo.QuestionView
import amparo.ScreeningView
import amparo.StepView
import amparo.StopReason
import amparo.WordsView
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.amparo.AmparoDevice
import org.amparo.Screening
import org.amparo.ScreeningState

/** What the screen draws. Immutable; everything that was said stays inside [screen], so log `screen::class` at most. */
data class UiState(
    val screen: Screen = Screen.Loading,
    /** A call is running: draw the buttons as disabled. */
    val busy: Boolean = false,
    /** What to tell the official, once; then send [UiEvent.NoticeSeen]. */
    val notice: Notice? = null,
)

/** The screens of one screening. */
sealed interface Screen {
    data object Loading : Screen

    /** One question. [said] is read to the person, in the person's language. */
    data class Question(val question: QuestionView, val progress: ScreeningProgress, val canGoBack: Boolean) : Screen {
        val said: WordsView? get() = question.said
    }

    /** The safe-interview gate: one tick for each check. */
    data class Gate(val checks: List<Check>) : Screen {
        val complete: Boolean get() = checks.all { it.confirmed }
    }

    /** One check of the gate; [otherwise] is shown when it could not be confirmed. */
    data class Check(val id: String, val prompt: String, val otherwise: String?, val confirmed: Boolean)

    /** Words to read aloud, and whether the person agrees. */
    data class Consent(val purpose: ConsentPurpose, val said: WordsView) : Screen

    /** The outcome in words, and what to do and not to do. */
    data class Outcome(val outcome: OutcomeView, val steps: List<StepView>) : Screen

    /** Closed. [kept] says what to tell the person. */
    data class Done(val kept: Keep) : Screen
}

/** What to tell the official; the app has the words for each in its resources. */
enum class Notice { CORRECT_INPUT, NOT_POSSIBLE_NOW, UNLOCK_FIRST, FREE_STORAGE, TRY_AGAIN, TELL_HEADQUARTERS }

/** What the official does. */
sealed interface UiEvent {
    data class Answer(val answer: AnswerValue) : UiEvent
    data object Back : UiEvent
    data class Tick(val check: String, val confirmed: Boolean) : UiEvent
    data object TryGate : UiEvent
    data class Consent(val agrees: Boolean) : UiEvent
    data object Close : UiEvent
    data object NoticeSeen : UiEvent
}

/**
 * One screening, as an Android developer writes it: state out, events in, no Android class. In an app it derives from
 * `androidx.lifecycle.ViewModel`, passes `viewModelScope`, and keeps [Screening.id] in its `SavedStateHandle`.
 */
class ScreeningViewModel(
    private val scope: CoroutineScope,
    private val open: suspend () -> Screening,
) {
    private val ui = MutableStateFlow(UiState())
    private val events = Mutex()
    private var screening: Screening? = null
    private var ticked = emptySet<String>()

    val state: StateFlow<UiState> = ui.asStateFlow()

    init {
        run {
            val opened = open()
            screening = opened
            scope.launch { opened.states.collect { draw(it) } }
        }
    }

    fun on(event: UiEvent) {
        when (event) {
            is UiEvent.NoticeSeen -> ui.update { it.copy(notice = null) }
            is UiEvent.Tick -> {
                ticked = if (event.confirmed) ticked + event.check else ticked - event.check
                screening?.let { draw(it.state) }
            }
            else -> run { screening?.let { act(it, event) } }
        }
    }

    private suspend fun act(screening: Screening, event: UiEvent) {
        val screen = ui.value.screen
        when (event) {
            is UiEvent.Answer -> if (screen is Screen.Question) screening.answer(screen.question.item, event.answer)
            is UiEvent.Back -> screening.back()
            is UiEvent.TryGate -> screening.gate(ticked)
            is UiEvent.Consent -> if (screen is Screen.Consent) {
                val request = ConsentRequest(screen.purpose, null, emptyList(), screen.said.lang, ConsentBy.PERSON)
                if (event.agrees) screening.consent(request) else screening.refuseConsent(request)
                // Who does not want to talk is asked nothing more. A no to storing does not end the questions.
                val ends = screen.purpose == ConsentPurpose.TALK && !event.agrees
                if (ends) screening.stop(StopReason.PERSON_STOPPED)
            }
            is UiEvent.Close -> {
                val closed = screening.closeScreening()
                ui.update { it.copy(screen = Screen.Done(closed.keep)) }
            }
            is UiEvent.Tick, is UiEvent.NoticeSeen -> Unit
        }
        // Deadlines count from here: record the outcome as soon as there is nothing left to ask.
        val state = screening.state
        if (state is ScreeningState.AtEnd && !state.view.outcome.recorded) screening.recordOutcome()
    }

    private fun draw(state: ScreeningState) {
        val view = state.view
        val screen = when (state) {
            is ScreeningState.Asking -> Screen.Question(state.question, view.progress, view.previous != null)
            is ScreeningState.AtGate -> gate(view)
            is ScreeningState.AtConsent -> Screen.Consent(state.consent.purpose, state.consent.said)
            is ScreeningState.AtEnd -> Screen.Outcome(view.outcome, view.steps)
            is ScreeningState.Closed -> return
        }
        ui.update { it.copy(screen = screen) }
    }

    private fun gate(view: ScreeningView) = Screen.Gate(
        view.gateChecks.map {
            Screen.Check(it.id, it.prompt.text, it.otherwise.text.takeIf { _ -> it.missing }, it.id in ticked)
        },
    )

    /** One event after the other; what goes wrong becomes a notice, never a crash. */
    private fun run(work: suspend () -> Unit) {
        scope.launch {
            events.withLock {
                ui.update { it.copy(busy = true) }
                try {
                    work()
                } catch (e: FieldException) {
                    ui.update { it.copy(notice = notice(e)) }
                } finally {
                    ui.update { it.copy(busy = false) }
                }
            }
        }
    }

    private fun notice(e: FieldException): Notice = when (e) {
        is FieldException.InvalidInput, is FieldException.NotFound -> Notice.CORRECT_INPUT
        is FieldException.WrongState -> if (e.code == "locked") Notice.UNLOCK_FIRST else Notice.NOT_POSSIBLE_NOW
        is FieldException.NeedsUser, is FieldException.WrongKey -> Notice.UNLOCK_FIRST
        is FieldException.DiskFull -> Notice.FREE_STORAGE
        is FieldException.Busy, is FieldException.Interrupted, is FieldException.Host -> Notice.TRY_AGAIN
        is FieldException.KeyLost, is FieldException.StoreDamaged, is FieldException.StoreTooNew,
        is FieldException.PackRejected, is FieldException.Internal -> Notice.TELL_HEADQUARTERS
    }
}
