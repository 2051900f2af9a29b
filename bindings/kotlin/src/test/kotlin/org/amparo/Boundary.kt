package org.amparo

import amparo.AnswerValue
import amparo.ConsentPurpose
import amparo.ExceptionKind
import amparo.FieldException
import amparo.Headquarters
import amparo.IdentityField
import amparo.IdentityRequest
import amparo.OpenRequest
import amparo.PlaceRequest
import amparo.ReferralState
import amparo.ServiceKind
import amparo.Setting
import amparo.ShareScope
import amparo.StartRequest
import amparo.StepState
import amparo.StopReason
import amparo.TransportException
import amparo.WaiverRequest
import java.io.File
import kotlin.reflect.KClass

/**
 * What is just allowed, and what is just not, for every exported function; called in this order on one device. The limits are
 * those of `schema/src/limits.rs` and of the documentation, written again here.
 */
object Boundary {
    class Row(val expected: KClass<out FieldException>?, val arguments: List<Any?>)

    private fun ok(vararg arguments: Any?) = Row(null, arguments.toList())
    private inline fun <reified E : FieldException> no(vararg arguments: Any?) = Row(E::class, arguments.toList())
    private fun invalid(vararg arguments: Any?) = no<FieldException.InvalidInput>(*arguments)
    private fun state(vararg arguments: Any?) = no<FieldException.WrongState>(*arguments)
    private fun missing(vararg arguments: Any?) = no<FieldException.NotFound>(*arguments)
    private fun rejected(vararg arguments: Any?) = no<FieldException.PackRejected>(*arguments)
    private fun wrongKey(vararg arguments: Any?) = no<FieldException.WrongKey>(*arguments)

    private val NONE = "00".repeat(16)
    private val NAME = "a".repeat(64)
    private val LONG_NAME = "a".repeat(65)
    private val REASON = "\u00f1".repeat(280)
    private val LONG_REASON = "\u00f1".repeat(281)

    private fun age(lowest: Int, highest: Int) = AnswerValue.Age(lowest.toUByte(), highest.toUByte())
    private fun identity(value: String) = IdentityRequest(IdentityField.NAME, value)
    private fun waiver(document: String, purpose: ConsentPurpose = ConsentPurpose.STORE) =
        WaiverRequest(purpose, ExceptionKind.LEGAL_DUTY, document, "art. 1", false)
    private fun begin(case: String? = null, country: String = "CL", post: String? = null, area: String? = null) =
        StartRequest("four-questions", case, PlaceRequest(country, post, area, Setting.BORDER), "es")
    private fun key(size: Int) = Kit.key(Kit.keyBytes().copyOf(size))
    private fun keys(bytes: ByteArray) = Hostile.giving(bytes)

    fun rows(lit: Lit, folder: (String) -> File): Map<String, List<Row>> =
        walk(lit) + share(lit) + content() + sync(lit) + life(folder)

    private fun walk(lit: Lit) = mapOf(
        "answer" to listOf(
            ok(lit.id, "person-age", age(0, 120)), invalid(lit.id, "person-age", age(0, 121)), ok(lit.id, "person-age", age(120, 120)),
            invalid(lit.id, "person-age", age(31, 30)), invalid(lit.id, NAME, AnswerValue.Yes), invalid(lit.id, LONG_NAME, AnswerValue.Yes),
        ),
        "back" to listOf(ok(lit.id, null), missing(lit.id, NAME), invalid(lit.id, LONG_NAME)),
        "closeScreening" to listOf(missing(NONE), ok(lit.id), state(lit.id)),
        "gate" to listOf(
            ok(lit.id, listOf<String>()), ok(lit.id, lit.checks + lit.checks), state(lit.id, listOf(NAME)), invalid(lit.id, listOf(LONG_NAME)),
        ),
        "logStep" to listOf(
            ok(lit.id, lit.step, StepState.Skipped(REASON)), invalid(lit.id, lit.step, StepState.Skipped(LONG_REASON)),
            invalid(lit.id, lit.step, StepState.Skipped("")), invalid(lit.id, lit.step, StepState.Impossible(" ")),
            ok(lit.id, lit.step, StepState.Done), invalid(lit.id, NAME, StepState.Done),
        ),
        "recordOutcome" to listOf(ok(lit.id), ok(lit.id), missing(NONE)),
        "screening" to listOf(ok(lit.id), missing("ff".repeat(16)), invalid(lit.id.dropLast(1)), invalid(lit.id + "0")),
        "setLanguage" to listOf(ok(lit.id, "es-419"), invalid(lit.id, "a"), invalid(lit.id, "a".repeat(36))),
        "setPersonLanguage" to listOf(ok(lit.id, "zh-Hant-HK"), invalid(lit.id, "a"), invalid(lit.id, "a".repeat(36))),
        "show" to listOf(ok(lit.id, "person-age"), missing(lit.id, NAME), invalid(lit.id, LONG_NAME)),
        "start" to listOf(
            ok(begin(case = lit.case)), missing(begin(case = NONE)), ok(begin()), missing(begin(post = NAME)),
            missing(begin(area = "x".repeat(100_000))), ok(begin(country = "AQ")), invalid(begin(country = "AQX")),
        ),
        "stop" to listOf(ok(lit.id, StopReason.UNSAFE), ok(lit.id, StopReason.UNSAFE), missing(NONE, StopReason.UNSAFE)),
    )

