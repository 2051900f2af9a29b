package org.amparo

import amparo.AnswerValue
import amparo.ConsentPurpose
import amparo.ConsentRequest
import amparo.Device
import amparo.DeviceInterface
import amparo.ExceptionKind
import amparo.FieldException
import amparo.IdentityField
import amparo.IdentityRequest
import amparo.OpenRequest
import amparo.ReferralState
import amparo.ServiceKind
import amparo.ShareScope
import amparo.StartRequest
import amparo.StepState
import amparo.StopReason
import amparo.WaiverRequest
import amparo.setFailPoint
import java.io.File
import java.nio.ByteBuffer
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

    /** A function, what it takes when all is well, and how it is called with something else. */
    private class Call(val name: String, val arguments: List<Any?>, val run: Device.(List<Any?>) -> Any?)

    @Suppress("UNCHECKED_CAST")
    private fun calls(lit: Lit): List<Call> {
        fun call(name: String, vararg arguments: Any?, run: Device.(List<Any?>) -> Any?) =
            Call(name, arguments.toList(), run)
        fun List<Any?>.text(at: Int) = this[at] as String
        val statistics = consentRequest(ConsentPurpose.STATISTICS)
        val waiver = WaiverRequest(ConsentPurpose.STORE, ExceptionKind.LEGAL_DUTY, "Synthetic law 1", "art. 1", true)
        return listOf(
            call("answer", lit.id, lit.item.item, anAnswer(lit.item)) { answer(it.text(0), it.text(1), it[2] as AnswerValue) },
            call("back", lit.id, lit.item.item) { back(it.text(0), it[1] as String?) },
            call("card", lit.id, lit.referral, "es") { card(it.text(0), it.text(1), it.text(2)) },
            call("checklists", "es") { checklists(it.text(0)) },
            call("closeScreening", lit.id) { closeScreening(it.text(0)) },
            call("consent", lit.id, statistics) { consent(it.text(0), it[1] as ConsentRequest) },
            call("contacts", lit.id, listOf(ServiceKind.SHELTER)) { contacts(it.text(0), it[1] as List<ServiceKind>) },
            call("diagnostics") { diagnostics() },
            call("gate", lit.id, listOf<String>()) { gate(it.text(0), it[1] as List<String>) },
            call("giveIdentity", lit.id, IdentityRequest(IdentityField.NAME, "Synthetic")) { giveIdentity(it.text(0), it[1] as IdentityRequest) },
            call("installPack", Kit.packs[0]) { installPack(it[0] as ByteArray) },
            call("installPacks", Kit.packs.take(2)) { installPacks(it[0] as List<ByteArray>, null) },
            call("isLocked") { isLocked() },
            call("lock") { lock().also { check(isLocked()) } },
            call("logStep", lit.id, lit.step, StepState.Skipped("synthetic")) { logStep(it.text(0), it.text(1), it[2] as StepState) },
            call("lookup", "trata", "CL", "es", 3u) { lookup(it.text(0), it[1] as String?, it.text(2), it[3] as UInt) },
            call("moveReferral", lit.id, lit.referral, ReferralState.SENT, null) { moveReferral(it.text(0), it.text(1), it[2] as ReferralState, it[3] as String?) },
            call("packet", lit.id, lit.referral, listOf(ShareScope.NEEDS), null) { packet(it.text(0), it.text(1), it[2] as List<ShareScope>, it[3] as String?) },
            call("packs", "es") { packs(it.text(0)) },
            call("posts", "CL") { posts(it.text(0)) },
            call("recordOutcome", lit.id) { recordOutcome(it.text(0)) },
            call("refer", lit.id, lit.service, null) { refer(it.text(0), it.text(1), it[2] as UInt?) },
            call("refuseConsent", lit.id, statistics) { refuseConsent(it.text(0), it[1] as ConsentRequest) },
            call("rest") { rest() },
            call("screening", lit.id) { screening(it.text(0)) },
            call("screenings", 0u, 10u) { screenings(it[0] as UInt, it[1] as UInt) },
            call("setLanguage", lit.id, "en") { setLanguage(it.text(0), it.text(1)) },
            call("setPersonLanguage", lit.id, "ht") { setPersonLanguage(it.text(0), it.text(1)) },
            call("show", lit.id, lit.item.item) { show(it.text(0), it.text(1)) },
            call("start", StartRequest("four-questions", null, Kit.place, "es")) { start(it[0] as StartRequest) },
            call("stop", lit.id, StopReason.NO_TIME) { stop(it.text(0), it[1] as StopReason) },
            call("unlock", Kit.key()) { lock(); unlock(it[0] as ByteBuffer) },
            call("unlockWithKeystore") { lock(); unlockWithKeystore(TurningKeys()) },
            call("verify") { verify() },
            call("waiveConsent", lit.id, waiver) { waiveConsent(it.text(0), it[1] as WaiverRequest) },
            call("withdrawConsent", lit.id, lit.counter) { withdrawConsent(it.text(0), it[1] as ULong) },
        )
    }

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

    private fun each(except: Set<String> = emptySet(), test: (Device, Lit, Call) -> Unit): List<DynamicTest> =
        names.filter { it !in except }.map { name ->
            dynamicTest(name) { lit(name) { device, lit -> test(device, lit, calls(lit).single { it.name == name }) } }
        }

    @Test fun `the table names every function`() {
        lit("all") { _, lit -> assertEquals(names, calls(lit).map { it.name }.toSet()) }
        assertTrue(names.size >= 36)
    }

    @TestFactory fun valid() = each { device, _, call -> call.run(device, call.arguments) }

    @TestFactory fun hostile() = each { device, lit, call ->
        var refused = 0
        for (arguments in Hostile.each(call.arguments)) {
            try {
                call.run(device, arguments)
            } catch (e: Throwable) {
                // Half a surrogate never crosses: Kotlin itself refuses it. A heap buffer neither, and the layer has none.
                val own = e is CharacterCodingException || e is IllegalArgumentException && call.name == "unlock"
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

    private fun panics(at: String) = each(except = setOf("isLocked")) { device, _, call ->
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
        /** Of the feature `testing`, not of what is shipped. */
        val TESTING = setOf("advanceMs", "cardJson", "contactsJson", "reportJson", "setClock", "verifyJson")

        /** Names with unsigned arguments carry a hash behind a hyphen. */
        val names = DeviceInterface::class.java.declaredMethods.map { it.name.substringBefore('-') }
            .filter { '$' !in it && it.first().isLowerCase() }.toSortedSet() - TESTING - "Companion"
    }
}
