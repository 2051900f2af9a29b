package org.amparo.example

import amparo.*
import java.io.File
import org.amparo.*

suspend fun demo(folder: File, keystore: KeyStore, root: ByteArray, packs: List<ByteArray>) {
    AmparoDevice.open(AmparoSetup(folder, root), keystore).use { device ->
        device.installPacks(packs) { done, total -> println("$done of $total") }

        val place = PlaceRequest(country = "CL", setting = Setting.BORDER)
        val screening = device.start("ilo-adult-labour", place, "es")
        when (val state = screening.state) {                 // or screening.states.collect { draw(it) }
            is ScreeningState.Asking -> screening.answer(state.question.item, AnswerValue.Yes)
            is ScreeningState.AtGate -> screening.gate(confirmed = state.view.gateChecks.map { it.id })
            is ScreeningState.AtConsent -> screening.consent(
                ConsentRequest(purpose = state.consent.purpose, lang = state.consent.said.lang, by = ConsentBy.PERSON),
            )
            is ScreeningState.AtEnd -> screening.recordOutcome()
            is ScreeningState.Closed -> Unit
        }

        device.lookup("trata", country = "CL", lang = "es")   // needs no screening and no signal
        device.lock()                                         // the app goes to the background
        device.unlock(keystore)
        screening.refresh()
    }                                                         // locks, and lets go
}
