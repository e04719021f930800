// One WebSocket connection's protocol state machine (RFC 6455): the C++ face of the thirteen functions of websocket.h,
// with the same verbs and rules, plus the additions that the documented API cannot express. It does no I/O. It has no
// lock: one thread at a time (websocket.cc adds the lock for C callers).
//
// The work is a queue of actions. send() and receive() queue operations; getAction() hands out the next thing to do;
// completeAction() gives it back. At most one send action and one receive action are outstanding at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "extension/deflate_job.h"
#include "extension/message_deflater.h"
#include "gather_queue.h"
#include "handshake.h"
#include "masking.h"
#include "protocol.h"
#include "receiver.h"
#include "reply_slot.h"
#include "send_queue.h"
#include "session_options.h"
#include "state.h"

namespace websocket {

class Session {
 public:
  // options is shared by the sessions of one server and never null.
  Session(Role role, std::shared_ptr<const SessionOptions> options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // The handshakes; see the functions of the same names in websocket.h. Returned headers stay valid until the
  // handshake ends. A wrong-role call is Result::InvalidArgument.
  Result beginClientHandshake(std::span<const std::string_view> subprotocols,
                              std::span<const std::string_view> extensions, std::span<const HeaderView>& headers);
  Result endClientHandshake(std::span<const HeaderView> response, ClientSelection& selection);
  Result beginServerHandshake(std::string_view subprotocol, std::span<const std::string_view> extensions,
                              std::span<const HeaderView> request, std::span<const HeaderView>& headers);
  Result endServerHandshake();

  // Addition: opens the session without an HTTP/1.1 handshake (RFC 8441, or negotiated elsewhere). deflate: what was
  // agreed of permessage-deflate there; InvalidArgument without SessionOptions::permessageDeflate.
  Result open(const std::optional<DeflateParameters>& deflate = std::nullopt);
  // Addition: what was agreed of permessage-deflate (R10); null: it is not used. Once the handshake has ended, for a
  // client; has begun, for a server.
  const DeflateParameters* deflate() const { return deflate_ == nullptr ? nullptr : &deflate_->agreed; }

  // Addition: bytes that followed the HTTP head; parsed before anything that the network delivers later. Copied.
  Result injectReceived(std::span<const std::uint8_t> bytes);

  // Queues a data frame. The payload is referenced until INDICATE_SEND_COMPLETE (Payload::Reference), or copied during
  // the call (Payload::Copy; gather mode only, and then a null context asks for no indication).
  // Addition, here and below: a client masks with this key instead of a random one (gather mode only). A key of zeros
  // leaves the payload as it is. A key that others can foresee gives up what masking is for (RFC 6455, 10.3).
  // Addition: with Compression::On the message is compressed during the call when that was negotiated. Without context
  // takeover, one that would not become shorter is sent as it is.
  Result send(BufferType type, std::span<const std::uint8_t> payload, void* context,
              Payload payloadOwnership = Payload::Reference, const MaskKey* key = nullptr,
              Compression compression = Compression::Off);
  // Queues a ping or a pong with a payload of at most 125 bytes, copied. The documented functions pass an empty one.
  Result sendControl(BufferType type, std::span<const std::uint8_t> payload, void* context,
                     const MaskKey* key = nullptr);
  // Addition: queues bytes that are no frame behind every data frame, copied, in each state in which a ping may be sent
  // (gather mode only). A null context asks for no indication.
  Result sendRaw(std::span<const std::uint8_t> bytes, void* context);
  // Queues a Close frame; status 0 or 1005 without a reason makes an empty one. Copied in gather mode.
  Result sendClose(std::uint16_t status, std::span<const std::uint8_t> reason, void* context,
                   const MaskKey* key = nullptr);

  // Queues a receive operation: into the application's memory, or (empty span) into the session's or the pool's.
  Result receive(std::span<std::uint8_t> memory, void* context);

  // Hands out the next action of the queue and fills at most buffers.size() entries; see WebSocketGetAction. In gather
  // mode a SEND_TO_NETWORK action fills as many entries as there is work for.
  Result getAction(ActionQueue queue, std::span<Buffer> buffers, Action& action);
  void completeAction(ActionId id, std::uint32_t bytesTransferred);

  void abort();

  Role role() const { return role_; }
  State state() const { return state_; }
  bool closeSent() const;
  bool closeReceived() const { return state_ == State::CloseReceived || state_ == State::Closed; }
  // What made the receive side fail; kind None while it did not.
  const Fault& fault() const { return receiver_.fault(); }
  std::size_t offeredExtensionCount() const;
  // Payload bytes of the data frame under way that have not arrived.
  std::uint64_t frameRemaining() const { return receiver_.frameRemaining(); }
  // Most payload bytes of a received message, as the options say; 0: no limit.
  std::uint64_t maxMessageSize() const { return options_->maxMessageSize; }
  // The data message being received, or else the last one, is compressed: frameRemaining() says nothing of its length.
  bool inflates() const { return receiver_.inflates(); }
  // The last getAction(Receive) gave nothing because the pool had no space for inflated bytes.
  bool waitsForInflateSpace() const { return receiver_.waitsForSpace(); }
  // Moves received bytes that were not taken out of the pool's memory. Throws std::bad_alloc.
  void keepReceived() { receiver_.keepReceived(); }
  // How send() would compress this now, when what comes out depends on the payload alone: a whole message, without
  // context takeover. Then a DeflateJob may do it, for many sessions, and its output is sent with Compression::Done.
  // Null: otherwise, and when it would be sent as it is. Valid as long as the session.
  const DeflaterSettings* sharedDeflater(BufferType type, std::span<const std::uint8_t> payload,
                                         Compression compression) const;
  // The same for a whole message with context takeover (contract, R10: take, run, finish): the job has the session's
  // context. Until finishDeflate(), no data may be sent; then its output is, at once, with Compression::Done. A job
  // that is thrown away instead leaves a session that goes on without what was sent before. Throws std::bad_alloc.
  std::shared_ptr<DeflateJob> takeDeflate(BufferType type, std::span<const std::uint8_t> payload, SharedBytes owner,
                                          Compression compression);
  void finishDeflate(DeflateJob& job);
  // The fragmented message being sent is compressed.
  bool deflates() const { return outgoing_ != OutgoingMessage::None && outgoingCompressed_; }
  // For a time without messages: frees what the compression contexts hold, as far as the negotiation lets them be made
  // again (RFC 7692, 7.1.1).
  void shrinkDeflate();
  // Gives a pool's space back as soon as all received bytes in it were taken, instead of at the next network read.
  void endReceiveLease() { receiver_.endLease(); }
  // True when getAction(Send) has something to hand out once no send action is outstanding (gather mode).
  bool hasOutput() const;
  // Payload bytes accepted by send(), and bytes by sendRaw(), not yet written (gather mode).
  std::uint64_t bufferedAmount() const;
  // Wire bytes held for sending, headers included (gather mode).
  std::uint64_t bufferedWireBytes() const;

 private:
  // An action that was handed out and not given back; id 0: none.
  struct Outstanding {
    ActionId id = 0;
    ActionKind kind = ActionKind::None;
    std::uint32_t length = 0;  // bytes of its buffers
  };
  struct Deflate {
    Deflate(const DeflateParameters& parameters, std::shared_ptr<DeflatePool> pool, const DeflaterSettings& settings,
            Role role)
        : agreed(parameters), deflater(std::move(pool), settings, !parameters.noContextTakeover(role)) {}
    DeflateParameters agreed;
    MessageDeflater deflater;
  };
  enum class Slot : std::uint8_t { Send = 1, Receive = 2, Reply = 3 };
  enum class OutgoingMessage : std::uint8_t { None, Text, Binary, Custom };

  // The state table's answer to a call.
  Result admit(Call call) { return (allowedCalls_ & bitOf(call)) != 0 ? Result::Ok : admitUnusual(call); }
  Result admitUnusual(Call call);
  void enter(Event event) {
    state_ = nextState(state_, event);
    allowedCalls_ = allowedCalls(state_);
  }
  Result becomeOpen();
  Result allocateBuffers();
  std::unique_ptr<Deflate> makeDeflate(const std::optional<DeflateParameters>& agreed) const;
  const DeflateNegotiation* wantedDeflate() const;
  bool isCompressed(BufferType type, std::uint8_t firstByte, std::span<const std::uint8_t> payload,
                    Compression compression) const;
  bool deflatesWhole(BufferType type, std::span<const std::uint8_t> payload, Compression compression) const;
  Result sendCompressed(const GatherQueue::Frame& frame, OutgoingMessage open);
  Result queueDeflated(const GatherQueue::Frame& frame, std::span<const std::uint8_t> deflated);
  Result dataFirstByte(BufferType type, std::uint8_t& firstByte, OutgoingMessage& open) const;
  Result queueClose(std::uint16_t status, std::span<const std::uint8_t> reason, void* context, bool internal,
                    const MaskKey* key = nullptr);
  ActionId nextId(Slot slot);
  void handOut(Slot slot, Outstanding& outstanding, std::uint32_t length, Action& action);
  bool replyCanGo() const;
  Result handOutReply(bool onReceiveQueue, std::span<Buffer> buffers, Action& action);
  Result getSendAction(std::span<Buffer> buffers, Action& action);
  bool receiveIsFree() const;
  void offerReply();
  Result getReceiveAction(std::span<Buffer> buffers, Action& action);
  Result handOutIndication(std::span<Buffer> buffers, Action& action);
  Result receiveClose(const Buffer& close);
  void completeSend(std::uint32_t bytesTransferred);
  void completeReceive(std::uint32_t bytesTransferred);
  bool isGathering() const { return sendQueue_ == nullptr; }
  // Throws std::bad_alloc.
  GatherQueue& gatherQueue() { return gatherQueue_ != nullptr ? *gatherQueue_ : makeGatherQueue(); }
  GatherQueue& makeGatherQueue();

  Role role_;
  State state_ = State::Created;
  std::uint8_t allowedCalls_ = allowedCalls(State::Created);  // of state_
  OutgoingMessage outgoing_ = OutgoingMessage::None;          // the fragmented message being sent
  bool outgoingCompressed_ = false;
  bool extensionNegotiated_ = false;
  bool replyTakenOnReceive_ = false;
  std::uint32_t actionCounter_ = 0;
  std::shared_ptr<const SessionOptions> options_;
  std::unique_ptr<ClientHandshake> clientHandshake_;
  std::unique_ptr<ServerHandshake> serverHandshake_;
  std::unique_ptr<std::uint8_t[]> block_;  // receive buffer, send buffer, overhead; null with an allocated buffer
  Receiver receiver_;
  // The send side is one of the two; a gather queue is made for the first frame.
  std::unique_ptr<SendQueue> sendQueue_;
  std::unique_ptr<GatherQueue> gatherQueue_;
  std::unique_ptr<Deflate> deflate_;  // null unless permessage-deflate was negotiated
  ReplySlot reply_;
  Outstanding sendAction_;
  Outstanding receiveAction_;
  ActionId replyAction_ = 0;
};

}  // namespace websocket
