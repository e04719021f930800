// An open handle that a fuzz target drives through the C face, with everything that must hold whatever is called: what
// each call answers, what each action may look like, that memory stays as it is while an action is outstanding, that
// contexts come back once and in order. What went out and came in is checked by SentCheck and ReceivedCheck.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "received_check.h"
#include "sent_check.h"
#include "settings.h"

namespace websocket::fuzz {

// One direction of a connection.
struct Pipe {
  Bytes bytes;            // all that was ever written
  std::size_t taken = 0;  // and read

  std::span<const std::uint8_t> waiting() const { return std::span(bytes).subspan(taken); }
};

class Endpoint {
 public:
  // pool may be null and is used when the settings say so. poolLimit: bytes that it may have in use.
  Endpoint(const Settings& settings, Pipe& in, Pipe& out, WEB_SOCKET_RECEIVE_POOL pool, std::uint64_t poolLimit);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  ~Endpoint();

  WEB_SOCKET_HANDLE handle() const { return handle_->get(); }
  const Settings& settings() const { return settings_; }

  // Calls drawn from the input; each checks its result.
  void open();                            // without a handshake
  void opened(bool extensionNegotiated);  // the caller made a handshake
  void send(Choices& choices);
  void sendControl(Choices& choices);
  void sendClose(Choices& choices);
  void receive(Choices& choices);
  void inject(Choices& choices);
  void callIllegally(Choices& choices);
  bool takeAction(WEB_SOCKET_ACTION_QUEUE queue, ULONG capacity);  // true: there was one
  void completeAction(Choices& choices);
  void breakRandom(Choices& choices);
  void releasePayload(Choices& choices);
  void abort();

  // Does what is to do as a well-behaved driver: false when there was nothing. With receive operations as needed.
  bool pump();
  // All that came in and out so far is as it must be; everything: nothing is under way.
  void check(bool everything) const;
  // Aborts, drains both queues and deletes the handle.
  void finish();
  // Deletes the handle as it is.
  void drop();

  bool aborted() const { return aborted_; }
  bool cutOff() const { return sent_.gaveUp(); }

 private:
  enum class Message : std::uint8_t { None, Text, Binary, Custom };
  struct Action {
    WEB_SOCKET_ACTION kind = WEB_SOCKET_NO_ACTION;
    WEB_SOCKET_BUFFER_TYPE type{};
    std::vector<WEB_SOCKET_BUFFER> buffers;
    PVOID context = nullptr;
    PVOID id = nullptr;
    Bytes content;  // of the buffers when they were handed out; of a read: how large they are
    bool onReceiveQueue = false;

    bool networkSend() const { return kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION; }
    bool reply() const { return networkSend() && type == WEB_SOCKET_PING_PONG_BUFFER_TYPE && context == nullptr; }
    bool receives() const {
      return kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION || kind == WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION;
    }
  };
  struct Held {  // a pool payload that was not released
    const std::uint8_t* bytes;
    Bytes content;
  };

  void queue(std::unique_ptr<SendOperation> operation, HRESULT result, HRESULT expected);
  HRESULT judgeData(std::uint32_t type, std::uint8_t& firstByte, Message& next) const;
  bool mayFailForRandom() const;
  void checkFailure(WEB_SOCKET_ACTION_QUEUE queue, HRESULT result, const Action& action);
  void checkNothing(WEB_SOCKET_ACTION_QUEUE queue, const Action& action) const;
  void checkSend(WEB_SOCKET_ACTION_QUEUE queue, const Action& action) const;
  void checkRead(const Action& action) const;
  void checkReceived(const Action& action);
  bool sendIsFree() const;     // no action of the send side is outstanding
  bool receiveIsFree() const;  // nor of the receive side
  bool networkSendIsOutstanding() const;
  void requireStable(const Action& action) const;
  void complete(std::size_t index, std::uint32_t bytes, std::size_t written);
  void write(const Action& action, std::uint32_t bytes, std::size_t written);
  void read(std::size_t index, std::size_t count);
  void release(std::size_t index);

  Settings settings_;
  std::unique_ptr<TestHandle> handle_;
  Pipe& in_;
  Pipe& out_;
  WEB_SOCKET_RECEIVE_POOL pool_;
  std::uint64_t poolLimit_;
  SentCheck sent_;
  ReceivedCheck received_;
  ReaderRules rules_;

  bool extension_ = false;
  bool closeSent_ = false;
  bool closeReceived_ = false;
  bool aborted_ = false;
  bool readEnded_ = false;        // a read was completed with 0, so that its operation ends
  bool replySuppressed_ = false;  // a reply was completed without being written
  HRESULT fault_ = S_OK;
  Message sending_ = Message::None;
  std::vector<Action> outstanding_;
  PVOID staleId_ = nullptr;
  std::uint8_t salt_ = 0;  // makes payloads differ
  std::vector<Held> held_;
};

}  // namespace websocket::fuzz
