package org.amparo

import amparo.FieldException
import amparo.KeyStore
import amparo.LogLevel
import amparo.LogSink
import amparo.Proceed
import amparo.ProgressListener
import amparo.Transport
import amparo.TransportException
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow

/** One line of the log: a fixed code and counts, never a text of a person. May be written anywhere. */
data class LogLine(val level: LogLevel, val code: String, val text: String)

/**
 * Log lines as a flow. The library only ever puts a line into a buffer, so a collector that blocks, throws or calls
 * the device cannot hold up or break the call that logged. The oldest lines are dropped when nobody collects.
 */
internal class LogFlow : LogSink {
    private val buffer = MutableSharedFlow<LogLine>(LINES, onBufferOverflow = BufferOverflow.DROP_OLDEST)
    val lines: SharedFlow<LogLine> = buffer.asSharedFlow()

    override fun write(level: LogLevel, code: String, text: String) {
        buffer.tryEmit(LogLine(level, code, text))
    }

    private companion object {
        const val LINES = 64
    }
}

/**
 * The app's keystore, with every array that crosses overwritten once the call is over. What it throws beside a
 * [FieldException] goes no further: JNA would print an `Error` with its text.
 */
internal class WipingKeyStore(private val keystore: KeyStore) : KeyStore, AutoCloseable {
    private val seen = mutableListOf<ByteArray>()

    override fun wrap(plain: ByteArray): ByteArray {
        seen += plain
        return guarded { keystore.wrap(plain) }
    }

    override fun unwrap(wrapped: ByteArray): ByteArray = guarded { keystore.unwrap(wrapped) }.also { seen += it }

    private fun guarded(work: () -> ByteArray): ByteArray = try {
        work()
    } catch (e: FieldException) {
        throw e
    } catch (_: Throwable) {
        throw FieldException.Host("keystore")
    }

    /** The library has its copy by now. */
    override fun close() = seen.forEach { it.fill(0) }
}

/** Tells how far a call has come until its coroutine is cancelled; keeps what the app's own code threw. */
internal class CancellableListener(private val job: Job?, private val hears: (Int, Int) -> Unit) : ProgressListener {
    @Volatile var thrown: Throwable? = null
        private set

    override fun progress(done: UInt, total: UInt): Proceed = try {
        if (isActive) hears(done.toInt(), total.toInt())
        if (isActive) Proceed.GO_ON else Proceed.STOP
    } catch (e: Throwable) {
        thrown = e
        Proceed.STOP
    }

    private val isActive get() = job?.isActive != false
}

/** The app's transport. What it throws beside a [TransportException] goes no further: JNA would print an `Error`. */
internal class GuardedTransport(private val transport: Transport) : Transport {
    override fun exchange(upload: ByteArray): ByteArray = try {
        transport.exchange(upload)
    } catch (e: TransportException) {
        throw e
    } catch (_: Throwable) {
        throw TransportException.Failed()
    }
}
