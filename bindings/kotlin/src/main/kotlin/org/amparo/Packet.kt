package org.amparo

import amparo.PacketView

/**
 * A packet for the service of a referral: what consent covers and nothing beyond. Hand [bytes] over, then [close].
 *
 * ```
 * screening.packet(referral, listOf(ShareScope.NEEDS), service.sealingKey).use { print(it.bytes) }
 * ```
 */
class Packet internal constructor(view: PacketView) : AutoCloseable {
    /** The packet: sealed bytes, or JSON that anyone who holds it can read. */
    val bytes: ByteArray = view.bytes

    /** True when only the service's key opens it. */
    val isSealed: Boolean = view.sealed

    /** Overwrites the bytes. Twice is no error. */
    override fun close() = bytes.fill(0)

    /** Never the bytes. */
    override fun toString(): String = "Packet(${bytes.size} bytes, sealed=$isSealed)"
}
