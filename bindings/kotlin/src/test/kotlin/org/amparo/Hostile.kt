package org.amparo

import amparo.AnswerValue
import amparo.ConsentRequest
import amparo.FieldException
import amparo.IdentityRequest
import amparo.KeyStore
import amparo.OpenRequest
import amparo.ShareScope
import amparo.StartRequest
import amparo.StepState
import amparo.Transport
import amparo.TransportException
import amparo.WaiverRequest
import java.nio.ByteBuffer

/** Values that break what reads them badly, for every type that crosses. */
object Hostile {
    /** Texts that no id has the form of. */
    private val TEXTS = listOf(
        "", " ", CANARY, CANARY.lowercase(), "x".repeat(100_000), "\u0000", "a\u0000b", "'; DROP TABLE fact; --",
        "../../etc/passwd", "\u202e$CANARY", "é".repeat(65), "\uD83D\uDCA5", "{}", "%s%n", "00".repeat(16),
        "0".repeat(31) + "G", "a".repeat(31), "\uD800",
    )

    /** [arguments] with each one replaced, one at a time. */
    fun each(arguments: List<Any?>): Sequence<List<Any?>> = sequence {
        for ((at, value) in arguments.withIndex()) {
            for (bad in replaced(value)) yield(arguments.toMutableList().also { it[at] = bad })
        }
    }

    private fun replaced(value: Any?): Sequence<Any?> = when (value) {
        is String -> TEXTS.asSequence()
        is UInt -> sequenceOf(0u, 1u, UInt.MAX_VALUE)
        is ULong -> sequenceOf(0uL, 1uL, Long.MAX_VALUE.toULong(), ULong.MAX_VALUE)
        is ByteArray -> bytes(value)
        is OpenRequest -> TEXTS.asSequence().map { value.copy(folder = it) } +
            bytes(value.rootJson).map { value.copy(rootJson = it) }
        is KeyStore -> keystores()
        is Transport -> lines()
        is ByteBuffer -> sequenceOf(0, 31, 33, 100_000).map { ByteBuffer.allocateDirect(it) } + ByteBuffer.allocate(32)
        is List<*> -> lists(value)
        is AnswerValue -> answers()
        is StepState -> TEXTS.asSequence().flatMap { sequenceOf(StepState.Skipped(it), StepState.Impossible(it)) }
        is StartRequest -> TEXTS.asSequence().flatMap {
            sequenceOf(
                value.copy(checklist = it), value.copy(case = it), value.copy(lang = it),
                value.copy(place = value.place.copy(country = it)), value.copy(place = value.place.copy(post = it)),
                value.copy(place = value.place.copy(area = it)),
            )
        }
        is ConsentRequest -> TEXTS.asSequence().flatMap { sequenceOf(value.copy(receiver = it), value.copy(lang = it)) } +
            value.copy(scope = List(10_000) { ShareScope.IDENTITY })
        is WaiverRequest -> TEXTS.asSequence().flatMap { sequenceOf(value.copy(document = it), value.copy(place = it)) }
        is IdentityRequest -> TEXTS.asSequence().map { value.copy(value = it) }
        else -> emptySequence()
    }

    /** Transports that give and throw what no transport should. */
    private fun lines(): Sequence<Transport> {
        val replies = listOf(
            ByteArray(1), ByteArray(100_000), ByteArray(100_000) { -1 }, ByteArray(20_000) { if (it % 2 == 0) 0x82.toByte() else 0 },
            ByteArray(100_000) { 0x9F.toByte() }, byteArrayOf(0x5B, -1, -1, -1, -1, -1, -1, -1, -1), CANARY.toByteArray(),
        )
        val thrown = listOf(
            IllegalStateException(CANARY), InterruptedException(CANARY), FieldException.Host(CANARY), TransportException.Offline(),
            TransportException.Refused(0u), TransportException.Cut(CANARY.toByteArray()), TransportException.Failed(),
        )
        return replies.asSequence().map { reply -> Line { reply } } + thrown.asSequence().map { e -> Line { throw e } } + Line { it }
    }

    private fun keystores() = sequenceOf(0, 1, 32, 33, 100_000).map { giving(ByteArray(it)) } + object : KeyStore {
        override fun wrap(plain: ByteArray): ByteArray = throw IllegalStateException(CANARY)
        override fun unwrap(wrapped: ByteArray): ByteArray = throw IllegalStateException(CANARY)
    }

    /** A keystore that gives this whatever it is asked. */
    fun giving(bytes: ByteArray) = object : KeyStore {
        override fun wrap(plain: ByteArray) = bytes
        override fun unwrap(wrapped: ByteArray) = bytes
    }

    private fun bytes(value: ByteArray) = sequenceOf(
        ByteArray(0), ByteArray(31), value.copyOf(value.size - 1), value + 0, ByteArray(1000) { 0xA4.toByte() },
        CANARY.toByteArray(), value.copyOf().also { it[50] = (it[50].toInt() xor 0xFF).toByte() },
    )

    private fun lists(value: List<*>): Sequence<List<Any?>> = sequence {
        yield(List(200) { value }.flatten())
        if (value.firstOrNull() is ByteArray) {
            yield(listOf(ByteArray(0)))
            yield(listOf(CANARY.toByteArray()))
        }
        if (value.isEmpty()) {
            for (text in TEXTS) yield(listOf(text))
            yield(List(10_000) { "check-$it" })
        }
    }

    private fun answers(): Sequence<AnswerValue> = sequence {
        for (text in TEXTS) {
            yield(AnswerValue.Text(text))
            yield(AnswerValue.Choice(text))
            yield(AnswerValue.Choices(listOf(text, text)))
            yield(AnswerValue.Date(text))
        }
        yield(AnswerValue.Choices(List(5000) { "o$it" }))
        for (number in listOf(Long.MIN_VALUE, -1, Long.MAX_VALUE)) yield(AnswerValue.Number(number))
        for ((lowest, highest) in listOf(0 to 0, 200 to 1, 0 to 255, 255 to 255)) {
            yield(AnswerValue.Age(lowest.toUByte(), highest.toUByte()))
        }
        for (date in listOf("9999-12-31", "-9999-01-01", "-009999-01-01", "2026-02-30")) yield(AnswerValue.Date(date))
    }
}
