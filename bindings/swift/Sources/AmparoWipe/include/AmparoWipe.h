#ifndef AMPARO_WIPE_H
#define AMPARO_WIPE_H

#include <stddef.h>

/// Overwrites bytes with zeros, also where a compiler sees that nobody reads them again.
void amparo_wipe(void *bytes, size_t count);

#endif
