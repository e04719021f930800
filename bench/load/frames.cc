#include "frames.h"

#include <random>

namespace websocket::bench {
namespace {

constexpr std::uint8_t kFinText = 0x81;
constexpr std::uint8_t kFinBinary = 0x82;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::size_t kMaskKeyLength = 4;

void appendHeader(std::vector<std::uint8_t>& out, std::uint8_t first, std::size_t size, bool masked) {
  const std::uint8_t mask = masked ? kMaskBit : 0;
  out.push_back(first);
  int lengthBytes = 0;
  if (size < 126) {
    out.push_back(static_cast<std::uint8_t>(mask | size));
  } else if (size < 65536) {
    out.push_back(mask | 126);
    lengthBytes = 2;
  } else {
    out.push_back(mask | 127);
    lengthBytes = 8;
  }
  for (int i = lengthBytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(size >> (8 * i)));
}

}  // namespace

Traffic makeTraffic(std::size_t count, std::size_t size, bool text, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::uint8_t first = text ? kFinText : kFinBinary;
  Traffic traffic;
  auto& [client, server] = traffic;
  client.masked = true;
  for (std::size_t message = 0; message < count; ++message) {
    std::uint8_t key[kMaskKeyLength];
    for (auto& byte : key) byte = static_cast<std::uint8_t>(random());
    appendHeader(client.bytes, first, size, true);
    client.bytes.insert(client.bytes.end(), key, key + kMaskKeyLength);
    appendHeader(server.bytes, first, size, false);
    if (message == 0) {
      client.headerLength = client.bytes.size();
      server.headerLength = server.bytes.size();
    }
    for (std::size_t i = 0; i < size; ++i) {
      const auto byte = static_cast<std::uint8_t>(text ? 'a' + random() % 26 : random());
      server.bytes.push_back(byte);
      client.bytes.push_back(byte ^ key[i % kMaskKeyLength]);
    }
  }
  client.frameLength = client.headerLength + size;
  server.frameLength = server.headerLength + size;
  return traffic;
}

std::vector<std::uint8_t> makeClientFrame(std::uint8_t first, std::span<const std::uint8_t> payload,
                                          std::uint64_t seed) {
  std::vector<std::uint8_t> frame;
  appendHeader(frame, first, payload.size(), true);
  const std::size_t key = frame.size();
  for (std::size_t i = 0; i < kMaskKeyLength; ++i) frame.push_back(static_cast<std::uint8_t>(seed >> (8 * i)));
  for (std::size_t i = 0; i < payload.size(); ++i) frame.push_back(payload[i] ^ frame[key + i % kMaskKeyLength]);
  return frame;
}

std::vector<std::uint8_t> makeClientClose() {
  constexpr std::uint8_t key[kMaskKeyLength] = {0x12, 0x34, 0x56, 0x78};
  return {0x88, kMaskBit | 2, key[0], key[1], key[2], key[3], 0x03 ^ key[0], 0xE8 ^ key[1]};
}

}  // namespace websocket::bench
