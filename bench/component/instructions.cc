// instructions SCENARIO ROUNDS: so many rounds of messages of 20 bytes, for counting instructions with callgrind
// (scripts/count-instructions.mjs). Without arguments it lists the scenarios, each with its messages in a round.
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "messages.h"

namespace websocket::bench {
namespace {

constexpr std::size_t kSize = 20;
constexpr std::size_t kBatch = 16;

struct Scenario {
  std::string name;
  std::size_t messages;  // in a round
  std::function<void(std::size_t rounds)> run;
};

std::vector<std::uint8_t> payload() { return std::vector<std::uint8_t>(kSize, 'x'); }

template <typename Make>
void addScenarios(std::vector<Scenario>& all, const std::string& face, Role role, Make make) {
  const std::string who = role == Role::Server ? "server" : "client";
  all.push_back({"send, " + who + ", " + face, 1, [=](std::size_t rounds) {
                   const auto one = make(role);
                   auto bytes = payload();
                   for (std::size_t i = 0; i < rounds; ++i) one->send(bytes);
                 }});
  for (const std::size_t messages : {std::size_t{1}, kBatch}) {
    const std::string reads = messages == 1 ? "" : ", 16 in a read";
    all.push_back({"receive, " + who + ", " + face + reads, messages, [=](std::size_t rounds) {
                     const auto one = make(role);
                     const auto frames = framesFor(role, kSize, messages);
                     for (std::size_t i = 0; i < rounds; ++i) one->receive(frames, messages);
                   }});
  }
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  for (const Role role : {Role::Server, Role::Client}) {
    addScenarios(all, "C", role, [](Role r) { return std::make_unique<CHandle>(r, kSize); });
    addScenarios(all, "C++", role, [](Role r) { return std::make_unique<CppSession>(r, kSize, false); });
    addScenarios(all, "C++ gather and pool", role, [](Role r) { return std::make_unique<CppSession>(r, kSize, true); });
    const std::string who = role == Role::Server ? "server" : "client";
    all.push_back({"send, " + who + ", C++ gather and pool, 16 in an action", kBatch, [=](std::size_t rounds) {
                     CppSession session(role, kSize, true);
                     auto bytes = payload();
                     for (std::size_t i = 0; i < rounds; ++i) session.sendTogether(bytes, kBatch);
                   }});
  }
  return all;
}

}  // namespace
}  // namespace websocket::bench

int main(int argc, char** argv) {
  const auto all = websocket::bench::scenarios();
  if (argc != 3) {
    for (const auto& scenario : all) std::cout << scenario.messages << ' ' << scenario.name << '\n';
    return 0;
  }
  for (const auto& scenario : all) {
    if (scenario.name == argv[1]) {
      scenario.run(std::strtoull(argv[2], nullptr, 10));
      return 0;
    }
  }
  std::cerr << "There is no scenario " << argv[1] << '\n';
  return 1;
}
