// Latencies in buckets of about 3 % width.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace websocket::bench {

class Histogram {
 public:
  /// @param nanoseconds one value
  void add(std::uint64_t nanoseconds);

  /// @param part from 0 to 1, for example 0.99
  /// @returns microseconds, the upper end of the bucket; 0 when nothing was added
  [[nodiscard]] double quantile(double part) const;

 private:
  static constexpr unsigned kPartBits = 5;  // 32 buckets for each power of two
  std::array<std::uint64_t, 64 << kPartBits> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace websocket::bench
