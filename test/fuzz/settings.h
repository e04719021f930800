// The settings of a handle under test, drawn from the fuzz input, and the handle made with them.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "reference_reader.h"
#include "websocket_ext.h"

namespace websocket::fuzz {

using Choices = FuzzedDataProvider;

struct Settings {
  bool server = false;
  ULONG receiveBufferSize = 4096;
  ULONG sendBufferSize = 0;  // 0: the default
  bool allocatedBuffer = false;
  bool disableMasking = false;
  bool disableUtf8Verification = false;
  bool autoCloseEcho = false;
  bool disableAutoPong = false;
  bool indicatePings = false;
  bool indicateUnsolicitedPongs = false;
  bool strictCloseCodes = false;
  bool controlFirst = false;
  bool gather = false;
  bool coalesceSends = false;
  bool pool = false;
  bool ownRandom = false;
  ULONGLONG maxMessageSize = 0;
  ULONGLONG maxFrameSize = 0;
  ULONG maxFragments = 0;
};

// Without what would make creation fail.
Settings drawSettings(Choices& choices, bool server);

// How the reference reader has to read what such a handle receives.
ReaderRules readerRules(const Settings& settings);

// A handle with all that its properties point at.
class TestHandle {
 public:
  TestHandle(const Settings& settings, WEB_SOCKET_RECEIVE_POOL pool);
  TestHandle(const TestHandle&) = delete;
  TestHandle& operator=(const TestHandle&) = delete;
  ~TestHandle() { WebSocketDeleteHandle(handle_); }

  WEB_SOCKET_HANDLE get() const { return handle_; }
  // Whether the pointer lies in the allocated buffer; true without one.
  bool owns(const std::uint8_t* bytes, ULONG length) const;
  // The random source fails, if it is the test's own.
  void breakRandom(bool broken) { random_->broken = broken; }
  bool randomIsBroken() const { return random_->broken; }

 private:
  struct Random {
    std::uint32_t next = 1;
    bool broken = false;
  };

  std::unique_ptr<std::uint64_t[]> block_;  // the allocated buffer, exactly as large as it must be
  std::size_t blockSize_ = 0;
  std::unique_ptr<Random> random_ = std::make_unique<Random>();
  WEB_SOCKET_HANDLE handle_ = nullptr;
};

}  // namespace websocket::fuzz
