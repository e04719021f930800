#include "window.h"

#include <unistd.h>
#include <ctime>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace websocket::bench {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(1);
constexpr double kMostWallTime = 10;  // times the processor time that is waited for

}  // namespace

CpuClock::CpuClock(int pid) : pid_(pid) {
  if (const int error = clock_getcpuclockid(pid, &clock_); error != 0) {
    throw std::system_error(error, std::generic_category(), "the measured process");
  }
}

double CpuClock::total() const {
  timespec used{};
  if (clock_gettime(clock_, &used) != 0) {
    throw std::system_error(errno, std::generic_category(), "the measured process");
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// proc(5): utime and stime are fields 14 and 15; the second field, the name in parentheses, may hold spaces.
CpuClock::Parts CpuClock::parts() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  Parts parts;
  if (!(fields >> parts.user >> parts.system)) throw std::runtime_error("/proc/PID/stat cannot be read");
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {parts.user / ticks, parts.system / ticks};
}

Window::Window(const Options& options) : cpu_(options.pid), warmup_(options.warmup), length_(options.seconds) {
  begin(State::WarmingUp, Clock::now());
}

void Window::begin(State state, Clock::time_point now) {
  state_ = state;
  start_ = now;
  nextLook_ = now;
  partsAtStart_ = cpu_.parts();
  cpuAtStart_ = cpu_.total();
}

void Window::tick(Clock::time_point now) {
  if (isOver() || now < nextLook_) return;
  nextLook_ = now + kLookInterval;
  const double used = cpu_.total() - cpuAtStart_;
  const double passed = std::chrono::duration<double>(now - start_).count();
  const double wanted = isMeasuring() ? length_ : warmup_;
  if (used < wanted && passed < wanted * kMostWallTime) return;
  if (state_ == State::WarmingUp) {
    begin(State::Measuring, now);
    return;
  }
  cpuSeconds_ = used;
  seconds_ = passed;
  const CpuClock::Parts parts = cpu_.parts();
  parts_ = {parts.user - partsAtStart_.user, parts.system - partsAtStart_.system};
  state_ = State::Over;
}

std::string Window::toJson() const {
  if (messages_ == 0) throw std::runtime_error("nothing came back in the measured time");
  std::ostringstream out;
  out << "{\"messages\":" << messages_ << ",\"seconds\":" << seconds_ << ",\"cpuSeconds\":" << cpuSeconds_
      << ",\"userSeconds\":" << parts_.user << ",\"systemSeconds\":" << parts_.system
      << ",\"p50\":" << latencies_.quantile(0.5) << ",\"p99\":" << latencies_.quantile(0.99) << "}";
  return out.str();
}

}  // namespace websocket::bench
