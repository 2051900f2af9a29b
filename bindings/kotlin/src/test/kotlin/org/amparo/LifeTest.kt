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
        val kept = mutableListOf<AutoCloseable>()
        val file = temp.resolve("open").apply { writeText("") }
        val grown = quarters(20) {
            // Large, so that what the allocator kept from earlier tests does not hide it.
            kept += com.sun.jna.Memory(8L * 1024 * 1024).apply { clear() }
            kept += file.inputStream()
        }
        assertTrue(grown.minOf { it.kib } > SLACK_KIB && grown.all { it.handles == 5 }, "$grown")
        kept.forEach { it.close() }
    }

    /** Runs [work] to warm up, then [times] more; what is held after that may not have grown. */
    private fun flat(what: String, times: Int, work: () -> Unit) {
        repeat(maxOf(20, times / 4)) { work() }
        val began = System.nanoTime()
        val grown = quarters(times, work)
        val took = (System.nanoTime() - began) / 1_000 / times
        println("$times $what: ${grown.map { it.kib }} KiB, ${grown.sumOf { it.handles }} handles, $took us each")
        // A leak grows in every quarter; a JVM that compiles or opens /dev/random once, or an allocator that keeps,
        // does not.
        assertTrue(grown.minOf { it.handles } <= 0, "$grown")
        assertTrue(grown.minOf { it.kib } < SLACK_KIB, "$grown")
    }

    /** What each quarter of the runs left behind. */
    private fun quarters(times: Int, work: () -> Unit): List<Held> {
        var before = Held.now()
        return List(4) {
            repeat(times / 4) { work() }
            val after = Held.now()
            Held(after.kib - before.kib, after.handles - before.handles).also { before = after }
        }
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
        /** For a quarter: 80 bytes a call, or 2 KB an open, would be more. */
        const val SLACK_KIB = 512
    }
}
