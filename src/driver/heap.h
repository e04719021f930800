// Keeps freed memory for the next messages.
#pragma once

namespace websocket::driver {

// Makes the C library's heap keep what is freed, up to 64 MiB of it, and serve blocks of up to 32 MiB. The first call
// of the process counts. Has an effect with glibc, unless the program chose these thresholds itself. Any thread.
// Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
void keepFreedMemory();

}  // namespace websocket::driver
