#include "histogram.h"

#include <bit>
#include <cmath>

namespace websocket::bench {

void Histogram::add(std::uint64_t nanoseconds) {
  const auto width = static_cast<unsigned>(std::bit_width(nanoseconds));
  const unsigned shift = width > kPartBits + 1 ? width - kPartBits - 1 : 0;
  ++counts_[(std::size_t{shift} << kPartBits) + static_cast<std::size_t>(nanoseconds >> shift)];
  ++total_;
}

double Histogram::quantile(double part) const {
  if (total_ == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(total_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen < wanted || counts_[bucket] == 0) continue;
    const std::size_t shift = bucket < (2U << kPartBits) ? 0 : (bucket >> kPartBits) - 1;
    const std::size_t mantissa = bucket - (shift << kPartBits);
    return std::ldexp(static_cast<double>(mantissa + 1), static_cast<int>(shift)) / 1000;
  }
  return 0;
}

}  // namespace websocket::bench
