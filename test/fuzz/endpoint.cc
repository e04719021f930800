#include "endpoint.h"

#include <algorithm>
#include <cstring>

#include "require.h"

namespace websocket::fuzz {
namespace {

constexpr ULONG kPlainCapacity = 2;  // what the documented functions ever fill

bool includes(WEB_SOCKET_ACTION_QUEUE queue, WEB_SOCKET_ACTION_QUEUE part) { return (queue & part) != 0; }

Bytes contentOf(const std::vector<WEB_SOCKET_BUFFER>& buffers) {
  Bytes content;
  for (const WEB_SOCKET_BUFFER& buffer : buffers) {
    content.insert(content.end(), buffer.Data.pbBuffer, buffer.Data.pbBuffer + buffer.Data.ulBufferLength);
  }
  return content;
}

bool liesIn(const WEB_SOCKET_BUFFER& buffer, const std::uint8_t* memory, std::size_t size) {
  const std::uint8_t* const bytes = buffer.Data.pbBuffer;
  return memory != nullptr && bytes >= memory && bytes + buffer.Data.ulBufferLength <= memory + size;
}

bool isControl(WEB_SOCKET_BUFFER_TYPE type) {
  return type == WEB_SOCKET_CLOSE_BUFFER_TYPE || type == WEB_SOCKET_PING_PONG_BUFFER_TYPE ||
         type == WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE || type == WEB_SOCKET_PING_BUFFER_TYPE;
}

}  // namespace

Endpoint::Endpoint(const Settings& settings, Pipe& in, Pipe& out, WEB_SOCKET_RECEIVE_POOL pool, std::uint64_t poolLimit)
    : settings_(settings),
      handle_(std::make_unique<TestHandle>(settings, pool)),
      in_(in),
      out_(out),
      pool_(settings.pool ? pool : nullptr),
      poolLimit_(poolLimit),
      sent_(!settings.server, settings.gather || settings.controlFirst, settings.gather),
      rules_(readerRules(settings)) {}

Endpoint::~Endpoint() { drop(); }

void Endpoint::open() {
  REQUIRE(WebSocketOpenWithoutHandshake(handle()) == S_OK);
  opened(false);
}

void Endpoint::opened(bool extensionNegotiated) {
  extension_ = extensionNegotiated;
  rules_.rsvAllowed = extensionNegotiated;
}

bool Endpoint::mayFailForRandom() const { return !settings_.server && handle_->randomIsBroken(); }

bool Endpoint::networkSendIsOutstanding() const {
  return std::ranges::any_of(outstanding_, [](const Action& action) { return action.networkSend(); });
}

bool Endpoint::sendIsFree() const {
  return std::ranges::all_of(outstanding_, [](const Action& action) { return action.receives(); });
}

// A reply that was taken on the RECEIVE or ALL queue holds that queue (R2).
bool Endpoint::receiveIsFree() const {
  return std::ranges::none_of(outstanding_, [](const Action& action) {
    return action.receives() || (action.reply() && action.onReceiveQueue);
  });
}

bool Endpoint::takeAction(WEB_SOCKET_ACTION_QUEUE queue, ULONG capacity) {
  WEB_SOCKET_BUFFER untouched{};
  untouched.Data.pbBuffer = &salt_;
  Action action;
  action.buffers.assign(capacity, untouched);
  ULONG count = capacity;
  action.kind = WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION;
  action.context = this;
  action.id = this;
  const HRESULT result = WebSocketGetAction(handle(), queue, action.buffers.data(), &count, &action.kind, &action.type,
                                            &action.context, &action.id);
  REQUIRE(count <= capacity);
  for (ULONG i = count; i < capacity; ++i) {
    REQUIRE(action.buffers[i].Data.pbBuffer == &salt_);
  }
  action.buffers.resize(count);
  if (result != S_OK) {
    checkFailure(queue, result, action);
    return false;
  }
  if (action.kind == WEB_SOCKET_NO_ACTION) {
    checkNothing(queue, action);
    return false;
  }
  REQUIRE(action.id != nullptr);
  REQUIRE(std::ranges::none_of(outstanding_, [&](const Action& other) { return other.id == action.id; }));
  action.onReceiveQueue = includes(queue, WEB_SOCKET_RECEIVE_ACTION_QUEUE);
  if (action.receives()) {
    REQUIRE(action.onReceiveQueue);
    REQUIRE(receiveIsFree());
    REQUIRE(received_.hasOperation() && action.context == &received_.front());
  }
  switch (action.kind) {
    case WEB_SOCKET_SEND_TO_NETWORK_ACTION:
      checkSend(queue, action);
      action.content = contentOf(action.buffers);
      break;
    case WEB_SOCKET_INDICATE_SEND_COMPLETE_ACTION:
      REQUIRE(includes(queue, WEB_SOCKET_SEND_ACTION_QUEUE));
      REQUIRE(sendIsFree());
      REQUIRE(count == 0);
      sent_.indicated(action.context, action.type);
      break;
    case WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION:
      checkRead(action);
      std::memset(action.buffers[0].Data.pbBuffer, 0xAA, action.buffers[0].Data.ulBufferLength);
      break;
    default:
      REQUIRE(action.kind == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION);
      checkReceived(action);
      action.content = contentOf(action.buffers);
  }
  outstanding_.push_back(std::move(action));
  return true;
}

void Endpoint::checkFailure(WEB_SOCKET_ACTION_QUEUE queue, HRESULT result, const Action& action) {
  REQUIRE(action.kind == WEB_SOCKET_NO_ACTION && action.buffers.empty());
  REQUIRE(action.id == nullptr && action.context == nullptr);
  if (result == E_FAIL) {
    REQUIRE(mayFailForRandom());
    return;
  }
  REQUIRE(result == E_INVALID_PROTOCOL_FORMAT || result == E_INVALID_PROTOCOL_OPERATION);
  REQUIRE(includes(queue, WEB_SOCKET_RECEIVE_ACTION_QUEUE));
  REQUIRE(!aborted_ && !closeReceived_);
  REQUIRE(fault_ == S_OK || fault_ == result);
  REQUIRE(receiveIsFree());
  REQUIRE(!includes(queue, WEB_SOCKET_SEND_ACTION_QUEUE) || sent_.allIndicated() || !sendIsFree());
  fault_ = result;
}

void Endpoint::checkNothing(WEB_SOCKET_ACTION_QUEUE queue, const Action& action) const {
  REQUIRE(action.buffers.empty() && action.id == nullptr && action.context == nullptr && action.type == 0);
  if (includes(queue, WEB_SOCKET_SEND_ACTION_QUEUE)) {
    REQUIRE(sent_.allIndicated() || !sendIsFree());
  }
  if (includes(queue, WEB_SOCKET_RECEIVE_ACTION_QUEUE) && receiveIsFree()) {
    const bool waitsForPool = pool_ != nullptr && WebSocketReceivePoolBytesInUse(pool_) >= poolLimit_;
    REQUIRE(!received_.hasOperation() || waitsForPool);
    REQUIRE(fault_ == S_OK || aborted_);
  }
}

void Endpoint::checkSend(WEB_SOCKET_ACTION_QUEUE queue, const Action& action) const {
  REQUIRE(!networkSendIsOutstanding());
  REQUIRE(!aborted_);
  REQUIRE(!action.buffers.empty());
  for (const WEB_SOCKET_BUFFER& buffer : action.buffers) {
    REQUIRE(buffer.Data.pbBuffer != nullptr && buffer.Data.ulBufferLength != 0);
  }
  if (!action.reply()) {
    REQUIRE(includes(queue, WEB_SOCKET_SEND_ACTION_QUEUE));
    REQUIRE(sendIsFree());
  }
  if (settings_.gather) {
    return;
  }
  REQUIRE(action.buffers.size() <= kPlainCapacity);
  const auto* const operation = static_cast<const SendOperation*>(action.context);
  for (const WEB_SOCKET_BUFFER& buffer : action.buffers) {
    const bool application =
        settings_.server && operation != nullptr && liesIn(buffer, operation->memory.get(), operation->original.size());
    const ULONG limit = std::max({settings_.receiveBufferSize, settings_.sendBufferSize, ULONG{256}});
    const bool sizeIsRight = settings_.sendBufferSize == 0 || buffer.Data.ulBufferLength <= limit;
    REQUIRE(application || (handle_->owns(buffer.Data.pbBuffer, buffer.Data.ulBufferLength) && sizeIsRight));
  }
}

void Endpoint::checkRead(const Action& action) const {
  REQUIRE(!aborted_ && !closeReceived_ && fault_ == S_OK);
  REQUIRE(action.buffers.size() == 1 && action.type == 0);
  const WEB_SOCKET_BUFFER& space = action.buffers[0];
  REQUIRE(space.Data.pbBuffer != nullptr && space.Data.ulBufferLength != 0);
  if (pool_ == nullptr) {
    REQUIRE(handle_->owns(space.Data.pbBuffer, space.Data.ulBufferLength));
    REQUIRE(space.Data.ulBufferLength <= settings_.receiveBufferSize);
  }
}

void Endpoint::checkReceived(const Action& action) {
  if (action.buffers.empty()) {
    REQUIRE(aborted_ || closeReceived_ || readEnded_);
    REQUIRE(action.type == 0);
    readEnded_ = false;
    return;
  }
  readEnded_ = false;
  REQUIRE(!aborted_ && !closeReceived_ && fault_ == S_OK);
  REQUIRE(action.buffers.size() == 1);
  const WEB_SOCKET_BUFFER& buffer = action.buffers[0];
  const ReceiveOperation& operation = received_.front();
  REQUIRE(buffer.Data.pbBuffer != nullptr || buffer.Data.ulBufferLength == 0);
  if (operation.memory != nullptr && !isControl(action.type)) {
    REQUIRE(buffer.Data.ulBufferLength == 0 || liesIn(buffer, operation.memory.get(), operation.length));
  } else if (pool_ == nullptr) {
    REQUIRE(buffer.Data.pbBuffer == nullptr || handle_->owns(buffer.Data.pbBuffer, buffer.Data.ulBufferLength));
    REQUIRE(buffer.Data.ulBufferLength <= settings_.receiveBufferSize);
  }
  received_.indicated(action.type, buffer);
  if (action.type == WEB_SOCKET_PING_PONG_BUFFER_TYPE) {
    REQUIRE(std::ranges::find(sent_.pings(), contentOf(action.buffers)) != sent_.pings().end());
  }
  if (action.type != WEB_SOCKET_CLOSE_BUFFER_TYPE) {
    return;
  }
  closeReceived_ = true;
  if (settings_.autoCloseEcho && !closeSent_) {
    auto echo = std::make_unique<SendOperation>();
    echo->type = WEB_SOCKET_CLOSE_BUFFER_TYPE;
    echo->firstByte = 0x88;
    echo->internal = true;
    if (const USHORT status = buffer.CloseStatus.usStatus; status != 1005) {
      echo->payload = contentOf(action.buffers);
      echo->payload.insert(echo->payload.begin(),
                           {static_cast<std::uint8_t>(status >> 8), static_cast<std::uint8_t>(status)});
    }
    sent_.add(std::move(echo));
    closeSent_ = true;
  }
}

void Endpoint::requireStable(const Action& action) const {
  if (action.kind != WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
    REQUIRE(contentOf(action.buffers) == action.content);
  }
}

void Endpoint::completeAction(Choices& choices) {
  if (outstanding_.empty()) {
    return;
  }
  const auto index = choices.ConsumeIntegralInRange<std::size_t>(0, outstanding_.size() - 1);
  const Action& action = outstanding_[index];
  const std::size_t total = action.content.size();
  const auto count = [](std::size_t value) { return static_cast<std::uint32_t>(value); };
  if (action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
    const std::size_t most = std::min<std::size_t>(action.buffers[0].Data.ulBufferLength, in_.waiting().size());
    const std::uint8_t how = choices.ConsumeIntegral<std::uint8_t>();
    if (most == 0 && how < 240) {
      return;  // nothing came yet
    }
    if (most == 0 || how == 255) {
      complete(index, how % 2 == 0 ? 0 : action.buffers[0].Data.ulBufferLength + 1, 0);
    } else {
      read(index, how < 128 ? most : choices.ConsumeIntegralInRange<std::size_t>(1, most));
    }
  } else if (!action.networkSend()) {
    complete(index, choices.ConsumeIntegral<std::uint8_t>(), 0);  // the count is ignored
  } else if (settings_.gather) {
    const std::size_t written = choices.ConsumeBool() ? total : choices.ConsumeIntegralInRange<std::size_t>(0, total);
    complete(index, count(written == total ? total + choices.ConsumeIntegralInRange<std::size_t>(0, 1) : written),
             written);
  } else {
    switch (choices.ConsumeIntegralInRange<int>(0, 15)) {
      case 15:
        complete(index, 0, 0);  // failed
        break;
      case 14:
        complete(index, 0, total);  // written, and reported as nothing
        break;
      case 13: {
        const auto part = choices.ConsumeIntegralInRange<std::size_t>(0, total - 1);
        complete(index, count(part), part);
        break;
      }
      default:
        complete(index, count(total), total);
    }
  }
}

void Endpoint::read(std::size_t index, std::size_t count) {
  std::memcpy(outstanding_[index].buffers[0].Data.pbBuffer, in_.waiting().data(), count);
  if (!aborted_) {
    in_.taken += count;
  }
  complete(index, static_cast<std::uint32_t>(count), 0);
}

void Endpoint::complete(std::size_t index, std::uint32_t bytes, std::size_t written) {
  const Action action = std::move(outstanding_[index]);
  outstanding_.erase(outstanding_.begin() + static_cast<std::ptrdiff_t>(index));
  requireStable(action);
  if (action.networkSend()) {
    write(action, bytes, written);
  } else if (action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
    readEnded_ = bytes == 0 || bytes > action.buffers[0].Data.ulBufferLength;
  }
  WebSocketCompleteAction(handle(), action.id, bytes);
  staleId_ = action.id;
  if (action.kind != WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION) {
    return;
  }
  if (pool_ != nullptr && !action.buffers.empty() && action.buffers[0].Data.pbBuffer != nullptr) {
    const std::uint8_t* const bytesOfPool = action.buffers[0].Data.pbBuffer;
    if (isControl(action.type)) {
      WebSocketReleasePoolPayload(pool_, bytesOfPool);
    } else if (received_.front().memory == nullptr) {
      held_.push_back({bytesOfPool, action.content});
    }
  }
  received_.completed();
}

void Endpoint::write(const Action& action, std::uint32_t bytes, std::size_t written) {
  if (sent_.gaveUp()) {
    return;
  }
  const std::span<const std::uint8_t> content = action.content;
  sent_.written(content.first(written), action.reply());
  out_.bytes.insert(out_.bytes.end(), content.begin(), content.begin() + static_cast<std::ptrdiff_t>(written));
  if (settings_.gather || bytes == content.size()) {
    return;
  }
  if (sent_.midFrame()) {
    sent_.giveUp();
  } else if (action.reply()) {
    replySuppressed_ = true;
  } else {
    sent_.dropped(content.subspan(written));  // a coalesced action may be cut between two frames
  }
}

void Endpoint::release(std::size_t index) {
  const Held held = std::move(held_[index]);
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  REQUIRE(std::equal(held.content.begin(), held.content.end(), held.bytes));
  WebSocketReleasePoolPayload(pool_, held.bytes);
}

bool Endpoint::pump() {
  while (!held_.empty()) {
    release(0);
  }
  for (std::size_t i = 0; i < outstanding_.size(); ++i) {
    const Action& action = outstanding_[i];
    if (action.kind != WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
      complete(i, static_cast<std::uint32_t>(action.content.size()), action.networkSend() ? action.content.size() : 0);
      return true;
    }
    if (const std::size_t waiting = in_.waiting().size(); waiting != 0) {
      read(i, std::min<std::size_t>(action.buffers[0].Data.ulBufferLength, waiting));
      return true;
    }
  }
  if (!received_.hasOperation() && !aborted_ && !closeReceived_ && fault_ == S_OK) {
    REQUIRE(WebSocketReceive(handle(), nullptr, received_.add(0)) == S_OK);
  }
  return takeAction(WEB_SOCKET_ALL_ACTION_QUEUE, kPlainCapacity);
}

void Endpoint::check(bool everything) const {
  const ReadStream expected = readStream(std::span(in_.bytes).first(in_.taken), rules_);
  const bool takenAll = everything && !aborted_;
  received_.compare(expected, {settings_.indicatePings, settings_.indicateUnsolicitedPongs},
                    takenAll || (fault_ != S_OK && !aborted_));
  if (takenAll || fault_ != S_OK) {
    WEB_SOCKET_FAULT fault{};
    REQUIRE(WebSocketGetFault(handle(), &fault) == S_OK);
    REQUIRE(fault_ == expected.fault && fault.hrResult == expected.fault);
    REQUIRE(fault.usCloseStatus == expected.faultStatus);
  }
  const bool answered = takenAll && !settings_.disableAutoPong && !replySuppressed_ && !sent_.gaveUp();
  requireReplies(sent_.replies(), expected, answered);
  if (everything && !sent_.gaveUp()) {
    sent_.requireAllWritten();
  }
}

void Endpoint::finish() {
  abort();
  bool busy = true;
  while (busy) {
    while (!outstanding_.empty()) {
      complete(0, 0, 0);
    }
    busy = takeAction(WEB_SOCKET_SEND_ACTION_QUEUE, 1) || takeAction(WEB_SOCKET_RECEIVE_ACTION_QUEUE, 1);
  }
  REQUIRE(sent_.allIndicated());
  REQUIRE(!received_.hasOperation());
  drop();
}

void Endpoint::drop() {
  outstanding_.clear();
  handle_.reset();
  while (!held_.empty()) {
    release(0);
  }
}

}  // namespace websocket::fuzz
