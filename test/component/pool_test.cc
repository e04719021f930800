// Sessions that receive into a shared pool (R6): nothing is held between reads, payloads lie where they arrived.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "receive_pool.h"
#include "session.h"

namespace websocket {
namespace {

using std::string_literals::operator""s;

// One piece of memory; a commit uses up its beginning, as a driver's slab does.
class Slab final : public ReceivePool {
 public:
  std::span<std::uint8_t> lease() override {
    ++leases;
    return std::span(memory_).subspan(used_);
  }
  void commit(std::span<std::uint8_t> space, std::uint32_t used) override {
    --leases;
    EXPECT_LE(used, space.size());
    used_ += used;
  }
  void reset() {
    used_ = 0;
    memory_.fill(0xEE);  // payloads must not be needed any more
  }
  bool contains(const std::uint8_t* pointer) const {
    return pointer >= memory_.data() && pointer < memory_.data() + memory_.size();
  }
  int leases = 0;

 private:
  std::array<std::uint8_t, 4096> memory_{};
  std::size_t used_ = 0;
};

struct Received {
  BufferType type;
  std::string payload;
  std::uint16_t closeStatus;
  bool operator==(const Received&) const = default;
};

class Pool : public testing::Test {
 protected:
  Pool() {
    options->gather = true;
    options->pool = &slab;
    options->disableMasking = true;  // frames in the tests stay readable
    options->indicatePings = true;
    options->indicateUnsolicitedPongs = true;
    options->strictCloseCodes = true;
  }

  void open() {
    session = std::make_unique<Session>(Role::Server, options);
    ASSERT_EQ(session->open(), Result::Ok);
    ASSERT_EQ(session->receive({}, nullptr), Result::Ok);
  }

  Result take(Action& action) { return session->getAction(ActionQueue::Receive, buffers, action); }

  // Gives one network read and collects what it brings; then the slab is used again.
  std::vector<Received> read(std::string_view wire) {
    std::vector<Received> received;
    Action action;
    EXPECT_EQ(take(action), Result::Ok);
    EXPECT_EQ(action.kind, ActionKind::ReceiveFromNetwork);
    EXPECT_GE(buffers[0].length, wire.size());
    std::memcpy(buffers[0].data, wire.data(), wire.size());
    session->completeAction(action.id, static_cast<std::uint32_t>(wire.size()));
    while (true) {
      result = take(action);
      if (action.kind != ActionKind::IndicateReceiveComplete) {
        break;
      }
      const Buffer& buffer = buffers[0];
      received.push_back({action.type, std::string(reinterpret_cast<const char*>(buffer.data), buffer.length),
                          action.type == BufferType::Close ? buffer.closeStatus : std::uint16_t{0}});
      session->completeAction(action.id, 0);
      if (session->receive({}, nullptr) != Result::Ok) {
        break;
      }
    }
    if (action.kind == ActionKind::ReceiveFromNetwork) {
      session->completeAction(action.id, 0);  // no more to read; the cancelled operation is replaced
      EXPECT_EQ(take(action), Result::Ok);
      EXPECT_EQ(action.kind, ActionKind::IndicateReceiveComplete);
      session->completeAction(action.id, 0);
      EXPECT_EQ(session->receive({}, nullptr), Result::Ok);
    }
    EXPECT_EQ(slab.leases, 0) << "a session without buffered bytes holds no pool buffer";
    slab.reset();
    return received;
  }

