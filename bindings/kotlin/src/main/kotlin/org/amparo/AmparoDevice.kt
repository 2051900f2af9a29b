package org.amparo

import amparo.CaseId
import amparo.ChecklistView
import amparo.Country
import amparo.Device
import amparo.DiagnosticsView
import amparo.EnrolmentView
import amparo.FieldException
import amparo.InstalledView
import amparo.InternalException
import amparo.KeyStore
import amparo.Lang
import amparo.ScreeningListView
import amparo.LookupView
import amparo.Name
import amparo.OpenRequest
import amparo.PackView
import amparo.PlaceRequest
import amparo.PostView
import amparo.PurgeView
import amparo.RepliesView
import amparo.ScreeningId
import amparo.StartRequest
import amparo.SyncReportView
import amparo.SyncStateView
import amparo.Transport
import amparo.VerifyView
import amparo.VolumeView
import java.io.File
import java.nio.charset.CharacterCodingException
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.runInterruptible
import kotlinx.coroutines.withContext

/**
 * Where a device lives and whom it trusts.
 *
 * @property folder private to the app; made if it is not there. On Android `context.noBackupFilesDir.resolve("amparo")`.
 * @property root the bytes of the root file that the app ships: which keys may sign packs.
 * @property io where blocking calls run. A test passes its own.
 */
class AmparoSetup(val folder: File, val root: ByteArray, val io: CoroutineDispatcher = Dispatchers.IO)

/**
 * The device: one for the life of the process. Everything below it blocks; everything here suspends instead, on the
 * IO dispatcher of its [AmparoSetup], so that it may be called from the main thread.
 *
 * ```
 * AmparoDevice.open(AmparoSetup(folder, root), keystore).use { device ->
 *     val screening = device.start("ilo-adult-labour", PlaceRequest(country = "CL", setting = Setting.BORDER), "es")
 *     screening.states.collect { draw(it) }
 * }
 * ```
 *
 * Every method throws `amparo.FieldException`, by what the caller can do, and nothing else. No message of one holds
 * a text of a person, so exceptions may be logged; views and requests may not.
 */
