// The part of Session that leads to the open state: the state table's verdicts, the handshakes, the buffers.
#include <new>

#include "extension/permessage_deflate_options.h"
#include "random.h"
#include "session.h"

namespace websocket {

// The answer to a call that is not simply allowed; a server that is still shaking hands opens by its first data
// function.
Result Session::admitUnusual(Call call) {
  switch (verdict(call, state_)) {
    case Verdict::Allowed:
    case Verdict::NoEffect:
      return Result::Ok;
    case Verdict::OpensServer:
      return role_ == Role::Server ? becomeOpen() : Result::InvalidOperation;
    case Verdict::Illegal:
      break;
  }
  return Result::InvalidOperation;
}

Result Session::becomeOpen() {
  if (const Result result = allocateBuffers(); result != Result::Ok) {
    return result;
  }
  if (deflate_ != nullptr) {
    const Role peer = role_ == Role::Server ? Role::Client : Role::Server;
    receiver_.inflateMessages(options_->permessageDeflate->pool, deflate_->agreed.maxWindowBits(peer),
                              !deflate_->agreed.noContextTakeover(peer));
  }
  if (extensionNegotiated_) {
    receiver_.allowRsv();
  }
  enter(Event::Opened);
  clientHandshake_.reset();
  serverHandshake_.reset();
  return Result::Ok;
}

Result Session::allocateBuffers() {
  const std::size_t receiveSize = options_->pool != nullptr ? 0 : options_->receiveBufferSize;
  const std::size_t sendSize = options_->gather ? 0 : options_->sendBufferSize;
  const std::size_t overhead = options_->gather ? 0 : kBufferOverhead;
  std::span<std::uint8_t> memory = options_->allocatedBuffer;
  if (memory.empty() && receiveSize + sendSize != 0) {
    block_.reset(new (std::nothrow) std::uint8_t[receiveSize + sendSize + overhead]);
    if (block_ == nullptr) {
      return Result::OutOfMemory;
    }
    memory = {block_.get(), receiveSize + sendSize + overhead};
  }
  if (receiveSize != 0) {
    receiver_.setMemory(memory.first(receiveSize));
  }
  if (!isGathering()) {
    sendQueue_->setMemory(memory.subspan(receiveSize, sendSize), memory.subspan(receiveSize + sendSize, overhead));
  }
  return Result::Ok;
}

Result Session::beginClientHandshake(std::span<const std::string_view> subprotocols,
                                     std::span<const std::string_view> extensions,
                                     std::span<const HeaderView>& headers) {
  if (role_ != Role::Client) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::BeginHandshake); result != Result::Ok) {
    return result;
  }
  auto handshake = std::make_unique<ClientHandshake>();
  RandomSource& random = options_->random != nullptr ? *options_->random : systemRandom();
  if (const Result result = handshake->begin(subprotocols, extensions, random, headers, wantedDeflate());
      result != Result::Ok) {
    return result;
  }
  clientHandshake_ = std::move(handshake);
  enter(Event::HandshakeBegun);
  return Result::Ok;
}

Result Session::endClientHandshake(std::span<const HeaderView> response, ClientSelection& selection) {
  if (role_ != Role::Client) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::EndClientHandshake); result != Result::Ok) {
    return result;
  }
  if (const Result result = clientHandshake_->end(response, selection); result != Result::Ok) {
    return result;
  }
  deflate_ = makeDeflate(selection.deflate);
  extensionNegotiated_ = !selection.extensions.empty();
  return becomeOpen();
}

Result Session::beginServerHandshake(std::string_view subprotocol, std::span<const std::string_view> extensions,
                                     std::span<const HeaderView> request, std::span<const HeaderView>& headers) {
  if (role_ != Role::Server) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::BeginHandshake); result != Result::Ok) {
    return result;
  }
  auto handshake = std::make_unique<ServerHandshake>();
  if (const Result result = handshake->begin(subprotocol, extensions, request, headers, wantedDeflate());
      result != Result::Ok) {
    return result;
  }
  deflate_ = makeDeflate(handshake->deflate());
  serverHandshake_ = std::move(handshake);
  extensionNegotiated_ = !extensions.empty();
  enter(Event::HandshakeBegun);
  return Result::Ok;
}

Result Session::endServerHandshake() {
  if (role_ != Role::Server) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::EndServerHandshake); result != Result::Ok) {
    return result;
  }
  return state_ == State::Handshaking ? becomeOpen() : Result::Ok;
}

Result Session::open(const std::optional<DeflateParameters>& deflate) {
  if (deflate.has_value() && (wantedDeflate() == nullptr || !deflate->valid())) {
    return Result::InvalidArgument;
  }
  if (const Result result = admit(Call::BeginHandshake); result != Result::Ok) {
    return result;
  }
  deflate_ = makeDeflate(deflate);
  return becomeOpen();
}

std::size_t Session::offeredExtensionCount() const {
  return clientHandshake_ == nullptr ? 0 : clientHandshake_->offeredExtensionCount();
}

}  // namespace websocket
