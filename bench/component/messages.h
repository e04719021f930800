// One message through a session, again and again, as a driver does it: what messages_bench.cc times and instructions.cc
// counts. The network costs nothing here: sent bytes are dropped, received bytes lie in the receive buffer already
// (masking is its own inverse, so a payload that was unmasked in place is a masked one for the next round).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "frame.h"
#include "receive_pool.h"
#include "session.h"
#include "websocket_ext.h"

namespace websocket::bench {

inline void require(bool holds) {
  if (!holds) {
    throw std::logic_error("a message did not go as expected");
  }
}

// Frames that such a session's peer sends: `count` binary messages of `size` bytes.
inline std::vector<std::uint8_t> framesFor(Role role, std::size_t size, std::size_t count) {
  constexpr MaskKey kKey = {0x37, 0xFA, 0x21, 0x3D};
  const MaskKey* const key = role == Role::Server ? &kKey : nullptr;
  std::array<std::uint8_t, kMaxFrameHeaderSize> header;
  const std::size_t headerSize = writeFrameHeader(header.data(), firstByteOf(Opcode::Binary, true), size, key);
  std::vector<std::uint8_t> frames;
  for (std::size_t i = 0; i < count; ++i) {
    frames.insert(frames.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(headerSize));
    frames.insert(frames.end(), size, 'x');
  }
  return frames;
}

// Buffers that hold a whole message, so that it takes one action.
inline std::uint32_t bufferSizeFor(std::size_t bytes) {
  return static_cast<std::uint32_t>(bytes < 4096 ? 4096 : bytes);
}

// The C face with its documented properties: both queues, capacity 2, every call that a message needs.
class CHandle {
 public:
  CHandle(Role role, std::size_t messageSize) {
    std::uint32_t size = bufferSizeFor(messageSize + kMaxFrameHeaderSize);
    std::vector<WEB_SOCKET_PROPERTY> properties = {{WEB_SOCKET_RECEIVE_BUFFER_SIZE_PROPERTY_TYPE, &size, sizeof size}};
    if (role == Role::Client) {
      properties.push_back({WEB_SOCKET_SEND_BUFFER_SIZE_PROPERTY_TYPE, &size, sizeof size});
    }
    const auto create = role == Role::Server ? WebSocketCreateServerHandle : WebSocketCreateClientHandle;
    require(create(properties.data(), static_cast<ULONG>(properties.size()), &handle_) == S_OK);
    require(WebSocketOpenWithoutHandshake(handle_) == S_OK);
  }
  CHandle(const CHandle&) = delete;
  CHandle& operator=(const CHandle&) = delete;
  ~CHandle() { WebSocketDeleteHandle(handle_); }

  void send(std::span<std::uint8_t> payload) {
    WEB_SOCKET_BUFFER buffer{};
    buffer.Data = {payload.data(), static_cast<ULONG>(payload.size())};
    require(WebSocketSend(handle_, WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &buffer, this) == S_OK);
    std::uint32_t total = take(WEB_SOCKET_SEND_ACTION_QUEUE, WEB_SOCKET_SEND_TO_NETWORK_ACTION);
    WebSocketCompleteAction(handle_, id_, total);
    take(WEB_SOCKET_SEND_ACTION_QUEUE, WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION);
    WebSocketCompleteAction(handle_, id_, 0);
  }

  // Receives all messages of frames, which one network read brings.
  void receive(std::span<const std::uint8_t> frames, std::size_t messages) {
    for (std::size_t i = 0; i < messages; ++i) {
      require(WebSocketReceive(handle_, nullptr, this) == S_OK);
      if (i == 0) {
        take(WEB_SOCKET_RECEIVE_ACTION_QUEUE, WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION);
        if (!filled_) {
          std::memcpy(buffers_[0].Data.pbBuffer, frames.data(), frames.size());
          filled_ = true;
        }
        WebSocketCompleteAction(handle_, id_, static_cast<ULONG>(frames.size()));
      }
      take(WEB_SOCKET_RECEIVE_ACTION_QUEUE, WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION);
      WebSocketCompleteAction(handle_, id_, 0);
    }
  }

