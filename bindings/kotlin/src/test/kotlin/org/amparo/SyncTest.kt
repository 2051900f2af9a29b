package org.amparo

import amparo.AnswerValue
import amparo.Device
import amparo.FieldException
import amparo.FrameRefusal
import amparo.Headquarters
import amparo.NextView
import amparo.Proceed
import amparo.ProgressListener
import amparo.ReferralState
import amparo.ScreeningId
import amparo.SyncEnd
import amparo.SyncLevel
import amparo.Transport
import amparo.TransportException
import amparo.UnknownReason
import java.io.File
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Sync with a headquarters in memory, and with transports that throw, lie, block, call back, and come by the dozen. */
class SyncTest {
    @TempDir lateinit var temp: File

    private lateinit var device: Device
    private lateinit var hq: Headquarters
    private lateinit var id: ScreeningId
    private lateinit var line: Line

    /** An enrolled device that knows the demonstration agencies, with a closed screening. */
    @BeforeEach fun field() {
        device = Kit.open(temp)
        hq = Headquarters()
        line = Line(hq::exchange)
        device.installPack(Kit.recipients)
        device.enrolled(hq.enrol(device.enrolmentRequest(hq.ticket())))
        id = closed()
    }

    @AfterEach fun close() = device.close()

    private fun closed(): ScreeningId {
        val first = device.begin()
        val question = (first.next as NextView.Ask).question
        device.answer(first.line.id, question.item, AnswerValue.Unknown(UnknownReason.NOT_OBSERVABLE))
        device.recordOutcome(first.line.id)
        device.closeScreening(first.line.id)
        return first.line.id
    }

    private fun level(of: ScreeningId = id) = device.syncState().screenings.single { it.id == of }.level

    private fun sync(transport: Transport = line, listener: ProgressListener? = null) = device.sync(transport, listener)

    private fun listener(act: (Int) -> Proceed) = object : ProgressListener {
        override fun progress(done: UInt, total: UInt) = act(done.toInt())
    }

    private fun works() {
        works(device, id)
        assertEquals(SyncEnd.Done, sync().end)
        assertEquals(0uL, device.syncState().waiting)
    }

    @Test fun `from sealed to an answer`() {
        assertEquals(SyncLevel.SEALED, level())
        val report = sync()
        assertEquals(SyncEnd.Done, report.end)
        assertTrue(report.receipts > 0uL && report.aside.isEmpty() && report.refused.isEmpty())
        assertEquals(line.uploads.sumOf { it.size }, report.upBytes.toInt())
        assertTrue(level() >= SyncLevel.DURABLE)
        val case = device.screening(id).line.case
        hq.ask(case, "synthetic follow-up")
        assertEquals(1uL, sync().entries)
        val letter = device.syncState().followUps.single()
        assertEquals(listOf("synthetic follow-up", case, "demo-agency-chile"), listOf(letter.text, letter.case, letter.agency))
        works()
    }

    @Test fun `a referral is answered`() {
        val (walked, lit) = Kit.lit(temp.resolve("walked"))
        walked.use {
            val hq = Headquarters()
            it.installPack(Kit.recipients)
            it.enrolled(hq.enrol(it.enrolmentRequest(hq.ticket())))
            val referral = it.refer(lit.id, "cl-sernameg-shelter", null).referral
            it.moveReferral(lit.id, referral, ReferralState.SENT, null)
            it.closeScreening(lit.id)
            it.sync(Line(hq::exchange), null)
            hq.answer(referral, ReferralState.ACCEPTED)
            assertEquals(SyncEnd.Done, it.sync(Line(hq::exchange), null).end)
            assertEquals(SyncLevel.ANSWERED, it.syncState().screenings.single { line -> line.id == lit.id }.level)
            assertEquals(ReferralState.ACCEPTED, it.screening(lit.id).referrals.single { line -> line.id == referral }.state)
            works(it, lit.id)
        }
    }

