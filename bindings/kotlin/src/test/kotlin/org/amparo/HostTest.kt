package org.amparo

import amparo.AnswerValue
import amparo.Device
import amparo.FieldException
import amparo.KeyStore
import amparo.LogLevel
import amparo.LogSink
import amparo.NextView
import amparo.Proceed
import amparo.ProgressListener
import amparo.UnknownReason
import java.io.File
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What the host gives in (keystore, log, listener) throws, blocks, calls back; threads by the dozen. */
class HostTest {
    @TempDir lateinit var temp: File

    @Test fun `the first run makes the key and later ones find it`() {
        Device.openWithKeystore(Kit.request(temp), TurningKeys(), null).use { it.lock() }
        val wrapped = temp.resolve("store.key").readBytes()
        assertEquals(32, wrapped.size)
        Device.open(Kit.request(temp), Kit.key(TurningKeys().unwrap(wrapped)), null).use { works(it) }
        temp.resolve("store.key").delete()
        val store = temp.resolve("store.db").readBytes()
        throws<FieldException.KeyLost> { Device.openWithKeystore(Kit.request(temp), TurningKeys(), null) }
        assertArrayEquals(store, temp.resolve("store.db").readBytes())
    }

    @Test fun `a keystore that throws`() {
        Device.openWithKeystore(Kit.request(temp), TurningKeys(), null).use { it.lock() }
        val throwing = listOf(
            FieldException.KeyLost() to FieldException.KeyLost::class,
            FieldException.NeedsUser() to FieldException.NeedsUser::class,
            FieldException.WrongKey() to FieldException.WrongKey::class,
            IllegalStateException(CANARY) to FieldException.Host::class,
            StackOverflowError("synthetic; printed by JNA, which the layer prevents") to FieldException.Host::class,
            InterruptedException(CANARY) to FieldException.Host::class,
        )
        for ((thrown, expected) in throwing) {
            val keys = object : TurningKeys() {
                override fun unwrap(wrapped: ByteArray): ByteArray = throw thrown
            }
            val e = throws<FieldException> { Device.openWithKeystore(Kit.request(temp), keys, null) }
            assertEquals(expected, e::class)
        }
        Device.openWithKeystore(Kit.request(temp), TurningKeys(), null).use { works(it) }
    }

    @Test fun `a keystore that gives nonsense`() {
        fun giving(bytes: ByteArray) = object : KeyStore {
            override fun wrap(plain: ByteArray) = bytes
            override fun unwrap(wrapped: ByteArray) = bytes
        }
        Device.openWithKeystore(Kit.request(temp.resolve("s")), TurningKeys(), null).use { it.lock() }
        for (size in listOf(0, 1, 33, 100_000)) {
            throws<FieldException.InvalidInput> { Device.openWithKeystore(Kit.request(temp.resolve("s")), giving(ByteArray(size)), null) }
        }
        for (size in listOf(0, 100_000)) {
            throws<FieldException.Host> { Device.openWithKeystore(Kit.request(temp.resolve("n")), giving(ByteArray(size)), null) }
        }
        throws<FieldException.WrongKey> { Device.openWithKeystore(Kit.request(temp.resolve("s")), giving(ByteArray(32)), null) }
    }

    @Test fun `a log that throws, calls back, or locks`() {
        Kit.open(temp).use { it.lock() }
        var heard = 0
        var act: () -> Unit = { throw IllegalStateException(CANARY) }
        val log = object : LogSink {
            override fun write(level: LogLevel, code: String, text: String) {
                heard++
                act()
            }
        }
        val device = Device.open(Kit.request(temp), Kit.key(), log)
        val id = device.begin().line.id
        val none = "00".repeat(16)
        throws<FieldException.NotFound> { device.screening(none) }
        act = {
            assertEquals(id, device.screening(id).line.id)
            if (heard < 20) throws<FieldException.NotFound> { device.screening(none) }
        }
        throws<FieldException.NotFound> { device.screening(none) }
        assertTrue(heard >= 20)
        act = { if (!device.isLocked()) device.lock() }
        throws<FieldException.NotFound> { device.screening(none) }
        assertTrue(device.isLocked())
        act = {}
        device.unlock(Kit.key())
        device.use { works(it, id) }
    }

