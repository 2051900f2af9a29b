package org.amparo

import amparo.AnswerValue
import amparo.ConsentPurpose
import amparo.Keep
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.amparo.example.Notice
import org.amparo.example.Screen
import org.amparo.example.ScreeningViewModel
import org.amparo.example.UiEvent
import org.amparo.example.UiState
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** The example's view-model, driven as a screen drives it: events in, states out. No Android. */
class ViewModelTest {
    @TempDir lateinit var temp: File

    // In an app `viewModelScope`.
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    @AfterEach fun clear() = scope.cancel()

    private fun test(work: suspend (AmparoDevice, ScreeningViewModel) -> Unit) = runBlocking {
        withTimeout(60_000) {
            Kit.device(temp).use { device ->
                val model = ScreeningViewModel(scope) { device.start("ilo-adult-labour", Kit.place, "es") }
                work(device, model)
            }
        }
    }

    private suspend fun ScreeningViewModel.until(fits: (UiState) -> Boolean): UiState = state.first { !it.busy && fits(it) }

    /** Answers until another screen comes. */
    private suspend fun ScreeningViewModel.answerAll(): UiState {
        var shown = until { it.screen != Screen.Loading }
        while (true) {
            val screen = shown.screen as? Screen.Question ?: return shown
            on(UiEvent.Answer(anAnswer(screen.question)))
            shown = until { it.screen != screen }
        }
    }

    private suspend fun ScreeningViewModel.passGate(): UiState {
        val checks = (until { it.screen is Screen.Gate }.screen as Screen.Gate).checks
        checks.forEach { on(UiEvent.Tick(it.id, confirmed = true)) }
        assertTrue((until { (it.screen as? Screen.Gate)?.complete == true }.screen as Screen.Gate).complete)
        on(UiEvent.TryGate)
        return until { it.screen is Screen.Consent }
    }

    @Test fun `a screening from the first question to the end`() = test { device, model ->
        assertTrue(model.answerAll().screen is Screen.Gate)
        assertEquals(ConsentPurpose.TALK, (model.passGate().screen as Screen.Consent).purpose)
        model.on(UiEvent.Consent(agrees = true))
        model.until { (it.screen as? Screen.Consent)?.purpose == ConsentPurpose.STORE }
        model.on(UiEvent.Consent(agrees = true))
        model.until { it.screen is Screen.Question }
        model.answerAll()
        val end = model.until { (it.screen as? Screen.Outcome)?.outcome?.recorded == true }.screen as Screen.Outcome
        assertTrue(end.outcome.classes.isNotEmpty() && end.steps.isNotEmpty())
        model.on(UiEvent.Close)
        assertEquals(Screen.Done(Keep.FULL), model.until { it.screen is Screen.Done }.screen)
        assertTrue(device.screenings().lines.single().closed && device.verify().whole)
    }

    @Test fun `who does not want to talk is asked nothing more`() = test { _, model ->
        model.answerAll()
        model.passGate()
        model.on(UiEvent.Consent(agrees = false))
        val end = model.until { (it.screen as? Screen.Outcome)?.outcome?.recorded == true }.screen as Screen.Outcome
        assertTrue(end.outcome.unknown.isNotEmpty())
    }

    @Test fun `without consent to store only the outcome is kept`() = test { _, model ->
        model.answerAll()
        model.passGate()
        model.on(UiEvent.Consent(agrees = true))
        model.until { (it.screen as? Screen.Consent)?.purpose == ConsentPurpose.STORE }
        model.on(UiEvent.Consent(agrees = false))
        model.until { it.screen is Screen.Question }
        model.answerAll()
        model.until { (it.screen as? Screen.Outcome)?.outcome?.recorded == true }
        model.on(UiEvent.Close)
        assertEquals(Screen.Done(Keep.AGGREGATE_ONLY), model.until { it.screen is Screen.Done }.screen)
    }

    @Test fun `a check that is missing keeps the gate shut and is named`() = test { _, model ->
        model.answerAll()
        val gate = model.until { it.screen is Screen.Gate }.screen as Screen.Gate
        gate.checks.drop(1).forEach { model.on(UiEvent.Tick(it.id, confirmed = true)) }
        model.on(UiEvent.TryGate)
        val shut = model.until { state -> (state.screen as? Screen.Gate)?.checks?.any { it.otherwise != null } == true }
        assertEquals(listOf(gate.checks[0].id), (shut.screen as Screen.Gate).checks.filter { it.otherwise != null }.map { it.id })
    }

    @Test fun `back shows the last question with its answer`() = test { _, model ->
        val first = (model.until { it.screen is Screen.Question }.screen as Screen.Question).question
        assertFalse((model.state.value.screen as Screen.Question).canGoBack)
        model.on(UiEvent.Answer(anAnswer(first)))
        model.until { (it.screen as? Screen.Question)?.question?.item != first.item }
        model.on(UiEvent.Back)
        val again = model.until { (it.screen as? Screen.Question)?.question?.item == first.item }.screen as Screen.Question
        assertEquals(anAnswer(first), again.question.answer)
    }

    @Test fun `what goes wrong is a notice that the app has words for`() = test { device, model ->
        val first = model.until { it.screen is Screen.Question }.screen
        model.on(UiEvent.Answer(AnswerValue.Text(CANARY)))
        assertEquals(Notice.CORRECT_INPUT, model.until { it.notice != null }.notice)
        assertEquals(first, model.state.value.screen)
        model.on(UiEvent.NoticeSeen)
        model.until { it.notice == null }
        device.lock()
        model.on(UiEvent.Back)
        assertEquals(Notice.UNLOCK_FIRST, model.until { it.notice != null }.notice)
        device.unlock(StoreKey.taking(Kit.keyBytes()))
        assertTrue(device.verify().whole)
    }
}