    private fun share(lit: Lit): Map<String, List<Row>> {
        val talk = consentRequest(ConsentPurpose.TALK)
        val needs = listOf(ShareScope.NEEDS)
        fun sharing(receiver: String?, vararg scope: ShareScope) = consentRequest(ConsentPurpose.SHARE_SERVICE, receiver, *scope)
        fun packet(recipient: String) = arrayOf<Any?>(lit.id, lit.referral, needs, recipient)
        return mapOf(
            "card" to listOf(ok(lit.id, lit.referral, "qu"), state(lit.id, NONE, "es")),
            "consent" to listOf(
                ok(lit.id, talk), ok(lit.id, sharing(NAME, ShareScope.NEEDS)), state(lit.id, sharing(null, ShareScope.NEEDS)),
                state(lit.id, sharing(lit.service)),
            ),
            "contacts" to listOf(
                ok(lit.id, listOf<ServiceKind>()), ok(lit.id, List(50) { ServiceKind.entries }.flatten()), missing(NONE, listOf<ServiceKind>()),
            ),
            "giveIdentity" to listOf(
                ok(lit.id, identity("\u00f1".repeat(200))), state(lit.id, identity("\u00f1".repeat(201))), state(lit.id, identity("")),
            ),
            "moveReferral" to listOf(
                ok(lit.id, lit.referral, ReferralState.SENT, null), state(lit.id, lit.referral, ReferralState.SENT, null),
                state(lit.id, lit.referral, ReferralState.REVOKED, null), state(lit.id, lit.referral, ReferralState.REVOKED, LONG_REASON),
                ok(lit.id, lit.referral, ReferralState.REVOKED, REASON),
            ),
            "packet" to listOf(
                state(lit.id, lit.referral, listOf<ShareScope>(), null), ok(lit.id, lit.referral, List(100) { ShareScope.NEEDS }, null),
                state(lit.id, lit.referral, ShareScope.entries, null), ok(*packet("09" + "00".repeat(31))),
                // Points of small order, which would seal for everyone.
                invalid(*packet("00".repeat(32))), invalid(*packet("01" + "00".repeat(31))),
                invalid(*packet("0".repeat(63))), invalid(*packet("0".repeat(65))),
            ),
            "refer" to listOf(
                ok(lit.id, lit.service, 0u), invalid(lit.id, lit.service, 16u), invalid(lit.id, lit.service, UInt.MAX_VALUE),
                missing(lit.id, NAME, null),
            ),
            "refuseConsent" to listOf(ok(lit.id, consentRequest(ConsentPurpose.STATISTICS)), missing(NONE, talk)),
            "waiveConsent" to listOf(
                ok(lit.id, waiver("x")), state(lit.id, waiver("")), state(lit.id, waiver("x".repeat(65_536))),
                state(lit.id, waiver("x", ConsentPurpose.TALK)),
            ),
            "withdrawConsent" to listOf(state(lit.id, 0uL), ok(lit.id, lit.counter), state(lit.id, ULong.MAX_VALUE)),
        )
    }

