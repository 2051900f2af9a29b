package org.amparo

import amparo.AnswerValue
import amparo.ConsentPurpose
import amparo.FieldException
import amparo.IdentityField
import amparo.KeyStore
import amparo.ShareScope
import java.io.File
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What `org.amparo` adds: suspending calls, a flow of states, keys that are wiped, nothing said in `toString`. */
class LayerTest {
    @TempDir lateinit var temp: File

    private val setup get() = AmparoSetup(temp, Kit.root)

    private fun test(work: suspend () -> Unit) = runBlocking { withTimeout(120_000) { work() } }

    @Test fun `a key is taken over, used from its beginning, and wiped`() = test {
        val bytes = Kit.keyBytes()
        val key = StoreKey.taking(bytes)
        assertArrayEquals(ByteArray(32), bytes)
        var lent: java.nio.ByteBuffer? = null
        key.lend { lent = it; assertEquals(31, it.get(31)) }
        assertEquals("StoreKey", "$key")
        AmparoDevice.create(setup, key).use { assertFalse(it.isLocked) }
        assertTrue(key.isWiped)
        assertEquals(0, lent!!.get(31))
        throws<FieldException.InvalidInput> { AmparoDevice.open(setup, key) }
        val wrong = StoreKey.taking(ByteArray(32))
        throws<FieldException.WrongKey> { AmparoDevice.open(setup, wrong) }
        assertTrue(wrong.isWiped)
        throws<FieldException.InvalidInput> { AmparoDevice.open(setup, StoreKey.taking(ByteArray(31))) }
        AmparoDevice.open(setup, StoreKey.taking(Kit.keyBytes())).use { assertTrue(it.verify().whole) }
    }

    @Test fun `arrays that cross to the keystore are wiped`() = test {
        val seen = mutableListOf<ByteArray>()
        val keys = object : KeyStore {
            override fun wrap(plain: ByteArray) = TurningKeys().wrap(plain).also { seen += plain }
            override fun unwrap(wrapped: ByteArray) = TurningKeys().unwrap(wrapped).also { seen += it }
        }
        AmparoDevice.open(setup, keys).use { device ->
            device.lock()
            throws<FieldException.WrongState> { device.packs("es") }
            device.unlock(keys)
            assertTrue(device.packs("es").isEmpty())
        }
        assertEquals(2, seen.size)
        seen.forEach { assertArrayEquals(ByteArray(32), it) }
    }

    @Test fun `what a keystore throws is typed, and its text goes no further`() = test {
        AmparoDevice.open(setup, TurningKeys()).use { it.lock() }
        for (thrown in listOf(StackOverflowError(CANARY), IllegalStateException(CANARY), Exception(CANARY))) {
            val keys = object : TurningKeys() {
                override fun unwrap(wrapped: ByteArray): ByteArray = throw thrown
            }
            val printed = java.io.ByteArrayOutputStream()
            val stderr = System.err
            System.setErr(java.io.PrintStream(printed))
            try {
                assertEquals("keystore", throws<FieldException.Host> { AmparoDevice.open(setup, keys) }.code)
            } finally {
                System.setErr(stderr)
            }
            assertFalse(CANARY in printed.toString())
        }
        AmparoDevice.open(setup, TurningKeys()).use { assertTrue(it.verify().whole) }
    }

    @Test fun `a screening is a flow of states`() = test {
        Kit.device(temp).use { device ->
            val screening = device.start("ilo-adult-labour", Kit.place, "es")
            val seen = mutableListOf<ScreeningState>()
            runBlocking {
                val collector = launch(Dispatchers.Unconfined) { screening.states.toList(seen) }
                while (screening.state is ScreeningState.Asking) {
                    val question = (screening.state as ScreeningState.Asking).question
                    assertEquals(screening.answer(question.item, anAnswer(question)), screening.state)
                }
                assertTrue(screening.state is ScreeningState.AtGate)
                screening.back()
                assertTrue(screening.state is ScreeningState.Asking)
                screening.refresh()
                screening.gate(screening.state.view.gateChecks.map { it.id })
                assertEquals(ConsentPurpose.TALK, (screening.state as ScreeningState.AtConsent).consent.purpose)
                screening.consent(consentRequest(ConsentPurpose.TALK))
                assertEquals(ConsentPurpose.STORE, (screening.state as ScreeningState.AtConsent).consent.purpose)
                val counter = screening.consent(consentRequest(ConsentPurpose.STORE))
                while (screening.state is ScreeningState.Asking) {
                    val question = (screening.state as ScreeningState.Asking).question
                    screening.answer(question.item, anAnswer(question))
                }
                screening.recordOutcome()
                assertTrue(screening.state is ScreeningState.AtEnd && screening.state.view.outcome.recorded)
                val service = screening.contacts().view.contacts!!.offers.first().service.id
                val referral = screening.refer(service, null)
                throws<FieldException.WrongState> { screening.packet(referral, listOf(ShareScope.NEEDS)) }
                screening.consent(consentRequest(ConsentPurpose.SHARE_SERVICE, service, ShareScope.NEEDS))
                val packet = screening.packet(referral, listOf(ShareScope.NEEDS))
                packet.use { assertEquals('{'.code.toByte(), it.bytes[0]) }
                assertTrue(packet.bytes.all { it == 0.toByte() })
                screening.withdrawConsent(counter)
                screening.closeScreening()
                assertTrue(screening.state is ScreeningState.Closed)
                collector.cancelAndJoin()
            }
            // A state flow may skip states that were overtaken, but begins and ends with the right ones.
            assertTrue(seen.size > 20 && seen.first() is ScreeningState.Asking && seen.last() is ScreeningState.Closed)
            assertEquals(screening.state, device.screening(screening.id).state)
            assertTrue(device.verify().whole)
        }
    }

