#include "AmparoWipe.h"

void amparo_wipe(void *bytes, size_t count) {
    volatile unsigned char *at = bytes;
    while (count > 0) {
        *at = 0;
        at += 1;
        count -= 1;
    }
}