    private fun content() = mapOf(
        "checklists" to listOf(ok("qu"), invalid("q")),
        "diagnostics" to listOf(ok(), ok()),
        "installPack" to listOf(ok(Kit.packs[0]), rejected(ByteArray(0)), rejected(Kit.packs[0].copyOf(Kit.packs[0].size - 1))),
        "installPacks" to listOf(
            ok(listOf<ByteArray>()), ok(List(3) { Kit.packs[0] }), rejected(listOf(Kit.packs[0], ByteArray(0))),
        ),
        "lookup" to listOf(
            ok("", null, "es", 0u), ok("\u00f1".repeat(200), null, "es", 1u), invalid("\u00f1".repeat(201), null, "es", 1u),
            ok("a", null, "es", UInt.MAX_VALUE),
        ),
        "packs" to listOf(ok("qu"), invalid("q")),
        "posts" to listOf(ok("ZZ"), invalid("Z"), invalid("ZZZ")),
        "screenings" to listOf(ok(0u, 0u), ok(UInt.MAX_VALUE, UInt.MAX_VALUE)),
    )

    private fun sync(lit: Lit): Map<String, List<Row>> {
        val hq = Headquarters()
        val ticket = hq.ticket()
        val tickets = listOf(
            ok(ticket), ok(ticket.lowercase().toList().joinToString(" \n")), ok(ticket.padEnd(2000)), invalid(ticket.padEnd(2001)),
            invalid(ticket.dropLast(1)), invalid(ticket.take(8)), invalid(""),
        )
        fun line(work: (ByteArray) -> ByteArray) = arrayOf<Any?>(Line(work))
        return mapOf(
            "enrolled" to listOf(
                ok(lit.certificate), ok(lit.certificate), invalid(ByteArray(0)), invalid(lit.certificate.dropLast(1).toByteArray()),
                invalid(lit.certificate + 0),
            ),
            "enrolment" to listOf(ok(), ok()),
            "enrolmentRequest" to tickets,
            "exportBundle" to listOf(ok(), ok()),
            "importBundle" to listOf(
                ok(lit.replies), ok(lit.replies), invalid(ByteArray(0)), invalid(lit.replies.dropLast(1).toByteArray()), invalid(lit.replies + 0),
            ),
            "purgeDue" to listOf(ok(), ok()),
            "sync" to listOf(
                ok(*line { ByteArray(0) }), ok(*line { ByteArray(20_000_000) }),
                ok(*line { throw TransportException.Refused(UShort.MAX_VALUE) }), ok(*line { throw TransportException.Cut(ByteArray(0)) }),
                no<FieldException.Host>(*line { throw TransportException.Failed() }), ok(*line(hq::exchange)), ok(*line(hq::exchange)),
            ),
            "syncState" to listOf(ok(), ok()),
            "ticketUrl" to tickets,
            "wipe" to listOf(ok(), ok()),
        )
    }

    private fun life(folder: (String) -> File): Map<String, List<Row>> {
        val create = Kit.request(folder("create"))
        val open = Kit.request(folder("open"))
        val keyed = Kit.request(folder("openWithKeystore"))
        val nothing = OpenRequest(folder("create").resolve("nothing").path, Kit.root)
        return mapOf(
            "create" to listOf(invalid(create, key(31), null), invalid(create, key(33), null), ok(create, key(32), null), state(create, key(32), null)),
            "isLocked" to listOf(ok()),
            "lock" to listOf(ok(), ok()),
            "open" to listOf(
                invalid(open, key(31), null), wrongKey(open, Kit.key(ByteArray(32)), null), ok(open, key(32), null), missing(nothing, key(32), null),
            ),
            "openWithKeystore" to listOf(
                invalid(keyed, keys(ByteArray(31)), null), wrongKey(keyed, keys(ByteArray(32)), null), ok(keyed, TurningKeys(), null),
                no<FieldException.Host>(nothing, keys(ByteArray(65_537)), null), ok(nothing, TurningKeys(), null),
            ),
            "rest" to listOf(ok(), ok()),
            "unlock" to listOf(invalid(key(31)), invalid(key(33)), wrongKey(Kit.key(ByteArray(32))), ok(key(32))),
            "unlockWithKeystore" to listOf(
                invalid(keys(ByteArray(31))), invalid(keys(ByteArray(33))), wrongKey(keys(ByteArray(32))), ok(TurningKeys()),
            ),
            "verify" to listOf(ok(), ok()),
        )
    }
}
