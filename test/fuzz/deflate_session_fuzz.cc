// Wire bytes into sessions with permessage-deflate: one reads all at once into memory of its own, another in small
// steps into a pool, a third into small memory of the application. All see the same messages and fail for the same
// reason, no message exceeds the limit, and a fourth session that sends what they saw is understood.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "extension/permessage_deflate_options.h"
#include "receive_pool.h"
#include "require.h"
#include "session.h"

namespace websocket {
namespace {

constexpr std::uint64_t kMaxMessageSize = 100'000;

struct Message {
  BufferType type = BufferType::None;
  std::string payload;
  bool operator==(const Message&) const = default;
};

// Each space is memory of its own, so that the sanitizer sees a use after its end.
class Pool final : public ReceivePool {
 public:
  std::span<std::uint8_t> lease() override {
    leased_.push_back(std::make_unique<std::uint8_t[]>(kSize));
    return {leased_.back().get(), kSize};
  }
  void commit(std::span<std::uint8_t> space, std::uint32_t used) override {
    if (used == 0) {
      finish(space);
    }
  }
  void finish(std::span<std::uint8_t> space) override {
    REQUIRE(std::erase_if(leased_, [&](const auto& one) { return one.get() == space.data(); }) == 1);
  }
  bool empty() const { return leased_.empty(); }

 private:
  static constexpr std::size_t kSize = 300;
  std::vector<std::unique_ptr<std::uint8_t[]>> leased_;
};

struct Reader {
  Pool pool;
  std::vector<std::uint8_t> memory;  // of the application; empty: none
  std::vector<Message> messages;
  std::string partial;
  FaultKind fault = FaultKind::None;

  void read(Role role, std::shared_ptr<SessionOptions> options, const DeflateParameters& agreed,
            std::span<const std::uint8_t> wire, std::size_t step) {
    Session session(role, std::move(options));
    REQUIRE(session.open(agreed) == Result::Ok);
    while (true) {
      if (session.receive(memory, nullptr) != Result::Ok) {
        return;
      }
      bool pending = true;
      while (pending) {
        std::array<Buffer, 2> buffers;
        Action action;
        if (session.getAction(ActionQueue::Receive, buffers, action) != Result::Ok) {
          fault = session.fault().kind;
          return;
        }
        session.endReceiveLease();
        std::uint32_t moved = 0;
        if (action.kind == ActionKind::ReceiveFromNetwork) {
          moved = static_cast<std::uint32_t>(std::min({wire.size(), step, std::size_t{buffers[0].length}}));
          if (moved == 0) {
            return;
          }
          std::memcpy(buffers[0].data, wire.data(), moved);
          wire = wire.subspan(moved);
        } else if (action.kind == ActionKind::SendToNetwork) {
          moved = buffers[0].length;
        } else {
          REQUIRE(action.kind == ActionKind::IndicateReceiveComplete && action.count == 1);
          take(action.type, {reinterpret_cast<const char*>(buffers[0].data), buffers[0].length});
          pending = false;
        }
        session.completeAction(action.id, moved);
      }
    }
  }

