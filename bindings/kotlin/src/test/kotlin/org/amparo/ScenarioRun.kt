package org.amparo

import amparo.AnswerKind
import amparo.AnswerValue
import amparo.ConsentBy
import amparo.ConsentPurpose
import amparo.ConsentRequest
import amparo.Device
import amparo.ExceptionKind
import amparo.FieldException
import amparo.IdentityField
import amparo.Keep
import amparo.NextView
import amparo.Obligation
import amparo.PlaceRequest
import amparo.QuestionView
import amparo.ReferralState
import amparo.ServiceKind
import amparo.Setting
import amparo.ShareScope
import amparo.StepState
import amparo.StopReason
import amparo.UnknownReason
import amparo.WaiverRequest
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

private const val CONTACTS_SHOWN = 5
private const val STEP_MS = 10_000u
private const val MOVE_MS = 60_000u
private const val HOUR_MS = 3_600_000u

/**
 * One scenario, led through the layer one call at a time as an app makes them; each screen is taken from the state
 * that the last call gave. The result has the form of the golden files. [raw] is for the clock and the JSON of the
 * feature `testing` only.
 */
class ScenarioRun(private val device: AmparoDevice, private val raw: Device, private val scenario: JsonObject) {
    private val lang = scenario.text("lang")
    private var personLang = scenario.textOrNull("person_lang")
    private var answers = scenario["answers"]?.jsonObject ?: JsonObject(emptyMap())
    private var otherwise: JsonElement = scenario.getValue("otherwise")
    private lateinit var screening: Screening
    private val given = mutableMapOf<String, ULong>()
    private var lastReferral: String? = null

    private val id get() = screening.id
    private val view get() = screening.state.view

    suspend fun go(): JsonObject {
        val walk = screen(scenario.text("checklist"), null)
        val moves = scenario["then"]?.jsonArray.orEmpty().map { move ->
            raw.advanceMs(MOVE_MS)
            val (name, value) = (move as? JsonObject)?.entries?.single()?.toPair() ?: (move.text() to JsonNull)
            try {
                json("move" to JsonPrimitive(name), "ok" to make(name, value))
            } catch (e: FieldException) {
                json("move" to JsonPrimitive(name), "error" to JsonPrimitive(e::class.simpleName))
            }
        }
        val lines = device.screenings(0u, 500u).lines.map {
            json(
                "screening" to JsonPrimitive(it.id), "case" to JsonPrimitive(it.case), "code" to JsonPrimitive(it.code),
                "memorable" to JsonPrimitive(it.memorable), "closed" to JsonPrimitive(it.closed),
                "opened_ms" to JsonPrimitive(it.openedMs),
            )
        }
        return json(
            "about" to scenario.getValue("about"), "walk" to walk, "moves" to JsonArray(moves),
            "result" to Json.parseToJsonElement(raw.reportJson(id)), "screenings" to JsonArray(lines),
        )
    }

    private suspend fun screen(checklist: String, case: String?): JsonElement {
        val place = scenario.getValue("place").jsonObject
        val where = PlaceRequest(place.text("country"), place.textOrNull("post"), place.textOrNull("area"), word<Setting>(place.text("setting")))
        screening = device.start(checklist, where, lang, case)
        lastReferral = null
        personLang?.let { screening.setPersonLanguage(it) }
        return walk()
    }

    private suspend fun walk(): JsonElement {
        val shown = mutableListOf<JsonElement>()
        val stop = scenario["stop_before"]?.let { it as? JsonArray }
        while (true) {
            raw.advanceMs(STEP_MS)
            // As `state`, but a walk that is stopped and closed still has a next step to show.
            when (val next = view.next) {
                is NextView.Ask -> {
                    val question = next.question
                    if (stop != null && stop[0].text() == question.item) {
                        screening.stop(word(stop[1].text()))
                        shown += json("stopped_before" to JsonPrimitive(question.item))
                        continue
                    }
                    val answer = said(answers[question.item] ?: otherwise, question)
                    val position = question.number?.let { json("number" to number(it), "of" to number(question.of!!)) }
                    shown += json("item" to JsonPrimitive(question.item), "position" to (position ?: JsonNull), "answer" to written(answer))
                    screening.answer(question.item, answer)
                }
                is NextView.Gate -> shown += gate()
                is NextView.End -> {
                    screening.recordOutcome()
                    shown += json("outcomes" to outcomes())
                    return JsonArray(shown)
                }
            }
        }
    }

