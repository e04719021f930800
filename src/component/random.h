// Sources of random bytes: OpenSSL's generator, and a pool of its bytes for masking keys. Handshake keys come from
// systemRandom(); masking keys, four bytes at a time, from a pool, because one call of the generator costs a hundred
// times more than the rest of a small frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace websocket {

class RandomSource {
 public:
  virtual ~RandomSource() = default;

  // Fills bytes with unpredictable values. False when the generator failed; the content is then unspecified and must
  // not be used.
  [[nodiscard]] virtual bool fill(std::span<std::uint8_t> bytes) = 0;
};

// OpenSSL's generator (RAND_bytes). Any thread.
RandomSource& systemRandom();

// Hands out bytes of a pool that the system generator refills. One thread at a time. After a fork() the child starts a
// new pool, so that parent and child never share bytes.
//
// Bytes handed out stay in the pool until the next refill: they are masking keys, which the frame shows to everybody on
// the path anyway (RFC 6455, 5.3); what must stay unknown is the bytes not yet handed out.
class PooledRandom final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::uint8_t> bytes) override;

 private:
  bool refill();

  static constexpr std::size_t kPoolSize = 4096;  // one refill for 1,024 keys

  std::array<std::uint8_t, kPoolSize> pool_{};
  std::size_t available_ = 0;     // unused bytes, at the end of pool_
  std::uint32_t generation_ = 0;  // of the process that filled the pool
};

// The calling thread's own pool, for callers without a source of their own.
RandomSource& threadRandom();

}  // namespace websocket