 private:
  std::uint32_t take(WEB_SOCKET_ACTION_QUEUE queue, WEB_SOCKET_ACTION expected) {
    ULONG count = 2;
    WEB_SOCKET_ACTION kind{};
    WEB_SOCKET_BUFFER_TYPE type{};
    PVOID context = nullptr;
    require(WebSocketGetAction(handle_, queue, buffers_.data(), &count, &kind, &type, &context, &id_) == S_OK);
    require(kind == expected);
    std::uint32_t total = 0;
    for (ULONG i = 0; i < count; ++i) {
      total += buffers_[i].Data.ulBufferLength;
    }
    return total;
  }

  WEB_SOCKET_HANDLE handle_ = nullptr;
  std::array<WEB_SOCKET_BUFFER, 2> buffers_{};
  PVOID id_ = nullptr;
  bool filled_ = false;
};

// A pool with one space, as a driver's slab is between two reads.
class OneSpace final : public ReceivePool {
 public:
  explicit OneSpace(std::size_t size) : space_(size) {}
  std::span<std::uint8_t> lease() override { return space_; }
  void commit(std::span<std::uint8_t> /*space*/, std::uint32_t /*used*/) override {}

 private:
  std::vector<std::uint8_t> space_;
};

// The C++ face: as the C face, or as the driver uses it, with gather actions and a receive pool.
class CppSession {
 public:
  CppSession(Role role, std::size_t messageSize, bool asDriver)
      : pool_(bufferSizeFor(messageSize + kMaxFrameHeaderSize)), session_(role, options(role, messageSize, asDriver)) {
    require(session_.open() == Result::Ok);
  }

  void send(std::span<std::uint8_t> payload) {
    require(session_.send(BufferType::BinaryMessage, payload, this) == Result::Ok);
    std::uint32_t total = take(ActionQueue::Send, ActionKind::SendToNetwork);
    session_.completeAction(action_.id, total);
    take(ActionQueue::Send, ActionKind::IndicateSendComplete);
    session_.completeAction(action_.id, 0);
  }

  // So many messages that leave with one action and need no indication.
  void sendTogether(std::span<std::uint8_t> payload, std::size_t messages) {
    for (std::size_t i = 0; i < messages; ++i) {
      require(session_.send(BufferType::BinaryMessage, payload, nullptr, Payload::Copy) == Result::Ok);
    }
    const std::uint32_t total = take(ActionQueue::Send, ActionKind::SendToNetwork);
    session_.completeAction(action_.id, total);
  }

  void receive(std::span<const std::uint8_t> frames, std::size_t messages) {
    for (std::size_t i = 0; i < messages; ++i) {
      require(session_.receive({}, this) == Result::Ok);
      if (i == 0) {
        take(ActionQueue::Receive, ActionKind::ReceiveFromNetwork);
        if (!filled_) {
          std::memcpy(buffers_[0].data, frames.data(), frames.size());
          filled_ = true;
        }
        session_.completeAction(action_.id, static_cast<std::uint32_t>(frames.size()));
      }
      take(ActionQueue::Receive, ActionKind::IndicateReceiveComplete);
      session_.completeAction(action_.id, 0);
    }
  }

 private:
  std::shared_ptr<const SessionOptions> options(Role role, std::size_t messageSize, bool asDriver) {
    auto options = std::make_shared<SessionOptions>();
    options->receiveBufferSize = bufferSizeFor(messageSize + kMaxFrameHeaderSize);
    options->sendBufferSize = role == Role::Server ? 16 : options->receiveBufferSize;
    options->gather = asDriver;
    options->pool = asDriver ? &pool_ : nullptr;
    return options;
  }
  std::uint32_t take(ActionQueue queue, ActionKind expected) {
    require(session_.getAction(queue, buffers_, action_) == Result::Ok);
    require(action_.kind == expected);
    std::uint32_t total = 0;
    for (std::uint32_t i = 0; i < action_.count; ++i) {
      total += buffers_[i].length;
    }
    return total;
  }

  OneSpace pool_;
  Session session_;
  std::array<Buffer, 2> buffers_;
  Action action_;
  bool filled_ = false;
};

}  // namespace websocket::bench
