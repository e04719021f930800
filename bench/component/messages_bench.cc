// Nanoseconds for each message that is sent or received, through the C face and the C++ face, beside memcpy of as many
// bytes. Run it pinned to one core.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "messages.h"

namespace websocket::bench {
namespace {

const char* nameOf(Role role) { return role == Role::Server ? "server" : "client"; }

void copy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::vector<std::uint8_t> from(size, 'x');
  std::vector<std::uint8_t> to(size);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), size);
    benchmark::ClobberMemory();
  }
}

template <typename Sender>
void send(benchmark::State& state, Sender& sender) {
  std::vector<std::uint8_t> payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    sender.send(payload);
  }
}

template <typename Receiver>
void receive(benchmark::State& state, Receiver& receiver, Role role) {
  const auto frames = framesFor(role, static_cast<std::size_t>(state.range(0)), 1);
  for (auto _ : state) {
    receiver.receive(frames, 1);
  }
}

void registerAll() {
  constexpr std::int64_t kSizes[] = {20, 1024, 65536};
  const auto add = [&](const std::string& name, auto function) {
    auto* const run = benchmark::RegisterBenchmark(name.c_str(), function);
    for (const std::int64_t size : kSizes) run->Arg(size);
  };
  const auto sizeOf = [](const benchmark::State& state) { return static_cast<std::size_t>(state.range(0)); };
  add("memcpy", copy);
  for (const Role role : {Role::Server, Role::Client}) {
    const std::string who = nameOf(role);
    add("send, " + who + ", C", [=](benchmark::State& state) {
      CHandle handle(role, sizeOf(state));
      send(state, handle);
    });
    add("receive, " + who + ", C", [=](benchmark::State& state) {
      CHandle handle(role, sizeOf(state));
      receive(state, handle, role);
    });
    for (const bool asDriver : {false, true}) {
      const std::string face = asDriver ? ", C++ gather and pool" : ", C++";
      add("send, " + who + face, [=](benchmark::State& state) {
        CppSession session(role, sizeOf(state), asDriver);
        send(state, session);
      });
      add("receive, " + who + face, [=](benchmark::State& state) {
        CppSession session(role, sizeOf(state), asDriver);
        receive(state, session, role);
      });
    }
  }
}

}  // namespace
}  // namespace websocket::bench

int main(int argc, char** argv) {
  websocket::bench::registerAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
