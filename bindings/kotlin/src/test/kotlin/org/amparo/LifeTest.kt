package org.amparo

import amparo.Device
import amparo.FieldException
import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** Opening, closing and calling very often leaves memory and handles flat. Sizes: `amparo.opens`, `amparo.calls`. */
class LifeTest {
    @TempDir lateinit var temp: File

    private val opens = System.getProperty("amparo.opens").toInt()
    private val calls = System.getProperty("amparo.calls").toInt()

    @Test fun `opening and closing`() {
        Kit.open(temp).use { it.lock() }
        flat("opens and closes", opens) { Device.open(Kit.request(temp), Kit.key(), null).use { it.lock() } }
    }

    @Test fun `opening and closing without locking`() {
        Kit.open(temp).use { it.lock() }
        flat("opens and drops", opens / 4) { Device.open(Kit.request(temp), Kit.key(), null).close() }
    }

    @Test fun `calls, answered and refused`() = Kit.open(temp).use { device ->
        val id = device.begin("four-questions").line.id
        val none = "00".repeat(16)
        flat("calls", calls / 4) {
            device.screening(id)
            device.isLocked()
            device.lookup("trata", null, "es", 1u)
            throws<FieldException.NotFound> { device.screening(none) }
        }
    }

    @Test fun `callbacks`() {
        Kit.open(temp).use { it.lock() }
        temp.resolve("store.key").writeBytes(TurningKeys().wrap(Kit.keyBytes()))
        val device = Device.open(Kit.request(temp), Kit.key(), LogFlow())
        val none = "00".repeat(16)
        val keys = object : TurningKeys() {
            override fun unwrap(wrapped: ByteArray): ByteArray = throw IllegalStateException(CANARY)
        }
        // It is open already, so the keystore is asked in vain; each refusal writes a log line.
        flat("callbacks", calls / 20) {
            runCatching { device.unlockWithKeystore(keys) }
            runCatching { device.screening(none) }
        }
        device.use { works(it) }
    }

    @Test fun `a leak is seen by the measure that looks for it`() {
        val kept = mutableListOf<com.sun.jna.Memory>()
        val before = Held.now()
        repeat(20) { kept += com.sun.jna.Memory(1024 * 1024).apply { clear() } }
        val open = temp.resolve("open").apply { writeText("") }.inputStream()
        val after = Held.now()
        assertTrue(after.kib - before.kib > SLACK_KIB && after.handles == before.handles + 1)
        open.close()
        kept.forEach { it.close() }
    }

    /** Runs [work] to warm up, then [times] more; what is held after that may not have grown. */
    private fun flat(what: String, times: Int, work: () -> Unit) {
        repeat(maxOf(20, times / 4)) { work() }
        val before = Held.now()
        val began = System.nanoTime()
        repeat(times) { work() }
        val took = (System.nanoTime() - began) / 1_000 / times
        val after = Held.now()
        println("$times $what: ${after.kib - before.kib} KiB, ${after.handles - before.handles} handles, $took us each")
        assertEquals(before.handles, after.handles)
        assertTrue(after.kib - before.kib < SLACK_KIB, "grown by ${after.kib - before.kib} KiB")
    }

    private data class Held(val kib: Long, val handles: Int) {
        companion object {
            fun now(): Held {
                // What JNA holds for objects that are gone is let go by a cleaner thread after a collection.
                repeat(3) { System.gc(); Thread.sleep(100) }
                val status = File("/proc/self/status").readLines().single { it.startsWith("VmRSS") }
                return Held(status.filter { it.isDigit() }.toLong(), File("/proc/self/fd").list()!!.size)
            }
        }
    }

    private companion object {
        /** A leak of 100 bytes a call would be 10 MB; the heap is of fixed size, and a JVM keeps compiling. */
        const val SLACK_KIB = 8 * 1024
    }
}
