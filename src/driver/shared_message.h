// A message that is sent to many connections, or often, or that waits: its payload, and what that is compressed to.
// Each compressed form is made for the first send that needs it, and shared by the others.
//
// Shared by who sends it and the connections on which it waits. One thread: the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "extension/deflate_job.h"

namespace websocket::driver {

// From this size on connections share a payload; below, copying it to each costs less.
inline constexpr std::size_t kSharedSize = std::size_t{4} * 1024;

class SharedMessage {
 public:
  // The owner keeps the payload alive and unchanged. Without one the payload must outlive this object.
  SharedMessage(std::span<const std::uint8_t> payload, SharedBytes owner)
      : payload_(payload), owner_(std::move(owner)) {}

  std::span<const std::uint8_t> payload() const { return payload_; }
  const SharedBytes& owner() const { return owner_; }

  // The job that compresses it by itself, done or not. Throws std::bad_alloc.
  const std::shared_ptr<DeflateJob>& job(const DeflaterSettings& settings, const std::shared_ptr<DeflatePool>& pool);

 private:
  std::span<const std::uint8_t> payload_;
  SharedBytes owner_;
  // Few: a program's settings, times the eight windows that peers can ask for.
  std::vector<std::shared_ptr<DeflateJob>> jobs_;
};

}  // namespace websocket::driver
