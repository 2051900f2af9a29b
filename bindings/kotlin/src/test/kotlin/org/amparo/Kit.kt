package org.amparo

import amparo.AnswerKind
import amparo.AnswerValue
import amparo.CaseId
import amparo.ConsentBy
import amparo.ConsentPurpose
import amparo.ConsentRequest
import amparo.Device
import amparo.FieldException
import amparo.Headquarters
import amparo.KeyStore
import amparo.NextView
import amparo.OpenRequest
import amparo.PlaceRequest
import amparo.QuestionView
import amparo.ReferralId
import amparo.ScreeningId
import amparo.ScreeningView
import amparo.Setting
import amparo.ShareScope
import amparo.StartRequest
import amparo.Transport
import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files

/** Stands for what a person said. It may be in no exception and in no log line. */
const val CANARY = "CANARY-juana-perez"

/** What the tests share: the content of this checkout, and stores to copy. Everything in them is synthetic. */
object Kit {
    private val content = File(System.getProperty("amparo.content"))
    val tests = File(System.getProperty("amparo.tests"))
    val root: ByteArray = content.resolve("keys/root.json").readBytes()
    /** As the shell's scenarios: of one device, without recipients. */
    val packs: List<ByteArray> =
        content.resolve("packs").listFiles { file -> file.extension == "pack" && !file.name.startsWith("recipients-") }!!
            .sorted().map { it.readBytes() }
    /** Who may read what goes to headquarters: a demonstration agency among them. */
    val recipients: ByteArray get() = content.resolve("packs/recipients-americas-demo.pack").readBytes()
    val place = PlaceRequest(country = "CL", post = "cl-los-libertadores", area = "CL-VS", setting = Setting.BORDER)

    fun keyBytes() = ByteArray(32) { it.toByte() }

    fun key(bytes: ByteArray = keyBytes()): ByteBuffer = ByteBuffer.allocateDirect(bytes.size).put(bytes).flip()

    fun request(folder: File) = OpenRequest(folder.path, root)

    /** A folder with a store on which every pack is installed. */
    private val filled: File by lazy {
        val folder = Files.createTempDirectory("amparo-filled").toFile().apply { deleteOnExit() }
        Device.create(request(folder), key(), null).use { device ->
            device.installPacks(packs, null)
            device.lock()
        }
        folder
    }

    /** A folder with a store on which a screening has come to its end, with a referral and consents. */
    private val walked: Pair<File, Lit> by lazy {
        val folder = Files.createTempDirectory("amparo-walked").toFile().apply { deleteOnExit() }
        filled.copyRecursively(folder, overwrite = true)
        val lit = Device.open(request(folder), key(), null).use { device -> Lit.walk(device).also { device.lock() } }
        folder to lit
    }

    /** A device on a copy of [filled] in [folder]. */
    fun open(folder: File): Device {
        filled.copyRecursively(folder, overwrite = true)
        return Device.open(request(folder), key(), null)
    }

    /** A device on a copy of [walked] in [folder]. */
    fun lit(folder: File): Pair<Device, Lit> {
        walked.first.copyRecursively(folder, overwrite = true)
        return Device.open(request(folder), key(), null) to walked.second
    }

    /** The same through the layer. */
    suspend fun device(folder: File): AmparoDevice {
        filled.copyRecursively(folder, overwrite = true)
        return AmparoDevice.open(AmparoSetup(folder, root), StoreKey.taking(keyBytes()))
    }
}

fun Device.begin(checklist: String = "ilo-adult-labour"): ScreeningView =
    start(StartRequest(checklist, null, Kit.place, "es"))

fun consentRequest(purpose: ConsentPurpose, receiver: String? = null, vararg scope: ShareScope) =
    ConsentRequest(purpose, receiver, scope.toList(), "es", ConsentBy.PERSON)