    @Test fun `without an enrolment`() = Kit.open(temp.resolve("alone")).use { alone ->
        assertEquals(null, alone.enrolment())
        assertEquals("not-enrolled", throws<FieldException.WrongState> { alone.sync(line, null) }.code)
        assertEquals("not-enrolled", throws<FieldException.WrongState> { alone.exportBundle() }.code)
        assertEquals("enrolment-not-asked", throws<FieldException.WrongState> { alone.enrolled(ByteArray(0)) }.code)
        assertTrue(line.uploads.isEmpty())
        works(alone)
    }

    @Test fun `by files`() {
        val volumes = device.exportBundle()
        assertEquals(volumes.size, volumes.map { it.name }.toSet().size)
        for (volume in volumes) {
            for (replies in hq.carry(volume.bytes)) {
                assertTrue(device.importBundle(replies).receipts > 0uL)
                assertEquals(0uL, device.importBundle(replies).receipts)
            }
        }
        assertTrue(level() >= SyncLevel.DURABLE)
        works()
    }

    @Test fun `a revoked device is told and wiped`() {
        sync()
        hq.revoke()
        sync()
        assertTrue(device.syncState().revokedMs!! > 0)
        assertEquals(1uL, device.wipe().screenings)
        assertEquals("purged", throws<FieldException.NotFound> { device.screening(id) }.what)
        assertEquals(1u, device.screenings(0u, 9u).total)
        closed()
        assertEquals(setOf(FrameRefusal.REVOKED), sync().refused.map { it.why }.toSet())
        works(device, id)
    }

    @Test fun `how it ends`() {
        val ends = listOf<Pair<() -> ByteArray, SyncEnd>>(
            { throw TransportException.Offline() } to SyncEnd.Offline,
            { throw TransportException.Refused(503u) } to SyncEnd.Refused(503u),
            { ByteArray(0) } to SyncEnd.Stuck,
            { ByteArray(20_000_000) } to SyncEnd.Stuck,
            { CANARY.toByteArray() } to SyncEnd.Stuck,
            { throw TransportException.Cut(ByteArray(0)) } to SyncEnd.Cut,
            { throw TransportException.Cut(ByteArray(1000) { 0x82.toByte() }) } to SyncEnd.Cut,
        )
        for ((n, pair) in ends.withIndex()) {
            val report = sync(Line { pair.first() })
            assertEquals(pair.second, report.end)
            assertEquals(0uL, report.receipts + report.entries)
            assertEquals(if (n < 2) SyncLevel.SEALED else SyncLevel.SENT, level())
        }
        works()
    }

    @Test fun `a transport that throws what none should`() {
        val all = listOf(
            IllegalStateException(CANARY), FieldException.DiskFull(), TransportException.Failed(),
            StackOverflowError("synthetic; printed by JNA, which the layer prevents"), InterruptedException(CANARY),
        )
        for (thrown in all) {
            assertEquals("transport", throws<FieldException.Host> { sync(Line { throw thrown }) }.code)
        }
        works()
    }

    @Test fun `a listener stops and throws`() {
        val before = sync(listener = listener { Proceed.STOP })
        assertTrue(before.end == SyncEnd.Stopped && line.uploads.isEmpty())
        val after = sync(listener = listener { if (it == 0) Proceed.GO_ON else Proceed.STOP })
        assertTrue(after.end == SyncEnd.Stopped && line.uploads.size == 1)
        throws<FieldException.Host> { sync(listener = listener { throw IllegalStateException(CANARY) }) }
        throws<FieldException.DiskFull> { sync(listener = listener { if (it == 1) throw FieldException.DiskFull() else Proceed.GO_ON }) }
        works()
    }

    @Test fun `a blocked transport holds nobody up, and another thread cancels`() {
        val reached = CountDownLatch(1)
        val release = CountDownLatch(1)
        val cancelled = AtomicBoolean()
        var end: SyncEnd? = null
        val worker = thread {
            val blocked = Line {
                reached.countDown()
                check(release.await(60, SECONDS))
                hq.exchange(it)
            }
            end = sync(blocked, listener { if (cancelled.get()) Proceed.STOP else Proceed.GO_ON }).end
        }
        assertTrue(reached.await(60, SECONDS))
        closed()
        works()
        cancelled.set(true)
        release.countDown()
        worker.join(60_000)
        assertEquals(SyncEnd.Stopped, end)
        works()
    }