  void take(BufferType type, std::string_view payload) {
    partial += payload;
    REQUIRE(partial.size() <= kMaxMessageSize);
    if (type == BufferType::Utf8Fragment || type == BufferType::BinaryFragment) {
      return;
    }
    if (type == BufferType::Utf8Message || type == BufferType::BinaryMessage) {
      messages.push_back({type, std::exchange(partial, {})});
    } else {
      partial.resize(partial.size() - payload.size());
      messages.push_back({type, std::string(payload)});
    }
  }
};

std::shared_ptr<SessionOptions> makeOptions(const std::shared_ptr<PermessageDeflateOptions>& deflate) {
  auto options = std::make_shared<SessionOptions>();
  options->permessageDeflate = deflate;
  options->maxMessageSize = kMaxMessageSize;
  options->maxFragments = 50;
  options->disableMasking = true;
  options->receiveBufferSize = 4096;
  return options;
}

std::vector<std::uint8_t> send(Role role, const std::vector<Message>& messages,
                               const std::shared_ptr<PermessageDeflateOptions>& deflate,
                               const DeflateParameters& agreed) {
  const auto options = makeOptions(deflate);
  options->gather = true;
  Session session(role, options);
  REQUIRE(session.open(agreed) == Result::Ok);
  for (const Message& message : messages) {
    if (message.type == BufferType::Utf8Message || message.type == BufferType::BinaryMessage) {
      REQUIRE(session.send(message.type,
                           {reinterpret_cast<const std::uint8_t*>(message.payload.data()), message.payload.size()},
                           nullptr, Payload::Copy, nullptr, Compression::On) == Result::Ok);
    }
  }
  std::vector<std::uint8_t> wire;
  std::array<Buffer, 16> buffers;
  Action action;
  while (session.getAction(ActionQueue::Send, buffers, action) == Result::Ok && action.kind != ActionKind::None) {
    std::uint32_t length = 0;
    for (const Buffer& buffer : std::span(buffers).first(action.count)) {
      wire.insert(wire.end(), buffer.data, buffer.data + buffer.length);
      length += buffer.length;
    }
    session.completeAction(action.id, length);
  }
  return wire;
}

// Whether the first refused data that the second took. Data that refers beyond the window may do that: zlib sees it in
// some splits only (deflate_stream_fuzz.cc).
bool endedEarlier(const Reader& first, const Reader& second) {
  return first.fault == FaultKind::InvalidCompressedData && first.messages.size() <= second.messages.size() &&
         std::equal(first.messages.begin(), first.messages.end(), second.messages.begin());
}

void check(FuzzedDataProvider& choices) {
  const auto deflate = std::make_shared<PermessageDeflateOptions>();
  deflate->pool = std::make_shared<DeflatePool>();
  const Role role = choices.ConsumeBool() ? Role::Server : Role::Client;
  const DeflateParameters agreed{choices.ConsumeBool(), choices.ConsumeBool(),
                                 choices.ConsumeIntegralInRange<std::uint8_t>(8, 15),
                                 choices.ConsumeIntegralInRange<std::uint8_t>(8, 15)};
  const auto step = choices.ConsumeIntegralInRange<std::size_t>(1, 50);
  const std::vector<std::uint8_t> wire = choices.ConsumeRemainingBytes<std::uint8_t>();

  const std::uint8_t window = role == Role::Server ? agreed.clientMaxWindowBits : agreed.serverMaxWindowBits;

  Reader whole;
  whole.read(role, makeOptions(deflate), agreed, wire, wire.size());
  Reader pooled;
  const auto gathering = makeOptions(deflate);
  gathering->gather = true;
  gathering->pool = &pooled.pool;
  pooled.read(role, gathering, agreed, wire, step);
  Reader small;
  small.memory.resize(100);
  small.read(role, makeOptions(deflate), agreed, wire, step + 7);
  REQUIRE(pooled.pool.empty());
  for (const Reader* const other : {&pooled, &small}) {
    const bool isSame = other->messages == whole.messages && other->fault == whole.fault;
    REQUIRE(isSame || (window < kMaxWindowBits && (endedEarlier(*other, whole) || endedEarlier(whole, *other))));
  }

  Reader echo;
  const Role peer = role == Role::Server ? Role::Client : Role::Server;
  std::erase_if(whole.messages, [](const Message& message) {
    return message.type != BufferType::Utf8Message && message.type != BufferType::BinaryMessage;
  });
  echo.read(role, makeOptions(deflate), agreed, send(peer, whole.messages, deflate, agreed), 4096);
  REQUIRE(echo.fault == FaultKind::None && echo.messages == whole.messages);
}

}  // namespace
}  // namespace websocket

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider choices(data, size);
  websocket::check(choices);
  return 0;
}
