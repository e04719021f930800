// The measured window: processor time of the measured process between two moments, read by the load generator itself
// so that both ends are exact. Its length is processor time too: a busy machine makes the measurement longer, not
// coarser, and the warm-up always covers the same amount of work.
#pragma once

#include <ctime>

#include <chrono>
#include <cstdint>
#include <string>

#include "histogram.h"
#include "options.h"

namespace websocket::bench {

using Clock = std::chrono::steady_clock;

/// Processor time of a process, all its threads, in seconds.
class CpuClock {
 public:
  /// @throws std::system_error when there is no such process
  explicit CpuClock(int pid);

  /// All of it, exact to nanoseconds.
  [[nodiscard]] double total() const;

  struct Parts {
    double user = 0;
    double system = 0;
  };
  /// In ticks of 10 ms, as the kernel shows them.
  [[nodiscard]] Parts parts() const;

 private:
  int pid_;
  clockid_t clock_{};
};

/// Warm-up, measurement, end. Give it the time in every turn of the loop.
class Window {
 public:
  explicit Window(const Options& options);

  /// Moves on when the measured process has used its time, or when ten times as long has passed by the clock.
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

  void begin(State state, Clock::time_point now);

  CpuClock cpu_;
  double warmup_;
  double length_;
  State state_ = State::WarmingUp;
  Clock::time_point nextLook_;
  // At the start of the state.
  Clock::time_point start_;
  double cpuAtStart_ = 0;
  CpuClock::Parts partsAtStart_;
  // Of the measurement.
  double seconds_ = 0;
  double cpuSeconds_ = 0;
  CpuClock::Parts parts_;
  std::uint64_t messages_ = 0;
  Histogram latencies_;
};

}  // namespace websocket::bench