    private fun listener(act: (Int) -> Proceed) = object : ProgressListener {
        override fun progress(done: UInt, total: UInt) = act(done.toInt())
    }

    @Test fun `a listener stops, throws, calls back`() = Device.create(Kit.request(temp), Kit.key(), null).use { device ->
        throws<FieldException.Interrupted> {
            device.installPacks(Kit.packs, listener { if (it == 3) Proceed.STOP else Proceed.GO_ON })
        }
        assertEquals(3u, device.diagnostics().packs)
        throws<FieldException.Host> { device.installPacks(Kit.packs, listener { throw IllegalStateException(CANARY) }) }
        throws<FieldException.DiskFull> { device.installPacks(Kit.packs, listener { throw FieldException.DiskFull() }) }
        val all = device.installPacks(Kit.packs, listener { device.diagnostics(); works(device); Proceed.GO_ON })
        assertEquals(Kit.packs.size, all.size)
        works(device)
    }

    @Test fun `another thread cancels, and a blocked listener holds nobody up`() {
        val device = Device.create(Kit.request(temp), Kit.key(), null)
        val reached = CountDownLatch(1)
        val cancel = CountDownLatch(1)
        var caught: Throwable? = null
        val worker = thread {
            caught = runCatching {
                device.installPacks(Kit.packs, listener {
                    if (it < 2) return@listener Proceed.GO_ON
                    reached.countDown()
                    check(cancel.await(60, SECONDS))
                    Proceed.STOP
                })
            }.exceptionOrNull()
        }
        assertTrue(reached.await(60, SECONDS))
        assertEquals(2u, device.diagnostics().packs)
        works(device)
        cancel.countDown()
        worker.join(60_000)
        assertEquals(FieldException.Interrupted::class, caught!!::class)
        device.use { works(it) }
    }

    @Test fun `sixteen threads`() {
        val device = Kit.open(temp)
        val faults = ConcurrentHashMap.newKeySet<Throwable>()
        val done = ConcurrentHashMap.newKeySet<String>()
        val threads = List(16) {
            thread {
                try {
                    var view = device.begin()
                    repeat(5) {
                        val item = (view.next as NextView.Ask).question.item
                        view = device.answer(view.line.id, item, AnswerValue.Unknown(UnknownReason.NOT_OBSERVABLE))
                        // The view is of this screening and of this moment, whatever the others do.
                        check(view.previous == item)
                        device.lookup("trata", null, "es", 2u)
                    }
                    done += view.line.id
                } catch (e: Throwable) {
                    faults += e
                }
            }
        }
        threads.forEach { it.join(120_000) }
        faults.firstOrNull()?.let { throw it }
        assertEquals(16, done.size)
        assertEquals(16u, device.screenings(0u, 500u).total)
        device.use { works(it) }
    }

    @Test fun `locking and closing while others work`() {
        val device = Kit.open(temp)
        val id = device.begin().line.id
        val stop = AtomicBoolean()
        val seen = ConcurrentHashMap.newKeySet<Any>()
        val threads = List(8) {
            thread {
                while (!stop.get()) seen += runCatching { device.screening(id) }.exceptionOrNull()?.javaClass ?: "view"
            }
        }
        repeat(10) {
            device.lock()
            device.unlock(Kit.key())
        }
        device.lock()
        device.close()
        stop.set(true)
        threads.forEach { it.join(60_000) }
        // After `close` the generated object throws its own: the layer makes that a FieldException.
        assertTrue(setOf("view", FieldException.WrongState::class.java, IllegalStateException::class.java).containsAll(seen), "$seen")
        Device.open(Kit.request(temp), Kit.key(), null).use { works(it, id) }
    }
}
