#define ZLIB_CONST  // zlib's input is const

#include "deflated.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>

#include "frames.h"
#include "upgrade.h"

namespace websocket::bench {
namespace {

constexpr int kWindowBits = 15;
constexpr std::size_t kWindow = std::size_t{1} << kWindowBits;
constexpr int kMemLevel = 8;                                       // zlib's default
constexpr std::array<std::uint8_t, 4> kTail = {0, 0, 0xFF, 0xFF};  // that a sender leaves out (RFC 7692, 7.2.1)
constexpr std::uint8_t kCompressedText = 0xC1;
constexpr std::size_t kReplyHeader = 2;
constexpr std::size_t kLongReplyHeader = 4;

// What sensors measured: their names stay, their values do not.
std::string makeMessage(std::size_t number, std::size_t size, std::mt19937_64& random) {
  std::string text = "{\"type\":\"update\",\"sequence\":" + std::to_string(number) + ",\"items\":[";
  for (std::size_t sensor = 0; text.size() < size; ++sensor) {
    text += "{\"id\":" + std::to_string(7919 * (sensor + 1) % 10'007) + ",\"name\":\"sensor-" + std::to_string(sensor) +
            "\",\"value\":" + std::to_string(random() % 1000) + "." + std::to_string(random() % 100) +
            (random() % 4 != 0 ? ",\"active\":true}," : ",\"active\":false},");
  }
  text.resize(size);
  return text;
}

class Deflater {
 public:
  Deflater() {
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -kWindowBits, kMemLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::runtime_error("deflateInit2");
    }
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  std::vector<std::uint8_t> deflate(std::string_view text) {
    std::vector<std::uint8_t> output(deflateBound(&stream_, static_cast<uLong>(text.size())) + 16);
    stream_.next_in = reinterpret_cast<const Bytef*>(text.data());
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = output.data();
    stream_.avail_out = static_cast<uInt>(output.size());
    if (::deflate(&stream_, Z_SYNC_FLUSH) != Z_OK || stream_.avail_in != 0) throw std::runtime_error("deflate");
    output.resize(output.size() - stream_.avail_out - kTail.size());
    return output;
  }
  void reset() { deflateReset(&stream_); }

 private:
  z_stream stream_{};
};

}  // namespace

DeflatedTraffic::DeflatedTraffic(std::size_t size, bool takeover, bool repeats, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t total = 0; total <= kWindow; total += size) {
    if (repeats) random.seed(seed);
    messages_.push_back(makeMessage(messages_.size(), size, random));
  }
  Deflater deflater;
  for (std::size_t number = 0; number < 2 * messages_.size(); ++number) {
    if (!takeover) deflater.reset();
    frames_.push_back(makeClientFrame(kCompressedText, deflater.deflate(message(number)), random()));
  }
}

std::span<const std::uint8_t> DeflatedTraffic::frame(std::size_t number) const {
  return frames_[number < messages_.size() ? number : messages_.size() + number % messages_.size()];
}

DeflatedReplies::DeflatedReplies(const DeflatedTraffic& expected, bool takeover)
    : expected_(&expected), takeover_(takeover), stream_(std::make_unique<z_stream>()) {
  if (inflateInit2(stream_.get(), -kWindowBits) != Z_OK) throw std::runtime_error("inflateInit2");
}

DeflatedReplies::~DeflatedReplies() { inflateEnd(stream_.get()); }

std::size_t DeflatedReplies::accept(std::span<const std::uint8_t> bytes) {
  received_.insert(received_.end(), bytes.begin(), bytes.end());
  std::span<const std::uint8_t> rest = received_;
  std::size_t messages = 0;
  while (rest.size() >= kLongReplyHeader) {
    if (rest[0] != kCompressedText) throw std::runtime_error("the reply is not a compressed text in one frame");
    const bool isLong = rest[1] == 126;
    if (rest[1] > 126) throw std::runtime_error("the reply is masked, or larger than 64 KiB");
    const std::size_t header = isLong ? kLongReplyHeader : kReplyHeader;
    const std::size_t length = isLong ? std::size_t{rest[2]} << 8 | rest[3] : rest[1];
    if (rest.size() < header + length) break;
    check(rest.subspan(header, length));
    rest = rest.subspan(header + length);
    ++messages;
  }
  received_.erase(received_.begin(), received_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return messages;
}

void DeflatedReplies::check(std::span<const std::uint8_t> compressed) {
  const std::string_view expected = expected_->message(number_++);
  inflated_.resize(expected.size() + 1);  // one more, so that an excess shows
  if (!takeover_) inflateReset(stream_.get());
  stream_->next_out = reinterpret_cast<Bytef*>(inflated_.data());
  stream_->avail_out = static_cast<uInt>(inflated_.size());
  for (const std::span<const std::uint8_t> part : {compressed, std::span<const std::uint8_t>(kTail)}) {
    stream_->next_in = part.data();
    stream_->avail_in = static_cast<uInt>(part.size());
    const int result = inflate(stream_.get(), Z_SYNC_FLUSH);
    if ((result != Z_OK && result != Z_BUF_ERROR) || stream_->avail_in != 0) {
      throw std::runtime_error("the reply cannot be inflated");
    }
  }
  inflated_.resize(inflated_.size() - stream_->avail_out);
  if (inflated_ != expected) throw std::runtime_error("the reply differs from what was sent");
}

void upgradeDeflated(const Descriptor& socket, bool takeover) {
  const std::string_view contexts = takeover ? "" : "; server_no_context_takeover; client_no_context_takeover";
  const std::string agreed = upgradeAsClient(socket, "permessage-deflate" + std::string(contexts));
  const bool isWithout = agreed.find("server_no_context_takeover") != std::string::npos;
  if (!agreed.starts_with("permessage-deflate") || isWithout == takeover ||
      agreed.find("max_window_bits") != std::string::npos) {
    throw std::runtime_error("the server agreed to other extensions: " + agreed);
  }
}

}  // namespace websocket::bench