  Slab slab;
  std::shared_ptr<SessionOptions> options = std::make_shared<SessionOptions>();
  std::unique_ptr<Session> session;
  std::array<Buffer, 2> buffers;
  Result result = Result::Ok;
};

TEST_F(Pool, AllMessagesOfAReadAreIndicatedFromThePool) {
  open();
  EXPECT_EQ(read("\x81\x03one\x82\x03two\x81\x00"s), (std::vector<Received>{{BufferType::Utf8Message, "one", 0},
                                                                            {BufferType::BinaryMessage, "two", 0},
                                                                            {BufferType::Utf8Message, "", 0}}));
}

TEST_F(Pool, WhatHasArrivedOfAFrameIsIndicatedAsAFragment) {
  open();
  EXPECT_EQ(read("\x81\x06"s + "abc"), (std::vector<Received>{{BufferType::Utf8Fragment, "abc", 0}}));
  EXPECT_EQ(session->frameRemaining(), 3U);
  EXPECT_EQ(read("def\x82\x01"s + "x"),
            (std::vector<Received>{{BufferType::Utf8Message, "def", 0}, {BufferType::BinaryMessage, "x", 0}}));
}

TEST_F(Pool, EverySplitOfAStreamGivesTheSamePayload) {
  const std::string wire = "\x81\x05hello\x89\x04ping\x01\x02he\x8A\x02hi\x00\x01y\x80\x01!\x88\x07\x03\xE8later"s;
  for (std::size_t first = 0; first < wire.size(); ++first) {
    for (std::size_t second = first + 1; second <= wire.size(); second += 3) {
      open();
      std::string text;
      std::string control;
      for (const auto& [from, to] :
           {std::pair(std::size_t{0}, first), std::pair(first, second), std::pair(second, wire.size())}) {
        if (from == to) {
          continue;
        }
        for (const Received& part : read(std::string_view(wire).substr(from, to - from))) {
          const bool data = part.type == BufferType::Utf8Message || part.type == BufferType::Utf8Fragment;
          (data ? text : control) += part.payload + (part.type == BufferType::Utf8Message ? "|" : data ? "" : ";");
        }
      }
      EXPECT_EQ(text, "hello|hey!|") << "split at " << first << " and " << second;
      EXPECT_EQ(control, "ping;hi;later;") << "split at " << first << " and " << second;
    }
  }
}

TEST_F(Pool, TheApplicationsMemoryIsFilledByTheNetworkItself) {
  open();
  EXPECT_EQ(read("\x82\x7D"s + std::string(25, 'a')).size(), 1U);  // 100 of 125 bytes are missing
  // Replace the pending operation by one with memory.
  Action action;
  ASSERT_EQ(take(action), Result::Ok);
  session->completeAction(action.id, 0);
  ASSERT_EQ(take(action), Result::Ok);
  session->completeAction(action.id, 0);
  std::array<std::uint8_t, 200> memory{};
  ASSERT_EQ(session->receive(memory, nullptr), Result::Ok);
  ASSERT_EQ(take(action), Result::Ok);
  ASSERT_EQ(action.kind, ActionKind::ReceiveFromNetwork);
  EXPECT_EQ(buffers[0].data, memory.data());
  EXPECT_EQ(buffers[0].length, 100U) << "no further than the end of the frame";
  std::memset(buffers[0].data, 'b', 40);
  session->completeAction(action.id, 40);
  ASSERT_EQ(take(action), Result::Ok);
  EXPECT_EQ(action.kind, ActionKind::IndicateReceiveComplete);
  EXPECT_EQ(action.type, BufferType::BinaryFragment);
  EXPECT_EQ(buffers[0].data, memory.data());
  EXPECT_EQ(buffers[0].length, 40U);
  EXPECT_EQ(session->frameRemaining(), 60U);
}

TEST_F(Pool, InvalidTextFailsAtTheFirstBadByteInsideAFrame) {
  open();
  EXPECT_TRUE(read("\x81\x10"s + "abc\xF4\x90"s).empty());
  EXPECT_EQ(result, Result::InvalidFormat);
  EXPECT_EQ(session->fault().kind, FaultKind::InvalidUtf8);
  EXPECT_EQ(session->fault().closeStatus, 1007);
}

TEST_F(Pool, AMessageOverTheLimitFailsAtItsHeader) {
  options->maxMessageSize = 10;
  open();
  EXPECT_EQ(read("\x02\x06"s + "123456"), (std::vector<Received>{{BufferType::BinaryFragment, "123456", 0}}));
  read("\x80\x05"s);
  EXPECT_EQ(session->fault().kind, FaultKind::MessageTooBig);
  EXPECT_EQ(session->fault().closeStatus, 1009);
}

TEST_F(Pool, TooManyFragmentsFail) {
  options->maxFragments = 3;
  open();
  EXPECT_EQ(read("\x02\x00\x00\x00\x00\x00"s).size(), 3U);
  read("\x80\x00"s);
  EXPECT_EQ(session->fault().kind, FaultKind::TooManyFragments);
  EXPECT_EQ(session->fault().closeStatus, 1008);
}

TEST_F(Pool, APingIsIndicatedAndAnswered) {
  open();
  EXPECT_EQ(read("\x89\x02Hi"s), (std::vector<Received>{{BufferType::Ping, "Hi", 0}}));
  Action action;
  ASSERT_EQ(session->getAction(ActionQueue::Send, buffers, action), Result::Ok);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffers[0].data), buffers[0].length), "\x8A\x02Hi"s);
}

