// What a test takes from the component to write is what a driver would write to the network. Under valgrind a byte of
// it that was never written is an error; without valgrind nothing happens. No threads.
#pragma once

#include <cstddef>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif

namespace websocket {

inline void checkDefined([[maybe_unused]] const void* bytes, [[maybe_unused]] std::size_t length) {
#ifdef VALGRIND_CHECK_MEM_IS_DEFINED
  VALGRIND_CHECK_MEM_IS_DEFINED(bytes, length);
#endif
}

}  // namespace websocket
