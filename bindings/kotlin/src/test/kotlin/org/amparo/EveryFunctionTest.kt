package org.amparo

import amparo.AnswerValue
import amparo.Device
import amparo.DeviceInterface
import amparo.FieldException
import amparo.IdentityField
import amparo.IdentityRequest
import amparo.OpenRequest
import amparo.ReferralState
import amparo.StartRequest
import amparo.StepState
import amparo.setFailPoint
import java.io.File
import java.nio.charset.CharacterCodingException
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

/**
 * Every exported function with valid, hostile and boundary input, and with a panic inside. Whatever goes in, the
 * process lives, what comes out is a value or a typed exception that holds nothing of the input, the store verifies,
 * and the next call works.
 */
class EveryFunctionTest {
    @TempDir lateinit var temp: File

    @AfterEach fun noFault() = setFailPoint(null)

    /** A device on a store with a screening, whose folder also holds the key as [TurningKeys] wraps it. */
    private fun lit(name: String, work: (Device, Lit) -> Unit) {
        val folder = temp.resolve(name)
        val (device, lit) = Kit.lit(folder)
        folder.resolve("store.key").writeBytes(TurningKeys().wrap(Kit.keyBytes()))
        device.use {
            work(device, lit)
            setFailPoint(null)
            if (device.isLocked()) device.unlock(Kit.key())
            works(device, lit.id)
            device.lock()
        }
    }

    /** A folder without a store for `create`; else a copy of one, with its key file. */
    private fun folder(name: String) = temp.resolve("for-$name").also {
        if (name != "create" && !it.exists()) {
            Kit.lit(it).first.use { device -> device.lock() }
            it.resolve("store.key").writeBytes(TurningKeys().wrap(Kit.keyBytes()))
        }
    }

    private fun each(except: Set<String> = emptySet(), test: (Device, Lit, Call) -> Unit): List<DynamicTest> =
        (Table.names - except).map { name ->
            dynamicTest(name) {
                lit(name) { device, lit -> test(device, lit, Table.calls(lit, ::folder).single { it.name == name }) }
            }
        }

    @Test fun `the tables name every function`() {
        lit("all") { _, lit ->
            assertEquals(Table.names, Table.calls(lit, ::folder).map { it.name }.toSet())
            assertEquals(Table.names, Boundary.rows(lit, ::folder).keys.toSortedSet())
        }
        assertTrue(Table.makers.size == 3 && Table.names.size >= 48, "${Table.names}")
        // The snapshot is of this library, and is not read wrongly.
        val offered = DeviceInterface::class.java.declaredMethods.map { it.name.substringBefore('-') }
        assertTrue(offered.containsAll(Table.names - Table.makers))
    }

    @TestFactory fun valid() = each { device, _, call -> call.run(device, call.arguments) }

    @TestFactory fun boundary() = each { device, lit, call ->
        for ((at, row) in Boundary.rows(lit, ::folder).getValue(call.name).withIndex()) {
            val thrown = runCatching { call.run(device, row.arguments) }.exceptionOrNull()
            thrown?.let(::holdsNothingSaid)
            assertEquals(row.expected, thrown?.let { it::class }, "row $at of ${call.name}")
            if (device.isLocked()) device.unlock(Kit.key())
        }
    }

    @TestFactory fun locked() = each(except = Table.makers) { device, _, call ->
        device.lock()
        if (call.name in setOf("isLocked", "lock", "unlock", "unlockWithKeystore")) {
            call.run(device, call.arguments)
        } else {
            assertEquals("locked", throws<FieldException.WrongState> { call.run(device, call.arguments) }.code)
        }
    }

    @TestFactory fun hostile() = each { device, lit, call ->
        var refused = 0
        for (arguments in Hostile.each(call.arguments)) {
            try {
                call.run(device, arguments)
            } catch (e: Throwable) {
                // Half a surrogate never crosses: Kotlin itself refuses it. A heap buffer neither, and the layer has none.
                val own = e is CharacterCodingException || e is IllegalArgumentException && call.name in HEAP
                if (e !is FieldException && !own) throw AssertionError("not typed", e)
                holdsNothingSaid(e)
                refused++
            }
            if (device.isLocked()) device.unlock(Kit.key())
            // What closes a screening for good has done so; the next one needs another.
            if (call.name == "closeScreening" && device.screening(lit.id).line.closed) break
        }
        assertTrue(refused > 0 || call.arguments.all { it is UInt }, "nothing was refused")
    }

