// The receive memory of a loop: one block that all its connections read into, one after the other. Payloads stay where
// they were read until the batch that names them is delivered; then the block is used from its start again. When a
// handler causes more reading while a batch is being delivered, that reading gets a block of its own.
//
// A lease is the rest of the block, and a commit keeps its first bytes, so only one lease can be under way. That is why
// space is leased only inside a LeaseScope: a session that asks at another time finds no space, and holds none. Space
// for inflated bytes is different: a session asks for it between two reads, and gives it back before the next. It gets
// none while much waits for delivery, because little on the wire can become much memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "receive_pool.h"

namespace websocket::driver {

class Slab final : public ReceivePool {
 public:
  // Shared with those who look at borrowed payloads, so that a look that comes too late finds other bytes and no crash.
  using Block = std::shared_ptr<std::uint8_t[]>;

  // Large enough for an iteration's reading of a busy loop, small enough to stay in the processor's cache.
  static constexpr std::size_t kBlockSize = std::size_t{512} * 1024;
  // Below this the block counts as used up: a read into less costs more system calls than it is worth.
  static constexpr std::size_t kLowSpace = std::size_t{64} * 1024;
  // With so many bytes of large messages waiting, no more is inflated before they are delivered.
  static constexpr std::size_t kMostElsewhere = std::size_t{1024} * 1024;

  // In one turn no more is inflated for large messages.
  static constexpr std::size_t kMostInflated = std::size_t{512} * 1024;

  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() override = default;

  // Throws std::bad_alloc.
  std::span<std::uint8_t> lease() override { return leasing_ ? rest() : std::span<std::uint8_t>(); }
  std::span<std::uint8_t> leaseForInflating() override;
  void commit(std::span<std::uint8_t> /*space*/, std::uint32_t used) override { used_ += used; }

  class LeaseScope {
   public:
    explicit LeaseScope(Slab& slab) : slab_(slab) { slab_.leasing_ = true; }
    LeaseScope(const LeaseScope&) = delete;
    LeaseScope& operator=(const LeaseScope&) = delete;
    ~LeaseScope() { slab_.leasing_ = false; }

   private:
    Slab& slab_;
  };

  // At least kLowSpace writable bytes, not reserved for anybody. Throws std::bad_alloc.
  std::span<std::uint8_t> rest();
  // Whether the bytes lie in memory that lives until the batch is delivered.
  bool contains(const std::uint8_t* bytes) const;
  // Keeps a copy until the batch is delivered. At most kLowSpace bytes. Throws std::bad_alloc.
  std::span<const std::uint8_t> copy(std::span<const std::uint8_t> bytes);
  // Moves bytes that lie in the block in use to the end of others before them; false, and nothing is moved, when one of
  // the two lies elsewhere. What lay between them is lost.
  bool append(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> more);
  // So many bytes wait for delivery elsewhere.
  void noteElsewhere(std::size_t bytes) { elsewhere_ += bytes; }
  // So many bytes of a message were inflated into its own memory. A connection that has much to inflate does so a turn
  // of the loop after the other, so that the others are served between.
  void noteInflated(std::size_t bytes) { inflated_ += bytes; }
  bool mayInflateMore() const { return inflated_ < kMostInflated; }
  void beginTurn() { inflated_ = 0; }
  // Whether leaseForInflating() gives space to the connection at work.
  void allowInflating(bool allowed) { mayInflate_ = allowed; }
  // Time to deliver, so that the block can be used again.
  bool isLow() const { return !blocks_.empty() && kBlockSize - used_ < kLowSpace; }

  // Hands the used memory to a batch (blocks is empty before), and takes it back after its delivery.
  void handOver(std::vector<Block>& blocks);
  void recycle(std::vector<Block>& blocks);
  // The same when no batch needs the used memory.
  void reuse();

 private:
  std::vector<Block> blocks_;  // the last one is in use
  std::size_t used_ = 0;       // bytes of the last block
  std::size_t elsewhere_ = 0;  // bytes of large messages in the batch
  std::size_t inflated_ = 0;   // in this turn, for large messages
  bool leasing_ = false;
  bool mayInflate_ = true;
};

}  // namespace websocket::driver
