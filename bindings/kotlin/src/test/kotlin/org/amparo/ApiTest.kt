package org.amparo

import java.io.File
import java.lang.reflect.Executable
import java.lang.reflect.Method
import java.lang.reflect.Modifier
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What the layer offers is what its snapshot says, so that a change of it is seen in review. */
class ApiTest {
    @Test fun `the layer offers what its snapshot says`() {
        val kept = File(System.getProperty("amparo.api"))
        val found = surface()
        if (System.getProperty("amparo.api.write").toBoolean()) kept.writeText(found)
        assertTrue(found.lines().size > 80)
        assertEquals(kept.readText(), found, "meant? -Damparo.api.write=true -Dtest=ApiTest")
    }

    private fun surface(): String {
        val classes = File(AmparoDevice::class.java.protectionDomain.codeSource.location.toURI()).resolve("org/amparo")
        return classes.listFiles { file -> file.extension == "class" }!!
            .map { Class.forName("org.amparo.${it.nameWithoutExtension}") }
            .filter { it.simpleName !in INTERNAL && it.isOffered() }
            .sortedBy { it.name }
            .joinToString("") { type -> type.name + "\n" + lines(type).joinToString("") { "    $it\n" } }
    }

    private fun Class<*>.isOffered() = Modifier.isPublic(modifiers) && !isSynthetic && !isAnonymousClass &&
        !isLocalClass && enclosingClass?.simpleName !in INTERNAL

    private fun lines(type: Class<*>): List<String> =
        (type.declaredConstructors.toList<Executable>() + type.declaredMethods)
            // What is internal carries the name of the module behind a dollar.
            .filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic && '$' !in it.name }
            .map { made ->
                val takes = made.genericParameterTypes.joinToString { it.typeName }
                if (made is Method) "${made.name}($takes): ${made.genericReturnType.typeName}" else "new($takes)"
            }.sorted()

    private companion object {
        val INTERNAL = setOf("CancellableListener", "GuardedTransport", "LogFlow", "WipingKeyStore")
    }
}
