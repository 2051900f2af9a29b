package org.amparo

import amparo.AnswerValue
import amparo.ConsentPurpose
import amparo.ExceptionKind
import amparo.IdentityField
import amparo.IdentityRequest
import amparo.ReferralState
import amparo.ShareScope
import amparo.StepState
import amparo.UnknownReason
import amparo.Headquarters
import amparo.WaiverRequest
import java.io.File
import java.lang.reflect.Modifier
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What holds something of a person prints its name only: in no log, no crash report, no assertion is what was said. */
class RedactTest {
    @TempDir lateinit var temp: File

    @Test fun `nothing that was said is printed`() {
        val (device, lit) = Kit.lit(temp)
        val line = device.screening(lit.id).line
        val said = listOf(CANARY, "juana", line.code, line.memorable).map { it.lowercase() }
        device.logStep(lit.id, lit.step, StepState.Skipped(CANARY))
        val identity = IdentityRequest(IdentityField.NAME, CANARY)
        device.giveIdentity(lit.id, identity)
        val given = listOf(
            identity, WaiverRequest(ConsentPurpose.STORE, ExceptionKind.LEGAL_DUTY, CANARY, CANARY, true),
            consentRequest(ConsentPurpose.SHARE_SERVICE, CANARY), AnswerValue.Text(CANARY), AnswerValue.Choice(CANARY),
            AnswerValue.Choices(listOf(CANARY)), AnswerValue.Date(CANARY), StepState.Impossible(CANARY),
        )
        val views = sequence {
            yield(device.begin())
            yield(device.contacts(lit.id, emptyList()))
            yield(device.screenings(0u, 9u))
            yield(device.card(lit.id, lit.referral, "es"))
            yield(device.refer(lit.id, lit.service, null))
            yield(device.packet(lit.id, lit.referral, listOf(ShareScope.NEEDS), null))
            yield(device.moveReferral(lit.id, lit.referral, ReferralState.DECLINED, CANARY))
            yield(device.back(lit.id, null))
            val hq = Headquarters()
            device.installPack(Kit.recipients)
            device.enrolled(hq.enrol(device.enrolmentRequest(hq.ticket())))
            hq.ask(lit.case, CANARY)
            yield(device.sync(Line(hq::exchange), null))
            val state = device.syncState()
            assertEquals(listOf(CANARY to line.code), state.followUps.map { it.text to it.code })
            yield(state)
            yield(device.exportBundle())
            yield(device.enrolment()!!)
            yield(device.closeScreening(lit.id))
        }
        val seen = sortedSetOf<String>()
        var walked = 0
        for (part in (given + views).flatMap(::parts)) {
            walked++
            val shown = "$part ${listOf(part)} ${Result.success(part)}".lowercase()
            assertTrue(said.none { it in shown }, part.javaClass.name)
            val name = part.javaClass.name.removePrefix("amparo.").substringBefore('$')
            if (name in NAMED) {
                seen += name
                assertEquals("$name(..)", "$part")
            }
        }
        assertTrue(walked > 500, "$walked")
        assertEquals(NAMED, seen)
        device.use { works(it, lit.id) }
    }

    @Test fun `an answer does not tell which`() {
        val answers = listOf(
            AnswerValue.Yes, AnswerValue.No, AnswerValue.Number(7), AnswerValue.Age(16u, 17u),
            AnswerValue.Unknown(UnknownReason.REFUSED), AnswerValue.Text(CANARY),
        )
        assertEquals(setOf("AnswerValue(..)"), answers.map { "$it" }.toSet())
        assertEquals(setOf("StepState(..)"), listOf(StepState.Done, StepState.Skipped(CANARY)).map { "$it" }.toSet())
    }

    /** Every record within a value, and the value. */
    private fun parts(value: Any?): List<Any> = when {
        value is List<*> -> value.flatMap(::parts)
        value == null || value is Enum<*> || !value.javaClass.name.startsWith("amparo.") -> emptyList()
        else -> listOf(value) + value.javaClass.declaredFields.filter { !Modifier.isStatic(it.modifiers) }
            .flatMap { field -> parts(field.apply { isAccessible = true }.get(value)) }
    }

    private companion object {
        /** They print their name, whatever is in them. */
        val NAMED = sortedSetOf(
            "AnswerValue", "CardView", "ConsentRequest", "ConsentView", "ContactsView", "ExcludedView", "FollowUpView", "IdentityRequest",
            "IndicatorView", "OfferView", "OutcomeClassView", "OutcomeView", "PacketView", "QuestionView", "ReferralView",
            "ScreeningLineView", "ScreeningView", "StepState", "StepView", "UnknownView", "VolumeView", "WaiverRequest",
        )
    }
}