TEST_F(Pool, EachOfSeveralPingsIsAnswered) {
  open();
  EXPECT_EQ(read("\x89\x01"s + "a" + "\x89\x01"s + "b" + "\x89\x01"s + "c").size(), 3U);
  Action action;
  ASSERT_EQ(session->getAction(ActionQueue::Send, buffers, action), Result::Ok);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffers[0].data), buffers[0].length),
            "\x8A\x01"s + "a" + "\x8A\x01"s + "b" + "\x8A\x01"s + "c");
}

TEST_F(Pool, PingsAreNotAnsweredWhenTheApplicationWantsToDoIt) {
  options->autoPong = false;
  open();
  EXPECT_EQ(read("\x89\x02Hi"s).size(), 1U);
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(Pool, AnAnswerToAPingIsToldFromAnUnsolicitedPong) {
  open();
  const std::array<std::uint8_t, 2> payload = {'H', 'i'};
  ASSERT_EQ(session->sendControl(BufferType::PingPong, payload, nullptr), Result::Ok);
  EXPECT_EQ(read("\x8A\x02Ho\x8A\x02Hi\x8A\x02Hi"s), (std::vector<Received>{{BufferType::UnsolicitedPong, "Ho", 0},
                                                                            {BufferType::PingPong, "Hi", 0},
                                                                            {BufferType::UnsolicitedPong, "Hi", 0}}));
}

TEST_F(Pool, ACloseIsEchoedWithItsStatusAndReasonWhenAskedFor) {
  options->autoCloseEcho = true;
  open();
  EXPECT_EQ(read("\x88\x05\x03\xE9"s + "bye"), (std::vector<Received>{{BufferType::Close, "bye", 1001}}));
  EXPECT_TRUE(session->closeSent());
  EXPECT_TRUE(session->closeReceived());
  Action action;
  ASSERT_EQ(session->getAction(ActionQueue::Send, buffers, action), Result::Ok);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffers[0].data), buffers[0].length),
            "\x88\x05\x03\xE9"s + "bye");
}

TEST_F(Pool, StrictCloseCodesRefuseWhatNobodyMaySend) {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    open();
    read("\x88\x02"s + static_cast<char>(status >> 8) + static_cast<char>(status & 0xFF));
    EXPECT_EQ(session->fault().kind, FaultKind::InvalidCloseStatus) << status;
    EXPECT_EQ(session->sendClose(status, {}, nullptr), status == 1005 ? Result::Ok : Result::InvalidArgument) << status;
  }
}

TEST_F(Pool, BytesThatFollowedTheHttpHeadComeFirst) {
  open();
  const std::string head = "\x81\x03one\x81\x03tw"s;
  ASSERT_EQ(session->injectReceived({reinterpret_cast<const std::uint8_t*>(head.data()), head.size()}), Result::Ok);
  Action action;
  ASSERT_EQ(take(action), Result::Ok);
  ASSERT_EQ(action.kind, ActionKind::IndicateReceiveComplete);
  EXPECT_EQ(buffers[0].length, 3U);
  EXPECT_TRUE(slab.contains(buffers[0].data));
  session->completeAction(action.id, 0);
  ASSERT_EQ(session->receive({}, nullptr), Result::Ok);
  ASSERT_EQ(take(action), Result::Ok);
  EXPECT_EQ(action.type, BufferType::Utf8Fragment);
  session->completeAction(action.id, 0);
  ASSERT_EQ(session->receive({}, nullptr), Result::Ok);
  EXPECT_EQ(read("o"s), (std::vector<Received>{{BufferType::Utf8Message, "o", 0}}));
}

}  // namespace
}  // namespace websocket
