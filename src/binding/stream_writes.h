// Hands JavaScript what the streams of connections are to write: one group of writes for all that a flush gathered, or
// several when it is much. Everything is copied first, so streams may keep it.
//
// A group is either handed over by a call of onWrite, or JavaScript takes it while onEvents runs.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "driver.h"

namespace websocket::binding {

class StreamWrites {
 public:
  // Writes share a Buffer of this size, which a slow stream may keep. A larger one has a Buffer of its own.
  static constexpr std::size_t kSharedSize = std::size_t{64} * 1024;
  static constexpr std::size_t kMaxRecords = 1024;
  static constexpr std::size_t kRecordFields = 4;

  StreamWrites() = default;
  StreamWrites(const StreamWrites&) = delete;
  StreamWrites& operator=(const StreamWrites&) = delete;
  ~StreamWrites() = default;

  // Makes what is shared with JavaScript. False: an exception is pending.
  bool initialize(napi_env env, napi_value onWrite, napi_async_context context);
  napi_value records() const { return valueOf(recordsReference_); }
  void release();

  // Gathers a write; see driver::Delegate. Throws std::bad_alloc.
  void add(driver::ConnectionId id, std::span<const Buffer> bytes);
  // Writes what was gathered and reports to the connections, which are the driver's. No effect inside itself, and while
  // JavaScript writes what it took: the caller of those goes on with what is gathered meanwhile.
  void write(driver::Driver& driver);
  // For JavaScript inside onEvents, at most once in each call: the Buffer of the first group, undefined when there is
  // none.
  napi_value takeFirst(driver::Driver& driver);
  // After onEvents: what was taken has been written, but for what is behind a stream that threw. Writes that, and the
  // other groups.
  void finishTaken(driver::Driver& driver);

 private:
  // The last word of a record: what became of the write. See types/native.d.ts.
  enum class State : std::uint32_t { Waiting = 0, Failed = 1, UnderWay = 2, Done = 3 };

  struct Write {
    driver::ConnectionId id = 0;
    std::size_t firstPart = 0;
    std::size_t partCount = 0;
    std::size_t length = 0;
    bool repeats = false;  // the same bytes as the write before it in its group, as in a broadcast: there once
  };

  void drop(napi_ref& reference);
  napi_value valueOf(napi_ref reference) const;
  std::uint32_t* record(std::size_t index) const { return records_ + index * kRecordFields; }
  State stateOf(std::size_t index) const { return static_cast<State>(record(index)[3]); }
  bool haveSameBytes(const Write& one, const Write& other) const;
  void take(const driver::Driver& driver);
  bool reserve(std::size_t size);
  void finish(driver::Driver& driver);
  void call();

  napi_env env_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_ref onWrite_ = nullptr;
  napi_ref recordsReference_ = nullptr;
  std::uint32_t* records_ = nullptr;

  napi_ref buffer_ = nullptr;  // the Buffer of the latest group; null until then
  std::uint8_t* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;  // by groups; the rest is the next one's

  std::vector<Write> writes_;
  std::vector<Buffer> parts_;
  std::size_t next_ = 0;   // of writes_: those before were taken
  std::size_t count_ = 0;  // records of the group that was taken and is not finished
  bool writing_ = false;
};

}  // namespace websocket::binding
