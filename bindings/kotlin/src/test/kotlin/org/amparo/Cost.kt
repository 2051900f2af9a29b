package org.amparo

import amparo.AnswerValue
import amparo.Device
import amparo.FfiConverterTypeScreeningView
import amparo.NextView
import amparo.RustBuffer
import amparo.ScreeningView
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.file.Files
import org.junit.jupiter.api.Test

/**
 * What a call costs from the JVM: printed, never asserted. Not among the tests: `cargo xtask bindings --bench`, with a
 * release library; or `mvn -Dtest=Cost test`, with one for tests, which is slower.
 */
class Cost {
    @Test fun cost() {
        // On the disk of the checkout: the temporary folder of a system is often memory, which does not sync.
        val folder = Files.createTempDirectory(File("target").absoluteFile.toPath(), "cost").toFile()
        try {
            Kit.open(folder).use(::measure)
        } finally {
            folder.deleteRecursively()
        }
    }

    private fun measure(device: Device) {
        val view = device.begin()
        val id = view.line.id
        val first = (view.next as NextView.Ask).question
        println("view at the first question: ${bytes(view)} bytes")
        cost("isLocked", 2_000) { device.isLocked() }
        cost("screenings(0, 10)", 200) { device.screenings(0u, 10u) }
        cost("lookup(trata, 5)", 100) { device.lookup("trata", "CL", "es", 5u) }
        cost("screening", 50) { device.screening(id) }
        var lowest = 18
        cost("answer (on disk)", 30) {
            lowest = 18 + (lowest + 1) % 40
            device.answer(id, first.item, AnswerValue.Age(lowest.toUByte(), 70u))
        }
        val lit = Lit.walk(device)
        println("view at the end: ${bytes(device.screening(lit.id))} bytes; with contacts: ${bytes(device.contacts(lit.id, emptyList()))} bytes")
        cost("screening at the end", 50) { device.screening(lit.id) }
        cost("contacts", 20) { device.contacts(lit.id, emptyList()) }
    }

    private fun bytes(view: ScreeningView): Long {
        val buffer = FfiConverterTypeScreeningView.lower(view)
        return buffer.len.also { RustBuffer.free(buffer) }
    }

    private fun cost(what: String, calls: Int, work: () -> Unit) {
        repeat(calls) { work() }
        val processor = ManagementFactory.getThreadMXBean()
        val batches = List(9) {
            val began = System.nanoTime()
            val spent = processor.currentThreadCpuTime
            repeat(calls) { work() }
            (processor.currentThreadCpuTime - spent) / 1_000.0 / calls to (System.nanoTime() - began) / 1_000.0 / calls
        }
        val (cpu, wall) = batches.map { it.first }.sorted()[4] to batches.map { it.second }.sorted()[4]
        println("%-24s %10.1f us of processor, %10.1f us in all (medians of 9 batches of %d)".format(what, cpu, wall, calls))
    }
}
