// Receive memory shared by many sessions (R6). A session leases space for one network read, unmasks and indicates the
// payload in place, and holds nothing between reads: what of a frame has arrived is indicated at once as a fragment.
// Payloads stay valid until the pool's owner reuses the space, which it does when the application has released them.
#pragma once

#include <cstdint>
#include <span>

namespace websocket {

class ReceivePool {
 public:
  virtual ~ReceivePool() = default;

  // Writable space for one network read; empty when the pool has none (the action queue then says NO_ACTION).
  virtual std::span<std::uint8_t> lease() = 0;

  // Writable space for a part of a decompressed message, treated as that for a read from then on. Asked for while the
  // session holds received bytes of another space, and no space for a read.
  virtual std::span<std::uint8_t> leaseForInflating() { return lease(); }

  // The read is over: the first `used` bytes of the leased space hold received bytes; 0 gives the space back.
  virtual void commit(std::span<std::uint8_t> space, std::uint32_t used) = 0;

  // The session is done with the received bytes of the space: they were taken, and what was indicated of them too.
  virtual void finish(std::span<std::uint8_t> /*space*/) {}
};

}  // namespace websocket