    @Test fun `a refusal leaves the state as it was`() = test {
        Kit.device(temp).use { device ->
            val screening = device.start("ilo-adult-labour", Kit.place, "es")
            val before = screening.state
            throws<FieldException.InvalidInput> { screening.answer(CANARY.lowercase(), AnswerValue.Yes) }
            throws<FieldException.InvalidInput> { screening.answer("person-age", AnswerValue.Text("\uD800$CANARY")) }
            throws<FieldException.WrongState> { screening.giveIdentity(IdentityField.NAME, CANARY) }
            assertTrue(screening.state === before)
        }
    }

    @Test fun `nothing that was said is in a toString of the layer`() = test {
        Kit.device(temp).use { device ->
            val screening = device.start("ilo-adult-labour", Kit.place, "es")
            val asking = screening.state as ScreeningState.Asking
            val shown = "$device $screening ${screening.state} ${screening.states.value}"
            assertTrue(asking.question.prompt.text !in shown && asking.view.line.memorable !in shown, shown)
            assertTrue(shown.length < 200)
        }
    }

    @Test fun `after close every call is a typed exception`() = test {
        val device = Kit.device(temp)
        val screening = device.start("four-questions", Kit.place, "es")
        device.close()
        device.close()
        assertTrue(device.isLocked)
        for (call in listOf<suspend () -> Unit>(
            { device.packs("es") }, { device.lock() }, { device.unlock(StoreKey.taking(Kit.keyBytes())) },
            { screening.refresh() }, { device.installPacks(Kit.packs) },
        )) {
            assertEquals("device-closed", throws<FieldException.WrongState> { call() }.code)
        }
    }

    @Test fun `a cancelled coroutine stops an installation`() = test {
        AmparoDevice.create(setup, StoreKey.taking(Kit.keyBytes())).use { device ->
            val reached = CompletableDeferred<Unit>()
            val cancelled = CountDownLatch(1)
            runBlocking {
                val job = launch(Dispatchers.Default) {
                    device.installPacks(Kit.packs) { done, _ ->
                        if (done == 2) {
                            reached.complete(Unit)
                            cancelled.await()
                        }
                    }
                }
                reached.await()
                job.cancel()
                cancelled.countDown()
                job.join()
                assertTrue(job.isCancelled)
            }
            assertEquals(2u, device.diagnostics().packs)
            // What the app's own code throws comes back as it is.
            val own = runCatching { device.installPacks(Kit.packs) { _, _ -> error("synthetic") } }.exceptionOrNull()
            assertEquals("synthetic", own?.message)
            assertEquals(Kit.packs.size, device.installPacks(Kit.packs).size)
            assertTrue(device.verify().whole)
        }
    }

    @Test fun `a change that was recorded is shown although its caller was cancelled`() = test {
        Kit.device(temp).use { device ->
            val screening = device.start("ilo-adult-labour", Kit.place, "es")
            val first = (screening.state as ScreeningState.Asking).question
            runBlocking {
                repeat(20) {
                    val job = launch(Dispatchers.Default) {
                        try {
                            screening.answer(first.item, anAnswer(first))
                        } catch (_: CancellationException) {
                        }
                    }
                    Thread.sleep(it.toLong() % 4)
                    job.cancelAndJoin()
                }
            }
            val shown = screening.state
            assertEquals(device.screening(screening.id).state, shown)
        }
    }

    @Test fun `many coroutines on one screening end with the newest state`() = test {
        Kit.device(temp).use { device ->
            val screening = device.start("ilo-adult-labour", Kit.place, "es")
            val first = (screening.state as ScreeningState.Asking).question
            runBlocking(Dispatchers.Default) {
                List(16) { n ->
                    async {
                        repeat(5) {
                            screening.answer(first.item, AnswerValue.Age((20 + n).toUByte(), (40 + n).toUByte()))
                            screening.show(first.item)
                        }
                    }
                }.awaitAll()
            }
            screening.refresh()
            assertEquals(device.screening(screening.id).state, screening.state)
            assertTrue(device.verify().whole)
        }
    }

    @Test fun `log lines come as a flow and hold up nothing`() = test {
        Kit.device(temp).use { device ->
            val heard = device.log.replayCache.map { it.code }
            assertEquals(listOf("opened"), heard)
            repeat(200) { runCatching { device.screening("00".repeat(16)) } }
            assertEquals(64, device.log.replayCache.size)
        }
    }
}