    @TestFactory fun `panic before`() = panics("")

    @TestFactory fun `panic after`() = panics(":after")

    private fun panics(at: String) = each(except = Table.makers + "isLocked") { device, _, call ->
        val inner = if (call.name == "installPacks") "installPack" else call.name
        setFailPoint(inner.replace(Regex("[A-Z]")) { "_" + it.value.lowercase() } + at)
        assertEquals("panic", throws<FieldException.Internal> { call.run(device, call.arguments) }.code)
    }

    @TestFactory fun `panic in what makes a device`() = listOf("", ":after").flatMap { at ->
        val made = mapOf<String, () -> Unit>(
            "create" to { Device.create(Kit.request(temp.resolve("new$at".trim(':'))), Kit.key(), null) },
            "open" to { Device.open(Kit.request(temp.resolve("open")), Kit.key(), null) },
            "open_with_keystore" to { Device.openWithKeystore(Kit.request(temp.resolve("open")), TurningKeys(), null) },
        )
        made.map { (name, make) ->
            dynamicTest(name + at) {
                lit("open") { device, _ -> device.lock() }
                setFailPoint(name + at)
                assertEquals("panic", throws<FieldException.Internal>(make).code)
                setFailPoint(null)
                Device.open(Kit.request(temp.resolve("open")), Kit.key(), null).use { works(it) }
            }
        }
    }

    @Test fun `roots, folders and keys that are none`() {
        fun create(folder: String, root: ByteArray, key: ByteArray) = Device.create(OpenRequest(folder, root), Kit.key(key), null).close()
        val good = temp.resolve("good").path
        for (root in listOf("", "{}", CANARY, "[".repeat(100_000), String(Kit.root).dropLast(2))) {
            throws<FieldException.PackRejected> { create(good, root.toByteArray(), Kit.keyBytes()) }
        }
        for (key in listOf(0, 31, 33, 10_000)) {
            throws<FieldException.InvalidInput> { create(good, Kit.root, ByteArray(key)) }
        }
        for (folder in listOf("", "relative", CANARY, "/dev/null/$CANARY", "/\u0000$CANARY", "/proc/$CANARY")) {
            throws<FieldException> { create(folder, Kit.root, Kit.keyBytes()) }
        }
        create(good, Kit.root, Kit.keyBytes())
        throws<FieldException.WrongState> { create(good, Kit.root, Kit.keyBytes()) }
        throws<FieldException.WrongKey> { Device.open(Kit.request(File(good)), Kit.key(ByteArray(32)), null) }
        throws<FieldException.NotFound> { Device.open(Kit.request(temp.resolve("none")), Kit.key(), null) }
        Device.open(Kit.request(File(good)), Kit.key(), null).use { works(it) }
    }

    @Test fun `free text that is refused is in no exception and in no log line`() {
        val (shut, lit) = Kit.lit(temp.resolve("said"))
        shut.use { it.lock() }
        val log = LogFlow()
        val device = Device.open(Kit.request(temp.resolve("said")), Kit.key(), log)
        val long = CANARY.repeat(500)
        val calls = listOf<Device.() -> Unit>(
            { logStep(lit.id, lit.step, StepState.Skipped(long)) },
            { logStep(lit.id, lit.step, StepState.Impossible("\u202e$CANARY")) },
            { logStep(lit.id, CANARY.lowercase(), StepState.Done) },
            { moveReferral(lit.id, lit.referral, ReferralState.DECLINED, long) },
            { giveIdentity(lit.id, IdentityRequest(IdentityField.NAME, long)) },
            { lookup(long, null, "es", 1u) },
            { answer(lit.id, lit.item.item, AnswerValue.Text(CANARY)) },
            { refer(lit.id, CANARY.lowercase(), null) },
            { start(StartRequest(CANARY.lowercase(), null, Kit.place, "es")) },
            { installPack(CANARY.toByteArray()) },
        )
        for (call in calls) throws<FieldException> { device.call() }
        val lines = log.lines.replayCache
        assertTrue(lines.size > calls.size && "juana" !in lines.toString().lowercase())
        device.use { works(it, lit.id) }
    }

    private companion object {
        /** They take a key, and refuse one on the heap. */
        val HEAP = setOf("create", "open", "unlock")
    }
}
