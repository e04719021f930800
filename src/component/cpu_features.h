// Which vector instructions there are: what the target architecture guarantees (macros, 0 or 1) and what this processor
// adds (functions). Code for the latter is compiled for its instruction set function by function, never for the whole
// binary, and chosen at run time. Any thread.
#pragma once

#if defined(__x86_64__) || (defined(_M_X64) && !defined(_M_ARM64EC))
#define WEBSOCKET_X86_64 1  // SSE2
#else
#define WEBSOCKET_X86_64 0
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define WEBSOCKET_ARM64 1  // NEON
#else
#define WEBSOCKET_ARM64 0
#endif

namespace websocket {

#if WEBSOCKET_X86_64
// True when the processor has the instructions and the operating system keeps their registers.
bool hasSsse3();
bool hasAvx2();
#endif

}  // namespace websocket
