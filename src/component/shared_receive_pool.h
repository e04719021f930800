// The receive pool of the C face (WEB_SOCKET_RECEIVE_POOL): buffers of one size, counted references, any thread.
//
// A buffer is referenced by the handle that leased it, until all of its bytes were taken, and once for each payload
// that was indicated from it, until the application releases that payload.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "receive_pool.h"

namespace websocket {

class SharedReceivePool final : public ReceivePool {
 public:
  // bufferSize in bytes; maxBuffers 0: no limit.
  SharedReceivePool(std::uint32_t bufferSize, std::uint32_t maxBuffers)
      : bufferSize_(bufferSize), maxBuffers_(maxBuffers) {}

  std::span<std::uint8_t> lease() override;
  void commit(std::span<std::uint8_t> space, std::uint32_t used) override;
  void finish(std::span<std::uint8_t> space) override { release(space.data()); }

  // Adds or drops a reference to the buffer that holds `payload`; a pointer outside the pool has no effect.
  void retain(const std::uint8_t* payload);
  void release(const std::uint8_t* payload);

  std::uint64_t bytesInUse();

 private:
  struct PoolBuffer {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::uint32_t references = 0;
  };

  PoolBuffer* find(const std::uint8_t* pointer);

  const std::uint32_t bufferSize_;
  const std::uint32_t maxBuffers_;
  std::mutex mutex_;
  std::vector<PoolBuffer> buffers_;  // sorted by address
};

}  // namespace websocket
