#include "stream_writes.h"

#include <uv.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "connection.h"
#include "delivery.h"
#include "shared_array.h"

namespace websocket::binding {

bool StreamWrites::initialize(napi_env env, napi_value onWrite, napi_async_context context) {
  env_ = env;
  context_ = context;
  constexpr std::size_t kWords = (kMaxRecords + 1) * kRecordFields;  // an id of 0 ends a group
  recordsReference_ = makeSharedArray(env, kWords, records_);
  return recordsReference_ != nullptr && napi_create_reference(env, onWrite, 1, &onWrite_) == napi_ok;
}

void StreamWrites::release() {
  for (napi_ref* const reference : {&onWrite_, &recordsReference_, &buffer_}) {
    drop(*reference);
  }
}

void StreamWrites::drop(napi_ref& reference) {
  if (reference != nullptr) {
    napi_delete_reference(env_, reference);
    reference = nullptr;
  }
}

napi_value StreamWrites::valueOf(napi_ref reference) const {
  napi_value value = nullptr;
  napi_get_reference_value(env_, reference, &value);
  return value;
}

void StreamWrites::add(driver::ConnectionId id, std::span<const Buffer> bytes) {
  Write write{id, parts_.size(), bytes.size(), 0, false};
  for (const Buffer& part : bytes) {
    write.length += part.length;
  }
  parts_.insert(parts_.end(), bytes.begin(), bytes.end());
  writes_.push_back(write);
}

void StreamWrites::write(driver::Driver& driver) {
  if (writing_ || count_ != 0) {
    return;
  }
  writing_ = true;
  while (next_ < writes_.size()) {
    take(driver);
    finish(driver);
  }
  writing_ = false;
}

napi_value StreamWrites::takeFirst(driver::Driver& driver) {
  if (writing_) {
    return nullptr;
  }
  finish(driver);  // what an earlier call of onEvents took
  take(driver);
  return count_ == 0 ? nullptr : valueOf(buffer_);
}

void StreamWrites::finishTaken(driver::Driver& driver) {
  if (!writing_) {
    finish(driver);
    write(driver);
  }
}

// Equal parts; those of a broadcast are.
bool StreamWrites::haveSameBytes(const Write& one, const Write& other) const {
  const auto partsOf = [&](const Write& write) { return std::span(parts_).subspan(write.firstPart, write.partCount); };
  return one.length == other.length &&
         std::ranges::equal(partsOf(one), partsOf(other), [](const Buffer& left, const Buffer& right) {
           return left.length == right.length &&
                  (left.data == right.data || std::memcmp(left.data, right.data, left.length) == 0);
         });
}

// Moves the next writes, as many as share a Buffer, into the records and the Buffer. Connections may have ended since
// they were gathered, and their bytes with them.
void StreamWrites::take(const driver::Driver& driver) {
  const std::size_t first = next_;
  std::size_t count = 0;
  std::size_t total = 0;
  const Write* before = nullptr;
  for (; next_ < writes_.size(); ++next_) {
    Write& write = writes_[next_];
    if (driver.find(write.id) == nullptr) {
      write.id = 0;
      continue;
    }
    write.repeats = before != nullptr && haveSameBytes(*before, write);
    const bool isFull = count != 0 && !write.repeats && total + write.length > kSharedSize;
    if (count == kMaxRecords || isFull) {
      break;
    }
    ++count;
    total += write.repeats ? 0 : write.length;
    before = &write;
  }
  const bool hasMemory = count != 0 && reserve(total);
  std::size_t offset = used_;
  for (const Write& write : std::span(writes_).subspan(first, next_ - first)) {
    if (write.id == 0) {
      continue;
    }
    if (!write.repeats) {
      offset = used_;
    }
    const std::array fields = {write.id, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(write.length),
                               static_cast<std::uint32_t>(hasMemory ? State::Waiting : State::Failed)};
    std::ranges::copy(fields, record(count_++));
    if (!hasMemory || write.repeats) {
      continue;
    }
    for (const Buffer& part : std::span(parts_).subspan(write.firstPart, write.partCount)) {
      std::memcpy(memory_ + used_, part.data, part.length);
      used_ += part.length;
    }
  }
  record(count_)[0] = 0;
  if (next_ == writes_.size()) {
    writes_.clear();
    parts_.clear();
    next_ = 0;
  }
}

// Has room for `size` bytes behind those in use; in another Buffer when this one is full. (A Buffer, because those are
// not filled with zeros first.) False: there is no memory.
bool StreamWrites::reserve(std::size_t size) {
  if (size_ - used_ >= size) {
    return true;
  }
  const std::size_t wanted = std::max(size, kSharedSize);
  void* memory = nullptr;
  napi_value buffer = nullptr;
  napi_handle_scope scope = nullptr;
  drop(buffer_);
  size_ = used_ = 0;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) {
    return false;
  }
  if (napi_create_buffer(env_, wanted, &memory, &buffer) == napi_ok &&
      napi_create_reference(env_, buffer, 1, &buffer_) == napi_ok) {
    memory_ = static_cast<std::uint8_t*>(memory);
    size_ = wanted;
  }
  napi_close_handle_scope(env_, scope);
  return size_ != 0;
}

// Has JavaScript write what is left of the group, and reports.
void StreamWrites::finish(driver::Driver& driver) {
  if (count_ == 0) {
    return;
  }
  call();
  for (std::size_t index = 0; index < count_; ++index) {
    const State state = stateOf(index);
    driver::Connection* const connection = state == State::UnderWay ? nullptr : driver.find(record(index)[0]);
    if (connection != nullptr) {
      connection->written(state == State::Done ? 0 : UV_EPIPE);
    }
  }
  count_ = 0;
  if (size_ > kSharedSize) {  // not to keep a large one
    drop(buffer_);
    size_ = used_ = 0;
  }
}

// When a stream throws, onWrite is left; it is called again for the writes behind.
void StreamWrites::call() {
  std::size_t first = 0;
  std::size_t before = count_;
  while (true) {
    while (first < count_ && stateOf(first) != State::Waiting) {
      ++first;
    }
    napi_handle_scope scope = nullptr;
    // No progress: JavaScript cannot run any more.
    if (first == count_ || first == before || napi_open_handle_scope(env_, &scope) != napi_ok) {
      return;
    }
    before = first;
    napi_value number = nullptr;
    napi_create_uint32(env_, static_cast<std::uint32_t>(first), &number);
    const std::array arguments = {valueOf(buffer_), number};
    callFromLoop(env_, context_, valueOf(onWrite_), arguments);
    napi_close_handle_scope(env_, scope);
  }
}

}  // namespace websocket::binding