class AmparoDevice internal constructor(
    private val device: Device,
    private val io: CoroutineDispatcher,
    private val logged: LogFlow,
) : AutoCloseable {
    private val closed = AtomicBoolean()

    /** Log lines, the last 64 for a late collector: codes and counts, nothing of a person. */
    val log: SharedFlow<LogLine> get() = logged.lines

    /** True between [lock] and [unlock], and after [close]. */
    val isLocked: Boolean get() = closed.get() || typed { device.isLocked() }

    /**
     * Closes the store and wipes its key from memory, once running calls have ended. Call it when the app goes to the
     * background or the phone locks. Until [unlock] every call throws `WrongState` with `locked`.
     */
    suspend fun lock() = call { it.lock() }

    /** Opens the store again after [lock] with the key that the app's keystore unwraps. */
    suspend fun unlock(keystore: KeyStore) =
        call { device -> WipingKeyStore(keystore).use { device.unlockWithKeystore(it) } }

    /** Opens the store again after [lock]. The key is wiped. */
    suspend fun unlock(key: StoreKey) = key.use { call { device -> key.lend { device.unlock(it) } } }

    /** Writes everything home and lets go of what can be read again. Call it when memory is short. */
    suspend fun rest() = call { it.rest() }

    /** Verifies a pack and installs it. */
    suspend fun installPack(bytes: ByteArray): InstalledView = call { it.installPack(bytes) }

    /**
     * Installs packs one after the other. [onProgress] hears how many are done, on the IO dispatcher; what it throws
     * ends the call and is thrown from it. Cancelling the coroutine ends it too. What was installed before stays.
     */
    suspend fun installPacks(
        packs: List<ByteArray>,
        onProgress: (done: Int, total: Int) -> Unit = { _, _ -> },
    ): List<InstalledView> {
        val listener = CancellableListener(currentCoroutineContext()[Job], onProgress)
        try {
            return call { it.installPacks(packs, listener) }
        } catch (e: FieldException.Interrupted) {
            currentCoroutineContext().ensureActive()
            throw listener.thrown ?: e
        }
    }

    /** Every pack on the device, those in use first. */
    suspend fun packs(lang: Lang): List<PackView> = call { it.packs(lang) }

    /** The checklists that may be offered. */
    suspend fun checklists(lang: Lang): List<ChecklistView> = call { it.checklists(lang) }

    /** The posts and crossings of the policy for this country. */
    suspend fun posts(country: Country): List<PostView> = call { it.posts(country) }

    /** Opens a screening on the packs in use, and a case unless one is given. */
    suspend fun start(checklist: Name, place: PlaceRequest, lang: Lang, case: CaseId? = null): Screening =
        Screening(this, call { it.start(StartRequest(checklist, case, place, lang)) })

    /** A screening as it stands. */
    suspend fun screening(id: ScreeningId): Screening = Screening(this, call { it.screening(id) })

    /** A page of the list, newest first: at most 500 lines after the first [skip]. */
    suspend fun screenings(skip: UInt = 0u, most: UInt = 100u): ScreeningListView = call { it.screenings(skip, most) }

    /** Services as typed, accents and case ignored; at most 200. Needs no screening. */
    suspend fun lookup(typed: String, country: Country?, lang: Lang, most: UInt = 20u): LookupView =
        call { it.lookup(typed, country, lang, most) }

    /**
     * The request to be enrolled by a ticket: text of a QR code, a file or a message. Carry it to headquarters;
     * [enrolled] takes what comes back. Never log a ticket.
     */
    suspend fun enrolmentRequest(ticket: String): ByteArray = call { it.enrolmentRequest(ticket) }

    /** The address of the headquarters that gave this ticket; where to POST the request stands in `bindings/README.md`. */
    suspend fun ticketUrl(ticket: String): String = call { it.ticketUrl(ticket) }

    /** Takes the certificate that headquarters gave for the last request. */
    suspend fun enrolled(certificate: ByteArray): EnrolmentView = call { it.enrolled(certificate) }

    /** The headquarters to which this device belongs; none before enrolment. */
    suspend fun enrolment(): EnrolmentView? = call { it.enrolment() }

    /**
     * Sends what headquarters lacks and fetches what it has, then purges what is due. [transport] is called on the IO
     * dispatcher with no lock held, and may call this device. One that fails is no error: the report says so.
     *
     * [onProgress] hears how many exchanges are over; what it throws ends the call and is thrown from it. Cancelling
     * the coroutine interrupts the thread on which the transport blocks, and ends the sync. What was done stays done.
     */
    suspend fun sync(transport: Transport, onProgress: (exchanges: Int) -> Unit = {}): SyncReportView {
        val listener = CancellableListener(currentCoroutineContext()[Job]) { done, _ -> onProgress(done) }
        val report = try {
            runInterruptible(io) { typed { onDevice { it.sync(GuardedTransport(transport), listener) } } }
        } catch (e: FieldException) {
            currentCoroutineContext().ensureActive()
            throw e
        }
        listener.thrown?.let { throw it }
        return report
    }

    /** How sync stands, for all screenings at once. */
    suspend fun syncState(): SyncStateView = call { it.syncState() }

    /** What headquarters lacks, as files that anyone may carry. Removes nothing from the device. */
    suspend fun exportBundle(): List<VolumeView> = call { it.exportBundle() }

    /** Takes one file of replies. Repeats and any order change nothing. */
    suspend fun importBundle(bytes: ByteArray): RepliesView = call { it.importBundle(bytes) }

    /** Purges what headquarters has and the policy lets go. Each [sync] does it at its end. */
    suspend fun purgeDue(): PurgeView = call { it.purgeDue() }

    /**
     * Wipes what was said in every screening, at once and for good; what is sealed stays and is still sent. For a
     * phone about to be taken, or one that was revoked. Ask before.
     */
    suspend fun wipe(): PurgeView = call { it.wipe() }

    /** Checks the whole store. Takes a while. */
    suspend fun verify(): VerifyView = call { it.verify() }

    /** Counts, versions and codes for those who help. Nothing of a person. */
    suspend fun diagnostics(): DiagnosticsView = call { it.diagnostics() }

    /**
     * Locks and lets go of the library's object; for good. Waits for calls that are running. Nothing is lost by never
     * calling it: what was recorded is on disk. Twice is no error; any other call afterwards throws `WrongState` with
     * `device-closed`.
     */
    override fun close() {
        if (closed.compareAndSet(false, true)) {
            device.use { it.lock() }
        }
    }

    override fun toString(): String = "AmparoDevice"

    /** One blocking call on the IO dispatcher. */
    internal suspend fun <T> call(work: (Device) -> T): T = withContext(io) { typed { onDevice(work) } }

    private fun <T> onDevice(work: (Device) -> T): T {
        if (closed.get()) throw FieldException.WrongState(CLOSED)
        return work(device)
    }

    private fun <T> typed(work: () -> T): T = try {
        work()
    } catch (e: IllegalStateException) {
        // Closed by another thread between the look and the call.
        if (device.uniffiIsDestroyed) throw FieldException.WrongState(CLOSED) else throw e
    } catch (_: CharacterCodingException) {
        throw FieldException.InvalidInput("text", "not-unicode")
    } catch (_: InternalException) {
        throw FieldException.Internal("unexpected")
    }

    companion object {
        private const val CLOSED = "device-closed"

        /**
         * Opens the store with the key that the app's keystore unwraps; at the first run draws the key, has it wrapped,
         * and makes the store. What an app calls. Arrays that cross to and from the keystore are wiped afterwards.
         */
        suspend fun open(setup: AmparoSetup, keystore: KeyStore): AmparoDevice = made(setup) { request, log ->
            WipingKeyStore(keystore).use { Device.openWithKeystore(request, it, log) }
        }

        /** Opens the store with this key, and wipes the key. */
        suspend fun open(setup: AmparoSetup, key: StoreKey): AmparoDevice =
            key.use { made(setup) { request, log -> key.lend { Device.open(request, it, log) } } }

        /** Makes a new store with this key, and wipes the key. */
        suspend fun create(setup: AmparoSetup, key: StoreKey): AmparoDevice =
            key.use { made(setup) { request, log -> key.lend { Device.create(request, it, log) } } }

        private suspend fun made(setup: AmparoSetup, work: (OpenRequest, LogFlow) -> Device): AmparoDevice {
            val log = LogFlow()
            var made: Device? = null
            try {
                withContext(setup.io) {
                    try {
                        made = work(OpenRequest(setup.folder.absolutePath, setup.root), log)
                    } catch (_: CharacterCodingException) {
                        throw FieldException.InvalidInput("text", "not-unicode")
                    } catch (_: InternalException) {
                        throw FieldException.Internal("unexpected")
                    }
                }
            } catch (e: Throwable) {
                // Cancelled while it opened: nobody will ever hold it.
                made?.close()
                throw e
            }
            return AmparoDevice(checkNotNull(made), setup.io, log)
        }
    }
}