    private suspend fun gate(): JsonElement {
        val missing = scenario["gate_missing"]?.jsonArray.orEmpty().map { it.text() }
        screening.gate(view.gateChecks.map { it.id } - missing.toSet())
        if (!view.gatePassed) {
            val postponed = view.gateChecks.filter { it.missing }.map { JsonPrimitive(it.id) }
            screening.stop(StopReason.UNSAFE)
            return json("gate" to json("postponed" to JsonArray(postponed)))
        }
        val talk = scenario["talk"]?.jsonPrimitive?.boolean ?: true
        val store = scenario["store"]?.jsonPrimitive?.boolean ?: true
        agreeOrNot(ConsentPurpose.TALK, talk)
        if (!talk) {
            screening.stop(StopReason.PERSON_STOPPED)
            return json("gate" to JsonPrimitive("passed"), "talk" to JsonPrimitive(false))
        }
        agreeOrNot(ConsentPurpose.STORE, store)
        return json("gate" to JsonPrimitive("passed"), "talk" to JsonPrimitive(true), "store" to JsonPrimitive(store))
    }

    private suspend fun agreeOrNot(purpose: ConsentPurpose, agrees: Boolean) {
        val request = ConsentRequest(purpose, null, emptyList(), personLang ?: lang, ConsentBy.PERSON)
        if (agrees) screening.consent(request) else screening.refuseConsent(request)
    }

    private suspend fun make(name: String, value: JsonElement): JsonElement {
        when (name) {
            "advance_hours" -> repeat(value.jsonPrimitive.int) { raw.advanceMs(HOUR_MS) }
            "set_clock" -> raw.setClock(value.text())
            "answer" -> return answer(value.jsonArray)
            "outcome" -> {
                screening.recordOutcome()
                return outcomes()
            }
            "contacts" -> return contacts(value.jsonArray.map { word(it.text()) })
            "refer" -> return refer(value.jsonPrimitive.contentOrNull)
            "referral" -> screening.moveReferral(last(), word(value.jsonObject.text("to")), value.jsonObject.textOrNull("reason"))
            "consent" -> {
                val counter = screening.consent(request(value.jsonObject, word(value.jsonObject.text("by"))))
                given[value.jsonObject.text("purpose")] = counter
                return json("counter" to JsonPrimitive(counter.toLong()))
            }
            "refuse" -> screening.refuseConsent(request(value.jsonObject, ConsentBy.PERSON))
            "withdraw" -> screening.withdrawConsent(given[value.text()] ?: throw FieldException.NotFound("consent"))
            "waive" -> screening.waiveConsent(waiver(value.jsonObject))
            "identity" -> screening.giveIdentity(word<IdentityField>(value.jsonObject.text("field")), value.jsonObject.text("value"))
            "packet" -> {
                val scope = value.jsonArray.map { word<ShareScope>(it.text()) }
                return screening.packet(last(), scope).use { Json.parseToJsonElement(it.bytes.decodeToString()) }
            }
            "card" -> return card(value.text())
            "step" -> return step(value.jsonObject)
            "again" -> {
                value.jsonObject["answers"]?.let { answers = it.jsonObject }
                return screen(value.jsonObject.text("checklist"), view.line.case)
            }
            "next_person" -> {
                personLang = value.jsonObject.textOrNull("person_lang")
                answers = value.jsonObject["answers"]?.jsonObject ?: JsonObject(emptyMap())
                otherwise = value.jsonObject.getValue("otherwise")
                return screen(scenario.text("checklist"), null)
            }
            "lookup" -> {
                val found = device.lookup(value.text(), null, lang, CONTACTS_SHOWN.toUInt())
                return json("services" to JsonArray(found.services.map { JsonPrimitive(it.id) }), "more" to JsonPrimitive(found.more))
            }
            "close" -> {
                val closed = screening.closeScreening()
                val keep = if (closed.keep == Keep.FULL) "Full" else "AggregateOnly"
                return json("outcomes" to outcomes(), "keep" to JsonPrimitive(keep), "segments" to number(closed.segments))
            }
            "verify" -> return Json.parseToJsonElement(raw.verifyJson())
            else -> error("unknown move $name")
        }
        return JsonNull
    }

