package org.amparo

import amparo.FieldException
import java.nio.ByteBuffer

/**
 * The 32 bytes that open a store, outside the Java heap so that no collector copies them, and wiped on [close].
 *
 * Whatever takes a key ([AmparoDevice.create], [AmparoDevice.open], [AmparoDevice.unlock]) wipes it, whether it
 * succeeds or throws. Never logs, prints or compares its bytes.
 */
class StoreKey private constructor(private val bytes: ByteBuffer) : AutoCloseable {
    private var wiped = false

    /** The bytes, from their beginning: the library reads from there, whatever the position of the buffer. */
    internal fun <T> lend(work: (ByteBuffer) -> T): T = synchronized(this) {
        if (wiped) throw FieldException.InvalidInput("key", "wiped")
        work(bytes.duplicate().apply { clear() })
    }

    /** True once the bytes are gone. */
    val isWiped: Boolean get() = synchronized(this) { wiped }

    /** Overwrites the bytes. Twice is no error. */
    override fun close() = synchronized(this) {
        for (at in 0 until bytes.capacity()) bytes.put(at, 0)
        wiped = true
    }

    /** Never the bytes. */
    override fun toString(): String = "StoreKey"

    companion object {
        /**
         * Takes the bytes over and overwrites the array that they came in. A wrong length is refused by the call
         * that uses the key, as `FieldException.InvalidInput`.
         */
        fun taking(bytes: ByteArray): StoreKey {
            val direct = ByteBuffer.allocateDirect(bytes.size)
            direct.put(bytes)
            bytes.fill(0)
            return StoreKey(direct)
        }
    }
}
