package org.amparo

import java.io.File
import kotlinx.coroutines.runBlocking
import org.amparo.example.demo
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir

/** What the README shows compiles and runs, word by word. */
class ReadmeTest {
    @TempDir lateinit var temp: File

    @Test fun `the code of the README is the example that runs`() {
        val shown = File("README.md").readText().substringAfter("```kotlin\n").substringBefore("```")
        val example = File("example/org/amparo/example/Demo.kt").readText().substringAfter("\n\n")
        assertEquals(shown, example)
        runBlocking { demo(temp, TurningKeys(), Kit.root, Kit.packs) }
        runBlocking { demo(temp, TurningKeys(), Kit.root, Kit.packs) }
    }
}
