// Bytes as the payloads of compressed messages: our inflater, with input and output in small steps, against zlib used
// directly, all at once. Then the same bytes as text that we deflate and zlib inflates.
//
// zlib holds a sender to the window that was agreed only as far as it looks there: what was written by the same call of
// inflate() can be referred to from any distance. So it takes the most when it has all the output at once and nothing
// beyond the window when it gives one byte at a time, and ours, in between, must be between the two.
#include <fuzzer/FuzzedDataProvider.h>
#include <zlib.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "extension/deflater.h"
#include "extension/inflater.h"
#include "require.h"

namespace websocket {
namespace {

constexpr std::size_t kMostOutput = std::size_t{1} << 17;  // of an input, so that a bomb does not take all the time
const std::string kTail("\x00\x00\xFF\xFF", 4);

// RFC 7692, 7.2.2, as directly as zlib lets it be written.
class Reference {
 public:
  // outputStep: bytes that one call of inflate() gives at most.
  explicit Reference(int windowBits, std::size_t outputStep = kMostOutput + 1) : output_(outputStep) {
    REQUIRE(inflateInit2(&stream_, -windowBits) == Z_OK);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  ~Reference() { inflateEnd(&stream_); }

  // Nothing: the data is corrupt. More than kMostOutput: there would be more still, or the data would be corrupt
  // behind.
  std::optional<std::string> message(const std::string& payload) {
    std::string text;
    if (!payload.empty() && !run(payload, text)) {
      return std::nullopt;
    }
    if (!atBoundary_ && text.size() <= kMostOutput && !run(kTail, text)) {
      return std::nullopt;
    }
    return atBoundary_ || text.size() > kMostOutput ? std::optional(text) : std::nullopt;
  }

 private:
  bool run(std::string input, std::string& text) {
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    while (true) {
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<uInt>(output_.size());
      const int result = inflate(&stream_, Z_SYNC_FLUSH);
      text.append(output_.begin(), output_.end() - stream_.avail_out);
      if (text.size() > kMostOutput) {
        return true;
      }
      if (result == Z_STREAM_END) {
        inflateReset(&stream_);
        atBoundary_ = true;
      } else if (result == Z_OK || result == Z_BUF_ERROR) {
        atBoundary_ = stream_.data_type == 128;
      } else {
        return false;
      }
      if (stream_.avail_in == 0 && stream_.avail_out != 0) {
        return true;
      }
    }
  }

  std::vector<Bytef> output_;
  z_stream stream_{};
  bool atBoundary_ = true;
};

std::optional<std::string> inflateMessage(Inflater& inflater, const std::string& payload, std::size_t inputStep,
                                          std::size_t outputStep) {
  std::string text;
  std::vector<std::uint8_t> memory(outputStep);
  const auto drain = [&](auto&& step) {
    while (true) {
      std::span<std::uint8_t> output(memory);
      const InflateStatus status = step(output);
      text.append(memory.begin(), memory.end() - static_cast<std::ptrdiff_t>(output.size()));
      REQUIRE(status != InflateStatus::OutOfMemory);
      REQUIRE(status != InflateStatus::OutputFull || output.empty());
      if (status != InflateStatus::OutputFull || text.size() > kMostOutput) {
        return status;
      }
    }
  };
  std::span<const std::uint8_t> rest(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
  while (!rest.empty() && text.size() <= kMostOutput) {
    std::span<const std::uint8_t> input = rest.first(std::min(inputStep, rest.size()));
    rest = rest.subspan(input.size());
    const InflateStatus status = drain([&](auto& output) { return inflater.inflate(input, output); });
    if (status == InflateStatus::Corrupt) {
      return std::nullopt;
    }
    REQUIRE(input.empty() || text.size() > kMostOutput);
  }
  if (text.size() <= kMostOutput &&
      drain([&](auto& output) { return inflater.finish(output); }) == InflateStatus::Corrupt) {
    return std::nullopt;
  }
  return text;
}

// Whether the last of these payloads refers to what is beyond the window.
bool leavesTheWindow(int windowBits, const std::vector<std::string>& payloads) {
  Reference strict(windowBits, 1);
  std::optional<std::string> last;
  for (const std::string& payload : payloads) {
    last = strict.message(payload);
  }
  return !last.has_value();
}

void check(FuzzedDataProvider& choices) {
  ZlibMemory memory;
  const auto windowBits = choices.ConsumeIntegralInRange<std::uint8_t>(8, 15);
  const auto inputStep = choices.ConsumeIntegralInRange<std::size_t>(1, 40);
  const auto outputStep = choices.ConsumeIntegralInRange<std::size_t>(1, 300);
  const DeflaterSettings settings{.windowBits = windowBits,
                                  .level = choices.ConsumeIntegralInRange<std::int8_t>(-1, 9),
                                  .memLevel = choices.ConsumeIntegralInRange<std::uint8_t>(1, 9),
                                  .strategy = choices.ConsumeIntegralInRange<std::uint8_t>(0, 4)};
  REQUIRE(settings.valid());
  Inflater inflater(windowBits, memory);
  Reference reference(windowBits);
  Deflater deflater(settings, memory);
  Reference receiver(windowBits);
  std::vector<std::string> inflated;
  bool inflating = true;
  while (choices.remaining_bytes() != 0) {
    const std::string payload = choices.ConsumeRandomLengthString();
    if (inflating) {
      const auto expected = reference.message(payload);
      const auto text = inflateMessage(inflater, payload, inputStep, outputStep);
      const bool tooLong = expected.has_value() && expected->size() > kMostOutput;
      inflated.push_back(payload);
      REQUIRE(tooLong || text == expected || (!text.has_value() && leavesTheWindow(windowBits, inflated)));
      inflating = text.has_value() && expected.has_value() && !tooLong;
    }
    std::string sent;
    ByteBuffer output;
    const std::size_t half = payload.size() / 2;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
    if (choices.ConsumeBool()) {
      deflater.deflate({bytes, half}, false, output);
      sent.assign(output.view().begin(), output.view().end());
      deflater.deflate({bytes + half, payload.size() - half}, true, output);
    } else {
      deflater.deflate({bytes, payload.size()}, true, output);
    }
    sent.append(output.view().begin(), output.view().end());
    REQUIRE(receiver.message(sent) == payload);
    if (choices.ConsumeBool()) {
      deflater.reset();
    }
  }
}

}  // namespace
}  // namespace websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider choices(data, size);
  websocket::check(choices);
  return 0;
}