    private suspend fun answer(value: JsonArray): JsonElement {
        screening.answer(value[0].text(), factAnswer(value[1].jsonObject))
        return JsonPrimitive(
            when (val next = view.next) {
                is NextView.Ask -> "Item(Name(\"${next.question.item}\"))"
                is NextView.Gate -> "Gate"
                is NextView.End -> "End"
            },
        )
    }

    private suspend fun contacts(kinds: List<ServiceKind>): JsonElement {
        val found = screening.contacts(kinds).view.contacts!!
        val golden = Json.parseToJsonElement(raw.contactsJson(id, kinds, CONTACTS_SHOWN.toUInt())).jsonObject
        // What an app is given is what the golden file holds.
        check(found.offers.take(CONTACTS_SHOWN).map { it.service.id } == golden.getValue("offers").jsonArray.map { it.jsonObject.text("service") })
        check(found.excluded.take(CONTACTS_SHOWN).map { it.id } == golden.getValue("excluded").jsonArray.map { it.jsonObject.text("service") })
        check(found.rung.name.lowercase() == golden.text("rung"))
        return golden
    }

    private suspend fun refer(wished: String?): JsonElement {
        val offers = screening.contacts().view.contacts!!.offers
        val service = wished ?: offers.firstOrNull()?.service?.id ?: throw FieldException.NotFound("service")
        val channel = offers.find { it.service.id == service }?.service?.channels?.firstOrNull()?.index
        val referral = screening.refer(service, channel)
        lastReferral = referral
        return json("referral" to JsonPrimitive(referral), "service" to JsonPrimitive(service))
    }

    private fun last() = lastReferral ?: throw FieldException.NotFound("referral")

    private fun request(value: JsonObject, by: ConsentBy): ConsentRequest {
        val purpose = word<ConsentPurpose>(value.text("purpose"))
        val sharing = purpose == ConsentPurpose.SHARE_SERVICE || purpose == ConsentPurpose.SHARE_IDENTITY
        val receiver = view.referrals.find { sharing && it.id == lastReferral }?.service
        val scope = value["scope"]?.jsonArray.orEmpty().map { word<ShareScope>(it.text()) }
        return ConsentRequest(purpose, receiver, scope, view.saidLang, by)
    }

    private fun waiver(value: JsonObject): WaiverRequest {
        val law = value.getValue("legal_basis").jsonObject
        return WaiverRequest(
            word(value.text("purpose")), word<ExceptionKind>(value.text("situation")), law.text("document"),
            law.text("place"), value.getValue("told").jsonPrimitive.boolean,
        )
    }

    private suspend fun card(lang: String): JsonElement {
        val golden = Json.parseToJsonElement(raw.cardJson(id, last(), lang)).jsonObject
        val card = screening.card(last(), lang)
        check(card.memorable == golden.text("memorable") && card.name.text == golden.text("name"))
        check(card.display == golden.textOrNull("display"))
        return golden
    }

