// Proves that memcheck sees what it is asked for: three bytes, of which the second was never written, go to a file
// (`write`, as the driver's tests write to sockets) or through checkDefined (`check`, as the component's tests do).
// `sound` does both with all three written. scripts/valgrind.mjs expects errors of the first two and none of the third.
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <new>
#include <string_view>

#include "defined.h"

namespace {

constexpr std::size_t kLength = 3;

bool writeToNull(const char* bytes) {
  const int file = open("/dev/null", O_WRONLY);
  const bool written = file >= 0 && write(file, bytes, kLength) == static_cast<ssize_t>(kLength);
  close(file);
  return written;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view way = count == 2 ? arguments[1] : "";
  const auto bytes = std::make_unique_for_overwrite<char[]>(kLength);
  bytes[0] = 'a';
  bytes[2] = 'c';
  if (way == "sound") bytes[1] = 'b';
  if (way == "check" || way == "sound") websocket::checkDefined(bytes.get(), kLength);
  if (way == "write" || way == "sound") return writeToNull(bytes.get()) ? 0 : 1;
  return way == "check" ? 0 : 2;
}
