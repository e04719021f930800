// Throughput of the loops that touch every payload byte: masking and UTF-8 validation, beside memcpy of the same size
// as the measure of what the memory allows. Each instruction set of this processor is measured by itself; the names
// without one are what the component uses. Run it pinned to one core.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "masking.h"
#include "masking_kernels.h"
#include "random.h"
#include "utf8.h"
#include "utf8_kernels.h"

namespace websocket {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr MaskKey kKey = {0x37, 0xFA, 0x21, 0x3D};
constexpr std::size_t kOffset = 6;  // payloads rarely begin at an aligned address: a header comes before them

// Text that repeats sample: size bytes, less those of a code point that would be cut.
Bytes textOf(std::string_view sample, std::size_t size) {
  Bytes text(size);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(sample[i % sample.size()]);
  const auto isComplete = [&text] {
    Utf8Validator validator;
    return validator.feed(text) && validator.complete();
  };
  while (!isComplete()) text.pop_back();
  return text;
}

constexpr std::string_view kAscii = "{\"type\":\"message\",\"user\":1234,\"text\":\"hello\"}";
// Latin, Greek, Chinese and an emoji among ASCII: all lengths of code points.
constexpr std::string_view kMixed =
    "na\xC3\xAFve \xCE\xB1\xCE\xB2\xCE\xB3 \xE4\xBD\xA0\xE5\xA5\xBD, ok \xF0\x9F\x98\x80 text ";

void report(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(size) * state.iterations());
}

void copyMemory(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const Bytes from(size + kOffset, 'x');
  Bytes to(size + kOffset);
  for (auto _ : state) {
    std::memcpy(to.data() + kOffset, from.data() + kOffset, size);
    benchmark::ClobberMemory();
  }
  report(state, size);
}

void maskInPlace(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  Bytes bytes(size + kOffset, 'x');
  for (auto _ : state) {
    applyMask(std::span(bytes).subspan(kOffset), kKey, 1);
    benchmark::ClobberMemory();
  }
  report(state, size);
}

void maskCopy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const Bytes from(size + kOffset, 'x');
  Bytes to(size + kOffset);
  for (auto _ : state) {
    copyMasked(to.data() + kOffset, std::span(from).subspan(kOffset), kKey, 1);
    benchmark::ClobberMemory();
  }
  report(state, size);
}

void maskKernel(benchmark::State& state, void (*copy)(std::uint8_t*, const std::uint8_t*, std::size_t, std::uint64_t)) {
  const auto size = static_cast<std::size_t>(state.range(0));
  Bytes bytes(size + kOffset, 'x');
  for (auto _ : state) {
    copy(bytes.data() + kOffset, bytes.data() + kOffset, size, masking::repeatKey(kKey, 1));
    benchmark::ClobberMemory();
  }
  report(state, size);
}

void validate(benchmark::State& state, std::string_view sample) {
  const Bytes text = textOf(sample, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    Utf8Validator validator;
    bool valid = validator.feed(text) && validator.complete();
    if (!valid) state.SkipWithError("valid text was refused");
    benchmark::DoNotOptimize(valid);
  }
  report(state, text.size());
}

void validateByKernel(benchmark::State& state, std::string_view sample, utf8::ValidateBlocks validateBlocks) {
  const Bytes text = textOf(sample, static_cast<std::size_t>(state.range(0)));
  const std::size_t blocks = text.size() / utf8::kBlockSize;
  for (auto _ : state) {
    bool valid = validateBlocks(text.data(), blocks);
    if (!valid) state.SkipWithError("valid text was refused");
    benchmark::DoNotOptimize(valid);
  }
  report(state, blocks * utf8::kBlockSize);
}

void maskKeys(benchmark::State& state, RandomSource& source) {
  MaskKey key{};
  for (auto _ : state) {
    if (!source.fill(key)) state.SkipWithError("no randomness");
    benchmark::DoNotOptimize(key);
  }
}

void registerAll() {
  constexpr std::int64_t kSizes[] = {20, 60, 200, 1024, 65536};
  const auto add = [&](const std::string& name, auto function, auto... arguments) {
    auto* const run = benchmark::RegisterBenchmark(name.c_str(), function, arguments...);
    for (const std::int64_t size : kSizes) run->Arg(size);
  };
  const auto addLarge = [](const std::string& name, auto function, auto... arguments) {
    benchmark::RegisterBenchmark(name.c_str(), function, arguments...)->Arg(65536);
  };
  add("memcpy", copyMemory);
  add("mask in place", maskInPlace);
  add("mask copy", maskCopy);
  addLarge("mask in place, plain", maskKernel, masking::copyWords);
  for (const masking::Kernel& kernel : masking::kernels()) {
    addLarge(std::string("mask in place, ") + kernel.name, maskKernel, kernel.copy);
  }
  add("UTF-8, ASCII", validate, kAscii);
  add("UTF-8, mixed", validate, kMixed);
  for (const utf8::Kernel& kernel : utf8::kernels()) {
    addLarge(std::string("UTF-8, ASCII, ") + kernel.name, validateByKernel, kAscii, kernel.validate);
    addLarge(std::string("UTF-8, mixed, ") + kernel.name, validateByKernel, kMixed, kernel.validate);
  }
  benchmark::RegisterBenchmark("mask key, system", [](benchmark::State& state) { maskKeys(state, systemRandom()); });
  benchmark::RegisterBenchmark("mask key, pool", [](benchmark::State& state) { maskKeys(state, threadRandom()); });
}

}  // namespace
}  // namespace websocket

int main(int argc, char** argv) {
  websocket::registerAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
