// Packs the library for phones: Rust by cargo-ndk, generated Kotlin from `cargo xtask bindings`, the layer from
// ../src/main/kotlin. Not run where it was written (no Android SDK there): see README.md.

import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.2.21"
}

/** The root of the checkout. */
val checkout = projectDir.resolve("../../..")

/** What `cargo xtask bindings` wrote: generated from an unstripped library, without the feature `testing`. */
val generated = checkout.resolve("target/bindings/kotlin")

/** Phones that are in use. x86_64 is for emulators. */
val abis = listOf("arm64-v8a", "armeabi-v7a", "x86_64")
val built: Provider<Directory> = layout.buildDirectory.dir("amparo/jniLibs")
val oldestAndroid = 26

android {
    namespace = "org.amparo"
    compileSdk = 36
    // r28 and later align to pages of 16 KB by themselves.
    ndkVersion = "28.2.13676358"

    defaultConfig {
        minSdk = oldestAndroid
        consumerProguardFiles("consumer-rules.pro")
        ndk { abiFilters += abis }
    }

    sourceSets {
        getByName("main") {
            kotlin.srcDirs(checkout.resolve("bindings/kotlin/src/main/kotlin"), generated)
            jniLibs.srcDirs(built)
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    // Loaded straight from the APK, uncompressed and aligned.
    packaging { jniLibs { useLegacyPackaging = false } }

    lint {
        // The generated code asks at run time whether java.lang.ref.Cleaner (API 33) is there, and uses JNA's if not.
        disable += "NewApi"
    }
}

kotlin {
    compilerOptions { jvmTarget = JvmTarget.JVM_17 }
}

dependencies {
    // The AAR, which holds libjnidispatch.so for phones; the plain JAR does not. 5.18.1 is aligned to 16 KB.
    implementation("net.java.dev.jna:jna:5.18.1@aar")
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
}

val generateBindings by tasks.registering(Exec::class) {
    description = "Generates the Kotlin files from the library of this machine."
    workingDir(checkout)
    commandLine("cargo", "xtask", "bindings")
    // cargo knows best what is up to date.
    outputs.upToDateWhen { false }
}

val buildLibrary by tasks.registering(Exec::class) {
    description = "Builds libamparo.so for phones."
    workingDir(checkout)
    // Said again beside r28: what is not aligned does not start on newer phones.
    environment("RUSTFLAGS", "-C link-arg=-Wl,-z,max-page-size=16384 -C link-arg=-Wl,-z,common-page-size=16384")
    val ndk = androidComponents.sdkComponents.ndkDirectory
    doFirst { environment("ANDROID_NDK_HOME", ndk.get().asFile.path) }
    commandLine(
        listOf("cargo", "ndk") + abis.flatMap { listOf("-t", it) } +
            listOf("--platform", "$oldestAndroid", "-o", built.get().asFile.path) +
            listOf("build", "--release", "--locked", "-p", "amparo", "--lib"),
    )
    outputs.upToDateWhen { false }
}

val checkAlignment by tasks.registering {
    description = "Every loadable part of every library begins at a page of 16 KB."
    dependsOn(buildLibrary)
    val folder = built
    val expected = abis
    doLast {
        for (abi in expected) {
            val library = folder.get().file("$abi/libamparo.so").asFile
            check(loadAlignments(library).all { it >= 16_384 && it % 16_384 == 0L }) { "$library is not aligned to 16 KB" }
        }
    }
}

tasks.named("preBuild") { dependsOn(generateBindings, checkAlignment) }

/** The alignments of the loadable segments of an ELF file (little-endian, 32 or 64 bits). */
fun loadAlignments(file: File): List<Long> {
    val bytes = java.nio.ByteBuffer.wrap(file.readBytes()).order(java.nio.ByteOrder.LITTLE_ENDIAN)
    check(bytes.getInt(0) == 0x464C457F) { "$file is no ELF file" }
    val wide = bytes.get(4).toInt() == 2
    val table = if (wide) bytes.getLong(32).toInt() else bytes.getInt(28)
    val size = bytes.getShort(if (wide) 54 else 42).toInt()
    val count = bytes.getShort(if (wide) 56 else 44).toInt()
    return (0 until count).map { table + it * size }.filter { bytes.getInt(it) == 1 }
        .map { if (wide) bytes.getLong(it + 48) else bytes.getInt(it + 28).toLong() }
}
