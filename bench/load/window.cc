#include "window.h"

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace websocket::bench {
namespace {

Clock::duration fromSeconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

CpuTime cpuTimeOf(int pid) {
  clockid_t clock{};
  if (const int error = clock_getcpuclockid(pid, &clock); error != 0) {
    throw std::system_error(error, std::generic_category(), "the measured process");
  }
  timespec used{};
  if (clock_gettime(clock, &used) != 0) {
    throw std::system_error(errno, std::generic_category(), "the measured process");
  }
  CpuTime time;
  time.total = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;

  // proc(5): utime and stime are fields 14 and 15; the second one, the name in parentheses, may hold spaces.
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  if (!(fields >> user >> system)) throw std::runtime_error("/proc/PID/stat cannot be read");
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  time.user = user / ticks;
  time.system = system / ticks;
  return time;
}

Window::Window(const Options& options)
    : pid_(options.pid), length_(fromSeconds(options.seconds)), next_(Clock::now() + fromSeconds(options.warmup)) {}

void Window::tick(Clock::time_point now) {
  if (now < next_) return;
  switch (state_) {
    case State::WarmingUp:
      cpuAtStart_ = cpuTimeOf(pid_);
      start_ = Clock::now();
      next_ = start_ + length_;
      state_ = State::Measuring;
      break;
    case State::Measuring: {
      const CpuTime end = cpuTimeOf(pid_);
      cpu_ = {end.total - cpuAtStart_.total, end.user - cpuAtStart_.user, end.system - cpuAtStart_.system};
      seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
      state_ = State::Over;
      break;
    }
    case State::Over:
      break;
  }
}

std::string Window::toJson() const {
  if (messages_ == 0) throw std::runtime_error("nothing came back in the measured time");
  std::ostringstream out;
  out << "{\"messages\":" << messages_ << ",\"seconds\":" << seconds_ << ",\"cpuSeconds\":" << cpu_.total
      << ",\"userSeconds\":" << cpu_.user << ",\"systemSeconds\":" << cpu_.system
      << ",\"p50\":" << latencies_.quantile(0.5) << ",\"p99\":" << latencies_.quantile(0.99) << "}";
  return out.str();
}

}  // namespace websocket::bench
