// The measured window: processor time of the measured process between two moments, read by the load generator itself
// so that both ends are exact.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "histogram.h"
#include "options.h"

namespace websocket::bench {

using Clock = std::chrono::steady_clock;

/// Processor time of a process, all its threads, in seconds.
struct CpuTime {
  double total = 0;  // exact to nanoseconds
  double user = 0;   // user and system in ticks of 10 ms, as the kernel shows them
  double system = 0;
};

/// @throws std::system_error when there is no such process
CpuTime cpuTimeOf(int pid);

/// Warm-up, measurement, end. Give it the time in every turn of the loop.
class Window {
 public:
  explicit Window(const Options& options);

  /// Moves on when the time has come.
  void tick(Clock::time_point now);
  [[nodiscard]] bool isMeasuring() const { return state_ == State::Measuring; }
  [[nodiscard]] bool isOver() const { return state_ == State::Over; }

  /// Counts messages (or handshakes); those outside the measurement are ignored.
  void count(std::uint64_t messages) {
    if (isMeasuring()) messages_ += messages;
  }
  /// A latency; ignored outside the measurement.
  void addLatency(Clock::duration latency) {
    if (isMeasuring()) latencies_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(latency).count()));
  }

  /// The line that the load generator prints.
  /// @throws std::runtime_error when nothing was counted
  [[nodiscard]] std::string toJson() const;

 private:
  enum class State { WarmingUp, Measuring, Over };

  int pid_;
  Clock::duration length_;
  State state_ = State::WarmingUp;
  Clock::time_point next_;  // the end of the state
  Clock::time_point start_;
  CpuTime cpuAtStart_;
  CpuTime cpu_;  // used in the window
  double seconds_ = 0;
  std::uint64_t messages_ = 0;
  Histogram latencies_;
};

}  // namespace websocket::bench
