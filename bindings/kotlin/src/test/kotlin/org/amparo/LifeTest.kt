package org.amparo

import amparo.Device
import amparo.FieldException
import com.sun.jna.Library
import com.sun.jna.Native
import com.sun.jna.Structure
import java.io.File
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
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
        val bytes = windows(400) { kept += com.sun.jna.Memory(4096) }
        assertTrue(median(bytes) { it.bytes } > SLACK_BYTES, "$bytes")
        val handles = windows(400) { kept += file.inputStream() }
        assertTrue(median(handles) { it.handles.toLong() } == 50L, "$handles")
        kept.forEach { it.close() }
    }

    /** Runs [work] to warm up, then [times] more; what is held after that may not have grown. */
    private fun flat(what: String, times: Int, work: () -> Unit) {
        repeat(maxOf(20, times / WINDOWS)) { work() }
        val resident = residentKib()
        val began = System.nanoTime()
        val grown = windows(times, work)
        val took = (System.nanoTime() - began) / 1_000 / times
        println(
            "$times $what: ${grown.map { it.bytes }} bytes, ${grown.sumOf { it.handles }} handles held more; " +
                "${residentKib() - resident} KiB resident; $took us each",
        )
        // A leak grows in every window; a JVM that compiles, or opens /dev/random once, grows and shrinks in some.
        assertTrue(median(grown) { it.handles.toLong() } <= 0, "$grown")
        assertTrue(median(grown) { it.bytes } < SLACK_BYTES, "$grown")
    }

    private fun median(grown: List<Held>, of: (Held) -> Long) = grown.map(of).sorted()[WINDOWS / 2]

    /** What each part of the runs left behind. */
    private fun windows(times: Int, work: () -> Unit): List<Held> {
        var before = Held.settled(Held(0, 0))
        return List(WINDOWS) {
            repeat(times / WINDOWS) { work() }
            val after = Held.settled(before)
            Held(after.bytes - before.bytes, after.handles - before.handles).also { before = after }
        }
    }

    /** What is held: bytes that the allocator has given out, open files. Counts, which neither time nor others change. */
    private data class Held(val bytes: Long, val handles: Int) {
        companion object {
            private fun now() = LIBC.mallinfo2().let { Held(it.uordblks + it.hblkhd, File("/proc/self/fd").list()!!.size) }

            /**
             * What JNA and the JVM hold for objects that are gone is let go by a cleaner thread some time after a
             * collection: waits for that, and no longer. A leak is what no waiting lets go.
             */
            fun settled(before: Held): Held {
                repeat(30) {
                    System.gc()
                    Thread.sleep(20)
                    val now = now()
                    if (now.bytes <= before.bytes + SLACK_BYTES / 4 && now.handles <= before.handles) return now
                }
                return now()
            }
        }
    }

    private fun residentKib() =
        File("/proc/self/status").readLines().single { it.startsWith("VmRSS") }.filter { it.isDigit() }.toLong()

    /** What glibc's allocator says of itself, in bytes. */
    @Structure.FieldOrder(
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )
    class Mallinfo : Structure(), Structure.ByValue {
        @JvmField var arena = 0L
        @JvmField var ordblks = 0L
        @JvmField var smblks = 0L
        @JvmField var hblks = 0L
        @JvmField var hblkhd = 0L
        @JvmField var usmblks = 0L
        @JvmField var fsmblks = 0L
        @JvmField var uordblks = 0L
        @JvmField var fordblks = 0L
        @JvmField var keepcost = 0L
    }

    interface LibC : Library {
        fun mallinfo2(): Mallinfo
    }

    private companion object {
        const val WINDOWS = 8

        /** For a window: a kilobyte for each of 1,000 opens, or 40 bytes for each of 25,000 calls, would be more. */
        const val SLACK_BYTES = 128 * 1024L

        /** Of glibc 2.33 or later; without it the test says that it did not run. */
        val LIBC: LibC by lazy {
            val libc = runCatching { Native.load("c", LibC::class.java).also { it.mallinfo2() } }
            assumeTrue(libc.isSuccess, "needs mallinfo2 of glibc")
            libc.getOrThrow()
        }
    }
}