    @Test fun `a transport that calls back`() {
        val inner = AtomicInteger()
        lateinit var back: Line
        back = Line {
            works(device, id)
            if (inner.incrementAndGet() <= 3) {
                closed()
                device.sync(back, null)
                device.purgeDue()
                device.exportBundle()
            }
            hq.exchange(it)
        }
        // The replies of the outer one are old by then.
        assertTrue(sync(back).end in setOf(SyncEnd.Done, SyncEnd.Stuck))
        assertTrue(inner.get() > 3)
        works()
    }

    @Test fun `a transport that locks`() {
        val locks = Line {
            device.lock()
            throws<FieldException.WrongState> { device.syncState() }
            throws<FieldException.Busy> { device.unlock(Kit.key()) }
            hq.exchange(it)
        }
        assertEquals("locked", throws<FieldException.WrongState> { sync(locks) }.code)
        device.unlock(Kit.key())
        // What came after the lock was not applied; it comes again.
        assertTrue(level() < SyncLevel.STORED)
        works()
    }

    @Test fun `sixteen threads`() {
        val faults = ConcurrentHashMap.newKeySet<Throwable>()
        val threads = List(16) {
            thread {
                try {
                    closed()
                    repeat(3) { sync(Line(hq::exchange)) }
                } catch (e: Throwable) {
                    faults += e
                }
            }
        }
        threads.forEach { it.join(300_000) }
        faults.firstOrNull()?.let { throw it }
        works()
        assertTrue(device.syncState().screenings.all { it.level >= SyncLevel.DURABLE })
        assertEquals(0uL, device.syncState().aside)
    }

    private fun layer(work: suspend (AmparoDevice) -> Unit) = runBlocking {
        withTimeout(120_000) {
            Kit.device(temp.resolve("layer")).use { layer ->
                val ticket = hq.ticket()
                assertEquals("http://127.0.0.1/", layer.ticketUrl(ticket))
                layer.enrolled(hq.enrol(layer.enrolmentRequest(ticket)))
                work(layer)
                assertTrue(layer.verify().whole)
            }
        }
    }

    @Test fun `the layer syncs`() = layer { layer ->
        layer.start("four-questions", Kit.place, "es").run { recordOutcome(); closeScreening() }
        val heard = mutableListOf<Int>()
        val report = layer.sync(line) { heard += it }
        assertEquals(SyncEnd.Done, report.end)
        assertEquals((0..report.exchanges.toInt()).toList(), heard)
        assertEquals(0uL, layer.syncState().waiting)
        assertEquals("synthetic-agency", layer.enrolment()?.agency)
        for (volume in layer.exportBundle()) hq.carry(volume.bytes).forEach { layer.importBundle(it) }
        assertEquals(0uL, layer.purgeDue().failed)
        assertEquals(1uL, layer.wipe().screenings)
        val own = runCatching { layer.sync(line) { error("synthetic") } }.exceptionOrNull()
        assertEquals("synthetic", own?.message)
        for (thrown in listOf(StackOverflowError(CANARY), Exception(CANARY))) {
            val printed = java.io.ByteArrayOutputStream()
            val stderr = System.err
            System.setErr(java.io.PrintStream(printed))
            try {
                throws<FieldException.Host> { layer.sync(Line { throw thrown }) }
            } finally {
                System.setErr(stderr)
            }
            assertFalse(CANARY in printed.toString())
        }
    }

    @Test fun `a cancelled coroutine interrupts a transport that waits`() = layer { layer ->
        val reached = CompletableDeferred<Unit>()
        val interrupted = CountDownLatch(1)
        val waits = Line {
            reached.complete(Unit)
            try {
                CountDownLatch(1).await()
            } catch (e: InterruptedException) {
                interrupted.countDown()
                throw e
            }
            it
        }
        runBlocking {
            val job = launch(Dispatchers.Default) { layer.sync(waits) }
            reached.await()
            job.cancel()
            job.join()
            assertTrue(job.isCancelled && interrupted.count == 0L)
        }
        assertEquals(SyncEnd.Done, layer.sync(line).end)
    }
}