/** An answer that fits the question. */
fun anAnswer(question: QuestionView): AnswerValue = when (val kind = question.kind) {
    is AnswerKind.YesNo -> AnswerValue.Yes
    is AnswerKind.OneOf -> AnswerValue.Choice(kind.options.first().id)
    is AnswerKind.AnyOf -> AnswerValue.Choices(listOf(kind.options.first().id))
    is AnswerKind.Number -> AnswerValue.Number(kind.max)
    is AnswerKind.Age -> AnswerValue.Age(30u, 39u)
    is AnswerKind.Date -> AnswerValue.Date("2026-11-22")
    is AnswerKind.ShortText -> AnswerValue.Text("synthetic")
}

/** A screening with a referral, and what calls on it need. */
class Lit(
    val id: ScreeningId,
    val case: CaseId,
    val checks: List<String>,
    val item: QuestionView,
    val step: String,
    val service: String,
    val referral: ReferralId,
    val counter: ULong,
    val certificate: ByteArray,
    val replies: ByteArray,
) {
    companion object {
        fun walk(device: Device): Lit {
            var view = device.begin()
            while (view.next !is NextView.End) {
                val next = view.next
                if (next is NextView.Ask) {
                    view = device.answer(view.line.id, next.question.item, anAnswer(next.question))
                } else {
                    device.gate(view.line.id, view.gateChecks.map { it.id })
                    for (purpose in listOf(ConsentPurpose.TALK, ConsentPurpose.STORE)) {
                        view = device.consent(view.line.id, consentRequest(purpose)).screening
                    }
                }
            }
            val id = device.recordOutcome(view.line.id).line.id
            val service = device.contacts(id, emptyList()).contacts!!.offers.first().service.id
            val referral = device.refer(id, service, null).referral
            val counter =
                device.consent(id, consentRequest(ConsentPurpose.SHARE_SERVICE, service, ShareScope.NEEDS)).counter
            device.consent(id, consentRequest(ConsentPurpose.SHARE_IDENTITY, service, ShareScope.IDENTITY))
            val item = (device.back(id, null).next as NextView.Ask).question
            val hq = Headquarters()
            val certificate = hq.enrol(device.enrolmentRequest(hq.ticket()))
            device.enrolled(certificate)
            val replies = hq.carry(device.exportBundle().first().bytes).single()
            return Lit(
                id, view.line.case, view.gateChecks.map { it.id }, item, view.steps.last().id, service, referral, counter,
                certificate, replies,
            )
        }
    }
}

/** Wraps by turning every bit. */
open class TurningKeys : KeyStore {
    override fun wrap(plain: ByteArray) = turned(plain)

    override fun unwrap(wrapped: ByteArray) = turned(wrapped)

    private fun turned(bytes: ByteArray) = ByteArray(bytes.size) { (bytes[it].toInt() xor 0xFF).toByte() }
}

/** A transport that does this; counts. */
class Line(val work: (ByteArray) -> ByteArray) : Transport {
    val uploads = mutableListOf<ByteArray>()

    override fun exchange(upload: ByteArray): ByteArray {
        synchronized(uploads) { uploads += upload }
        return work(upload)
    }
}

/** What [work] throws must be a [FieldException] that holds nothing that was said. */
inline fun <reified E : FieldException> throws(work: () -> Unit): E {
    try {
        work()
    } catch (e: Throwable) {
        if (e !is E) throw AssertionError("${E::class.simpleName} expected", e)
        holdsNothingSaid(e)
        return e
    }
    throw AssertionError("${E::class.simpleName} expected, nothing thrown")
}

fun holdsNothingSaid(e: Throwable) {
    val shown = "${e.message} $e ${e.stackTraceToString()} ${e.cause} ${e.suppressed.toList()}".lowercase()
    check("canary" !in shown && "juana" !in shown) { "an exception of ${e.javaClass} holds what was said" }
    check((e.message ?: "").length < 200) { "a long message of ${e.javaClass}" }
}

/** The process lives, the store is whole, and calls work. */
fun works(device: Device, id: ScreeningId? = null) {
    check(!device.isLocked())
    if (id != null) {
        if (device.syncState().screenings.single { it.id == id }.purged) {
            check(throws<FieldException.NotFound> { device.screening(id) }.what == "purged")
        } else {
            check(device.screening(id).line.id == id)
        }
    }
    val verified = device.verify()
    check(verified.whole) { "$verified" }
}
