// A session with permessage-deflate whose transport is the test: what the deflate tests share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "defined.h"
#include "extension/permessage_deflate_options.h"
#include "receive_pool.h"
#include "session.h"

namespace websocket::deflate {

using std::string_literals::operator""s;

inline std::span<const std::uint8_t> view(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// A pool that counts: every space is memory of its own, so that sanitizers see a use after its end.
class CountingPool final : public ReceivePool {
 public:
  explicit CountingPool(std::size_t size) : size_(size) {}
  std::span<std::uint8_t> lease() override { return give(); }
  std::span<std::uint8_t> leaseForInflating() override { return refuseInflating ? std::span<std::uint8_t>() : give(); }
  void commit(std::span<std::uint8_t> space, std::uint32_t used) override {
    EXPECT_LE(used, space.size());
    if (used == 0) {
      finish(space);
    }
  }
  void finish(std::span<std::uint8_t> space) override {
    const auto found = std::ranges::find(leased_, space.data(), [](const auto& one) { return one.get(); });
    ASSERT_NE(found, leased_.end());
    leased_.erase(found);
  }
  std::size_t leased() const { return leased_.size(); }
  bool refuseInflating = false;

 private:
  std::span<std::uint8_t> give() {
    leased_.push_back(std::make_unique<std::uint8_t[]>(size_));
    return {leased_.back().get(), size_};
  }

  std::size_t size_;
  std::vector<std::unique_ptr<std::uint8_t[]>> leased_;
};

// How an endpoint moves its bytes.
enum class Mode : std::uint8_t { Documented, ApplicationMemory, GatherAndPool };
inline constexpr std::array kModes = {Mode::Documented, Mode::ApplicationMemory, Mode::GatherAndPool};

struct Message {
  BufferType type = BufferType::None;
  std::string payload;
  bool operator==(const Message&) const = default;
};

inline std::ostream& operator<<(std::ostream& stream, const Message& message) {
  return stream << std::hex << static_cast<std::uint32_t>(message.type) << " of " << std::dec << message.payload.size();
}

class Endpoint {
 public:
  Endpoint(Role role, Mode mode, const DeflateNegotiation& negotiation = {}, std::uint32_t bufferSize = 512)
      : mode_(mode), pool(std::make_unique<CountingPool>(bufferSize)), memory_(bufferSize) {
    auto deflateOptions = std::make_shared<PermessageDeflateOptions>();
    deflateOptions->negotiation = negotiation;
    deflateOptions->pool = contexts;
    options->permessageDeflate = deflateOptions;
    options->receiveBufferSize = bufferSize;
    options->sendBufferSize = 64;
    if (mode == Mode::GatherAndPool) {
      options->gather = true;
      options->pool = pool.get();
    }
    role_ = role;
  }

  void make() { session = std::make_unique<Session>(role_, options); }
  void open(const DeflateParameters& agreed = {}) {
    make();
    ASSERT_EQ(session->open(agreed), Result::Ok);
  }

  void send(BufferType type, std::string_view payload, Compression compression = Compression::On) {
    if (mode_ == Mode::GatherAndPool) {
      ASSERT_EQ(session->send(type, view(payload), nullptr, Payload::Copy, nullptr, compression), Result::Ok);
      return;
    }
    sent_.emplace_back(payload);
    ASSERT_EQ(session->send(type, view(sent_.back()), &sent_, Payload::Reference, nullptr, compression), Result::Ok);
  }

  // All that there is to write.
  std::string written() {
    std::string wire;
    std::array<Buffer, 5> buffers;
    while (true) {
      Action action;
      EXPECT_EQ(session->getAction(ActionQueue::Send, buffers, action), Result::Ok);
      if (action.kind == ActionKind::None) {
        sent_.clear();
        return wire;
      }
      std::uint32_t length = 0;
      for (std::uint32_t i = 0; i < action.count; ++i) {
        checkDefined(buffers[i].data, buffers[i].length);
        wire.append(reinterpret_cast<const char*>(buffers[i].data), buffers[i].length);
        length += buffers[i].length;
      }
      session->completeAction(action.id, length);
    }
  }

  // Gives bytes to the session in reads of at most `step`, and gathers the messages that they make.
  Result read(std::string_view wire, std::size_t step = 1 << 20) {
    std::array<Buffer, 2> buffers;
    while (true) {
      if (!receiving_) {
        if (session->receive(mode_ == Mode::ApplicationMemory ? std::span(memory_) : std::span<std::uint8_t>(),
                             nullptr) != Result::Ok) {
          return Result::InvalidOperation;
        }
        receiving_ = true;
      }
      Action action;
      if (const Result result = session->getAction(ActionQueue::Receive, buffers, action); result != Result::Ok) {
        return result;
      }
      session->endReceiveLease();
      if (action.kind == ActionKind::ReceiveFromNetwork) {
        const std::size_t count = std::min({wire.size(), step, std::size_t{buffers[0].length}});
        if (count == 0) {
          pendingRead_ = action.id;
          endRead();
          return Result::Ok;
        }
        std::memcpy(buffers[0].data, wire.data(), count);
        wire.remove_prefix(count);
        session->completeAction(action.id, static_cast<std::uint32_t>(count));
      } else if (action.kind == ActionKind::IndicateReceiveComplete) {
        take(action, buffers[0]);
        receiving_ = false;
        session->completeAction(action.id, 0);
      } else if (action.kind == ActionKind::SendToNetwork) {  // the answer to a ping
        session->completeAction(action.id, buffers[0].length);
      } else {
        return Result::Ok;  // no space
      }
    }
  }

  std::vector<Message> received() { return std::exchange(messages_, {}); }
  std::size_t largestPiece() const { return largestPiece_; }
  std::string partial() const { return partial_; }

  Mode mode_;
  std::unique_ptr<CountingPool> pool;
  std::shared_ptr<DeflatePool> contexts = std::make_shared<DeflatePool>();
  std::shared_ptr<SessionOptions> options = std::make_shared<SessionOptions>();
  std::unique_ptr<Session> session;

 private:
  // Gives up a read that nothing is there for, as a driver does that polls; what was held up comes with it.
  void endRead() {
    session->completeAction(pendingRead_, 0);
    std::array<Buffer, 2> buffers;
    Action action;
    EXPECT_EQ(session->getAction(ActionQueue::Receive, buffers, action), Result::Ok);
    EXPECT_EQ(action.kind, ActionKind::IndicateReceiveComplete);
    if (action.count != 0) {
      take(action, buffers[0]);
    }
    session->completeAction(action.id, 0);
    receiving_ = false;
  }

  void take(const Action& action, const Buffer& buffer) {
    if (action.count == 0) {
      return;
    }
    const std::string payload(reinterpret_cast<const char*>(buffer.data), buffer.length);
    largestPiece_ = std::max(largestPiece_, payload.size());
    switch (action.type) {
      case BufferType::Utf8Fragment:
      case BufferType::BinaryFragment:
        partial_ += payload;
        return;
      case BufferType::Utf8Message:
      case BufferType::BinaryMessage:
        messages_.push_back({action.type, std::exchange(partial_, {}) + payload});
        return;
      default:
        messages_.push_back({action.type, payload});
    }
  }

  Role role_ = Role::Client;
  std::vector<std::uint8_t> memory_;
  std::deque<std::string> sent_;
  bool receiving_ = false;
  ActionId pendingRead_ = 0;
  std::string partial_;
  std::vector<Message> messages_;
  std::size_t largestPiece_ = 0;
};

// Text that compresses: UTF-8 with repetitions.
inline std::string sampleText(std::mt19937& random, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    switch (random() % 4) {
      case 0:
        text += "\xC3\xA9t\xC3\xA9 ";
        break;
      case 1:
        text += std::to_string(random() % 100000);
        break;
      default:
        text += "{\"name\":\"value\",\"number\":";
    }
  }
  return text;
}

// A frame without a mask.
inline std::string frame(unsigned firstByte, std::string_view payload) {
  std::array<std::uint8_t, kMaxFrameHeaderSize> header;
  const std::size_t size =
      writeFrameHeader(header.data(), static_cast<std::uint8_t>(firstByte), payload.size(), nullptr);
  return std::string(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size)).append(payload);
}

}  // namespace websocket::deflate