    private suspend fun step(value: JsonObject): JsonElement {
        val state = when (val written = value.getValue("state")) {
            is JsonObject -> {
                val (kind, why) = written.entries.single()
                val reason = why.jsonObject.text("reason")
                if (kind == "skipped") StepState.Skipped(reason) else StepState.Impossible(reason)
            }
            else -> StepState.Done
        }
        screening.logStep(value.text("step"), state)
        val forbidden = view.steps.any { it.id == value.text("step") && it.obligation == Obligation.FORBIDDEN }
        return JsonPrimitive(if (state is StepState.Done && forbidden) "Breach" else "Plain")
    }

    private fun outcomes() = JsonArray(view.outcome.classes.map { JsonPrimitive(it.outcome.name.lowercase()) })
}

/** What a file says to a question, as an answer. */
private fun said(text: JsonElement, question: QuestionView): AnswerValue {
    if (text is JsonObject) return text.entries.single().let { known(it.key, it.value) }
    return when (text.text()) {
        "yes" -> AnswerValue.Yes
        "no" -> when (question.kind) {
            is AnswerKind.YesNo -> AnswerValue.No
            is AnswerKind.AnyOf -> AnswerValue.Choices(emptyList())
            else -> AnswerValue.Unknown(UnknownReason.NOT_ASKED)
        }
        else -> AnswerValue.Unknown(word(text.text()))
    }
}

private fun known(kind: String, value: JsonElement): AnswerValue = when (kind) {
    "age" -> {
        val ends = (value as? JsonArray) ?: value.jsonObject.let { listOf(it.getValue("from"), it.getValue("to")) }
        AnswerValue.Age(ends[0].jsonPrimitive.int.toUByte(), ends[1].jsonPrimitive.int.toUByte())
    }
    "choice" -> AnswerValue.Choice(value.text())
    "choices" -> AnswerValue.Choices(value.jsonArray.map { it.text() })
    "number" -> AnswerValue.Number(value.jsonPrimitive.long)
    "date" -> AnswerValue.Date(value.text())
    else -> AnswerValue.Text(value.text())
}

/** An answer in the form of a fact: `{"known": {"number": 3}}`. */
private fun factAnswer(written: JsonObject): AnswerValue {
    val (kind, value) = written.entries.single()
    if (kind == "unknown") return AnswerValue.Unknown(word(value.text()))
    if (value is JsonObject) return value.entries.single().let { known(it.key, it.value) }
    return if (value.text() == "yes") AnswerValue.Yes else AnswerValue.No
}

/** An answer as golden files hold it. */
private fun written(answer: AnswerValue): JsonElement {
    val value = when (answer) {
        is AnswerValue.Unknown -> return json("unknown" to JsonPrimitive(answer.why.name.lowercase()))
        is AnswerValue.Yes -> JsonPrimitive("yes")
        is AnswerValue.No -> JsonPrimitive("no")
        is AnswerValue.Choice -> json("choice" to JsonPrimitive(answer.option))
        is AnswerValue.Choices -> json("choices" to JsonArray(answer.options.sorted().map { JsonPrimitive(it) }))
        is AnswerValue.Number -> json("number" to JsonPrimitive(answer.value))
        is AnswerValue.Age -> json("age" to json("from" to JsonPrimitive(answer.lowest.toInt()), "to" to JsonPrimitive(answer.highest.toInt())))
        is AnswerValue.Date -> json("date" to JsonPrimitive(answer.date))
        is AnswerValue.Text -> json("text" to JsonPrimitive(answer.text))
    }
    return json("known" to value)
}

/** `no_time` of a file as a constant of an enum. */
private inline fun <reified E : Enum<E>> word(text: String): E = enumValueOf(text.uppercase())

private fun json(vararg fields: Pair<String, JsonElement>) = JsonObject(fields.toMap())

private fun number(value: UInt) = JsonPrimitive(value.toLong())

private fun JsonElement.text() = jsonPrimitive.content

private fun JsonObject.text(key: String) = getValue(key).text()

private fun JsonObject.textOrNull(key: String) = this[key]?.jsonPrimitive?.contentOrNull
