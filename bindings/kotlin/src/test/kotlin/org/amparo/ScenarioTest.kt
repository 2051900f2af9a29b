package org.amparo

import amparo.scenarioDevice
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/** Each scenario gives, through Kotlin, the full result that its golden file holds. */
class ScenarioTest {
    @TempDir lateinit var temp: File

    @TestFactory fun scenarios() = files.map { file ->
        dynamicTest(file.nameWithoutExtension) {
            val golden = Json.parseToJsonElement(Kit.tests.resolve("golden/${file.name}").readText()).jsonObject
            val result = run(file, temp.resolve(file.nameWithoutExtension))
            assertEquals(golden.keys, result.keys)
            for ((part, expected) in golden) same(part, withoutWhy(expected), result.getValue(part))
        }
    }.also { assertTrue(files.size >= 10, "there are scenarios") }

    private fun run(file: File, folder: File): JsonObject {
        val scenario = Json.parseToJsonElement(file.readText()).jsonObject
        assertTrue(scenario.getValue("synthetic").jsonPrimitive.boolean)
        val at = scenario.getValue("at").jsonPrimitive.content
        val seed = scenario.getValue("seed").jsonPrimitive.long.toULong()
        val raw = scenarioDevice(Kit.request(folder), Kit.key(ByteArray(32) { 7 }), at, seed)
        return AmparoDevice(raw, Dispatchers.IO, LogFlow()).use { device ->
            runBlocking {
                device.installPacks(Kit.packs)
                ScenarioRun(device, raw, scenario).go()
            }
        }
    }

    /** `why` holds the words of the core's own errors, which do not cross; their class does. */
    private fun withoutWhy(part: JsonElement): JsonElement = when (part) {
        is kotlinx.serialization.json.JsonArray -> kotlinx.serialization.json.JsonArray(part.map { move ->
            if (move is JsonObject && "move" in move) JsonObject(move - "why") else move
        })
        else -> part
    }

    /** Compares and names the place where they differ. */
    private fun same(place: String, expected: JsonElement, found: JsonElement) {
        if (expected is JsonObject && found is JsonObject) {
            assertEquals(expected.keys, found.keys, place)
            for ((key, value) in expected) same("$place/$key", value, found.getValue(key))
        } else if (expected is kotlinx.serialization.json.JsonArray && found is kotlinx.serialization.json.JsonArray) {
            assertEquals(expected.size, found.size, place)
            expected.zip(found).forEachIndexed { at, (e, f) -> same("$place/$at", e, f) }
        } else {
            assertEquals(expected, found, place)
        }
    }

    private companion object {
        val files = Kit.tests.resolve("scenarios").listFiles { file -> file.extension == "json" }!!.sorted()
    }
}
