package org.amparo

import amparo.AnswerValue
import amparo.ConsentPurpose
import amparo.ConsentRequest
import amparo.Device
import amparo.ExceptionKind
import amparo.Headquarters
import amparo.IdentityField
import amparo.IdentityRequest
import amparo.KeyStore
import amparo.LogSink
import amparo.OpenRequest
import amparo.ReferralState
import amparo.ServiceKind
import amparo.ShareScope
import amparo.StartRequest
import amparo.StepState
import amparo.StopReason
import amparo.Transport
import amparo.WaiverRequest
import java.io.File
import java.nio.ByteBuffer

/** A function, what it takes when all is well, and how it is called with something else. */
class Call(val name: String, val arguments: List<Any?>, val run: Device.(List<Any?>) -> Any?)

/** Every exported function. */
object Table {
    private val api = File(System.getProperty("amparo.api")).resolveSibling("kotlin.txt").readLines()

    /** Those that make a device. */
    val makers: Set<String> = api.filter { it.startsWith("    @Throws(") }.map(::name).toSortedSet()

    /** What is shipped, from the snapshot of what Kotlin is offered. */
    val names: Set<String> = api.dropWhile { it != "public interface DeviceInterface {" }.drop(1)
        .takeWhile { it.startsWith("    fun ") || it.startsWith("    @Throws(") }.map(::name).toSortedSet()

    private fun name(line: String) = line.substringAfter('`').substringBefore('`')

    @Suppress("UNCHECKED_CAST")
    fun calls(lit: Lit, folder: (String) -> File): List<Call> {
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
            call("create", Kit.request(folder("create")), Kit.key(), null) {
                made(Device.create(it[0] as OpenRequest, it[1] as ByteBuffer, it[2] as LogSink?))
            },
            call("diagnostics") { diagnostics() },
            call("enrolled", lit.certificate) { enrolled(it[0] as ByteArray) },
            call("enrolment") { enrolment()!! },
            call("enrolmentRequest", Headquarters().ticket()) { enrolmentRequest(it.text(0)) },
            call("exportBundle") { exportBundle() },
            call("gate", lit.id, listOf<String>()) { gate(it.text(0), it[1] as List<String>) },
            call("giveIdentity", lit.id, IdentityRequest(IdentityField.NAME, "Synthetic")) { giveIdentity(it.text(0), it[1] as IdentityRequest) },
            call("importBundle", lit.replies) { importBundle(it[0] as ByteArray) },
            call("installPack", Kit.packs[0]) { installPack(it[0] as ByteArray) },
            call("installPacks", Kit.packs.take(2)) { installPacks(it[0] as List<ByteArray>, null) },
            call("isLocked") { isLocked() },
            call("lock") { lock().also { check(isLocked()) } },
            call("logStep", lit.id, lit.step, StepState.Skipped("synthetic")) { logStep(it.text(0), it.text(1), it[2] as StepState) },
            call("lookup", "trata", "CL", "es", 3u) { lookup(it.text(0), it[1] as String?, it.text(2), it[3] as UInt) },
            call("moveReferral", lit.id, lit.referral, ReferralState.SENT, null) { moveReferral(it.text(0), it.text(1), it[2] as ReferralState, it[3] as String?) },
            call("open", Kit.request(folder("open")), Kit.key(), null) {
                made(Device.open(it[0] as OpenRequest, it[1] as ByteBuffer, it[2] as LogSink?))
            },
            call("openWithKeystore", Kit.request(folder("openWithKeystore")), TurningKeys(), null) {
                made(Device.openWithKeystore(it[0] as OpenRequest, it[1] as KeyStore, it[2] as LogSink?))
            },
            call("packet", lit.id, lit.referral, listOf(ShareScope.NEEDS), null) { packet(it.text(0), it.text(1), it[2] as List<ShareScope>, it[3] as String?) },
            call("packs", "es") { packs(it.text(0)) },
            call("posts", "CL") { posts(it.text(0)) },
            call("purgeDue") { purgeDue() },
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
            call("sync", Line(Headquarters()::exchange)) { sync(it[0] as Transport, null) },
            call("syncState") { syncState() },
            call("ticketUrl", Headquarters().ticket()) { ticketUrl(it.text(0)) },
            call("unlock", Kit.key()) { lock(); unlock(it[0] as ByteBuffer) },
            call("unlockWithKeystore", TurningKeys()) { lock(); unlockWithKeystore(it[0] as KeyStore) },
            call("verify") { verify() },
            call("waiveConsent", lit.id, waiver) { waiveConsent(it.text(0), it[1] as WaiverRequest) },
            call("wipe") { wipe() },
            call("withdrawConsent", lit.id, lit.counter) { withdrawConsent(it.text(0), it[1] as ULong) },
        )
    }

    private fun made(device: Device) = device.use { check(!it.isLocked()); it.lock() }
}
