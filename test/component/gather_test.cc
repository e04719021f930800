// Gather actions (R7): many frames in one send action, short writes, control frames that overtake, indications.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "defined.h"
#include "session.h"

namespace websocket {
namespace {

std::span<const std::uint8_t> bytesOf(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class Gather : public testing::Test {
 protected:
  explicit Gather(Role role = Role::Server) {
    auto options = std::make_shared<SessionOptions>();
    options->gather = true;
    options->disableMasking = true;
    options->autoCloseEcho = true;
    session = std::make_unique<Session>(role, options);
    EXPECT_EQ(session->open(), Result::Ok);
  }

  void sendText(std::string_view text, void* context = nullptr, Payload ownership = Payload::Copy) {
    ASSERT_EQ(session->send(BufferType::Utf8Message, bytesOf(text), context, ownership), Result::Ok);
  }

  Action take(std::size_t capacity = 16) {
    Action action;
    buffers.assign(capacity, Buffer{});
    EXPECT_EQ(session->getAction(ActionQueue::Send, buffers, action), Result::Ok);
    return action;
  }

  std::string wireBytes(const Action& action) const {
    std::string wire;
    for (std::uint32_t i = 0; i < action.count; ++i) {
      checkDefined(buffers[i].data, buffers[i].length);
      wire.append(reinterpret_cast<const char*>(buffers[i].data), buffers[i].length);
    }
    return wire;
  }

  // Takes one action and writes at most `limit` bytes of it.
  std::string write(std::size_t limit = SIZE_MAX, std::size_t capacity = 16) {
    const Action action = take(capacity);
    EXPECT_EQ(action.kind, ActionKind::SendToNetwork);
    std::string wire = wireBytes(action);
    wire.resize(std::min(wire.size(), limit));
    session->completeAction(action.id, static_cast<std::uint32_t>(wire.size()));
    return wire;
  }

  std::unique_ptr<Session> session;
  std::vector<Buffer> buffers;
};

using std::string_literals::operator""s;

TEST_F(Gather, OneActionCarriesEveryQueuedFrame) {
  sendText("a");
  sendText("bc");
  EXPECT_EQ(session->send(BufferType::BinaryMessage, bytesOf("d"), nullptr, Payload::Copy), Result::Ok);
  const Action action = take();
  EXPECT_EQ(wireBytes(action), "\x81\x01"s + "a" + "\x81\x02"s + "bc" + "\x82\x01"s + "d");
  EXPECT_EQ(action.count, 1U) << "small frames lie side by side";
  session->completeAction(action.id, 10);
  EXPECT_FALSE(session->hasOutput());
  EXPECT_EQ(take().kind, ActionKind::None) << "a copied send without a context needs no indication";
}

TEST_F(Gather, ASessionThatNeverSentHasNothingToSend) {
  EXPECT_FALSE(session->hasOutput());
  EXPECT_EQ(session->bufferedAmount(), 0U);
  EXPECT_EQ(session->bufferedWireBytes(), 0U);
  EXPECT_EQ(take().kind, ActionKind::None);
  session->abort();
  EXPECT_FALSE(session->hasOutput());
  EXPECT_EQ(take().kind, ActionKind::None);
}

TEST_F(Gather, TheFirstFrameOfASessionMayBeTheAnswerToAPing) {
  ASSERT_EQ(session->injectReceived(bytesOf("\x89\x02hi")), Result::Ok);
  ASSERT_EQ(session->receive({}, nullptr), Result::Ok);
  Action action;
  buffers.assign(1, Buffer{});
  ASSERT_EQ(session->getAction(ActionQueue::Receive, buffers, action), Result::Ok);
  ASSERT_EQ(action.kind, ActionKind::ReceiveFromNetwork);
  EXPECT_TRUE(session->hasOutput());
  EXPECT_EQ(write(), "\x8A\x02hi"s);
  EXPECT_FALSE(session->hasOutput());
}

class GatheredReplies : public Gather {
 protected:
  void SetUp() override {
    ASSERT_EQ(session->receive({}, nullptr), Result::Ok);
    takeRead();
  }

  // Reads pings whose payloads are the numbers from `first` to before `end`.
  void read(unsigned first, unsigned end) {
    std::string wire;
    for (unsigned i = first; i < end; ++i) {
      wire += "\x89\x05"s + text(i);
    }
    for (std::size_t at = 0; at < wire.size();) {
      const std::size_t count = std::min<std::size_t>(wire.size() - at, readBuffer_.length);
      std::memcpy(readBuffer_.data, &wire[at], count);
      at += count;
      session->completeAction(read_.id, static_cast<std::uint32_t>(count));
      takeRead();
    }
  }

  static std::string text(unsigned number) {
    const std::string digits = std::to_string(number);
    return std::string(5 - digits.size(), '0') + digits;
  }
  static std::string pong(unsigned number) { return "\x8A\x05"s + text(number); }

 private:
  // The pings that were read are taken by this.
  void takeRead() {
    ASSERT_EQ(session->getAction(ActionQueue::Receive, {&readBuffer_, 1}, read_), Result::Ok);
    ASSERT_EQ(read_.kind, ActionKind::ReceiveFromNetwork);
  }

  Action read_;
  Buffer readBuffer_;
};

TEST_F(GatheredReplies, AnswerEachPing) {
  read(0, 3);
  EXPECT_EQ(write(), pong(0) + pong(1) + pong(2));
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(GatheredReplies, AnswerOnlyTheNewestPingWhileAWriteIsOutstanding) {
  read(0, 1);
  const Action action = take();
  EXPECT_EQ(wireBytes(action), pong(0));
  read(1, 50'000);
  EXPECT_EQ(session->bufferedWireBytes(), pong(0).size());
  session->completeAction(action.id, static_cast<std::uint32_t>(pong(0).size()));
  EXPECT_EQ(write(), pong(49'999));
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(GatheredReplies, AnswerTheNewestPingWhenSixteenKibibytesOfAnswersWait) {
  constexpr unsigned kFirst = 16'384 / 7 + 1;
  read(0, 50'000);
  std::string wire = write();
  EXPECT_EQ(wire.substr(0, 14), pong(0) + pong(1));
  EXPECT_EQ(wire.size(), kFirst * 7);
  EXPECT_EQ(wire.substr(wire.size() - 7), pong(kFirst - 1));
  EXPECT_EQ(write(), pong(49'999));
  EXPECT_FALSE(session->hasOutput());
}

// A flood from a peer that does not read: what waits behind the write that it blocks is one answer.
TEST_F(GatheredReplies, AnswerOnlyTheNewestPingThatAWriteDidNotTake) {
  for (std::size_t written = 0; written < 100 * 7; ++written) {
    read(0, 100);
    const std::string before = write(written);
    ASSERT_EQ(before.size(), written);
    const std::size_t rest = (7 - written % 7) % 7;  // of the frame under way
    const bool isNewest = rest != 0 && written / 7 == 99;
    ASSERT_EQ(session->bufferedWireBytes(), rest + (isNewest ? 0 : 7)) << written;
    const std::string after = write();
    ASSERT_EQ(after.size(), rest + (isNewest ? 0 : 7));
    ASSERT_EQ(before + after, before.substr(0, written - written % 7) +
                                  (rest == 0 ? "" : pong(static_cast<unsigned>(written / 7))) +
                                  (isNewest ? "" : pong(99)));
    ASSERT_FALSE(session->hasOutput());
  }
}

TEST_F(GatheredReplies, AnswerTheNewestPingInPlaceOfTheOneThatWaits) {
  read(0, 50'000);  // more than wait for one write
  EXPECT_EQ(write(10), pong(0) + pong(1).substr(0, 3));
  EXPECT_EQ(write(1), pong(1).substr(3, 1));
  read(50'000, 50'003);
  EXPECT_EQ(write(), pong(1).substr(4) + pong(50'002));
  read(50'003, 50'005);
  EXPECT_EQ(write(), pong(50'003) + pong(50'004)) << "it is not blocked any more";
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(GatheredReplies, ThatWereBegunGoBeforeOtherControlFrames) {
  read(0, 3);
  sendText("text");
  EXPECT_EQ(write(9), pong(0) + pong(1).substr(0, 2));
  EXPECT_EQ(session->sendControl(BufferType::PingPong, bytesOf("p"), nullptr), Result::Ok);
  const std::string expected = pong(1).substr(2) + pong(2) + "\x89\x01p" + "\x81\x04text";
  EXPECT_EQ(session->bufferedWireBytes(), expected.size());
  EXPECT_EQ(write(1), expected.substr(0, 1));
  EXPECT_EQ(write(6), expected.substr(1, 6));
  EXPECT_EQ(write(6), expected.substr(7, 6)) << "what was begun is completed";
  EXPECT_EQ(write(), expected.substr(13));
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(GatheredReplies, GoBehindOtherControlFramesThatAreNotBegun) {
  read(0, 3);
  EXPECT_EQ(session->sendControl(BufferType::PingPong, bytesOf("p"), nullptr), Result::Ok);
  EXPECT_EQ(write(1), "\x89");
  EXPECT_EQ(write(), "\x01p" + pong(2)) << "none of them was written before";
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(GatheredReplies, AreDroppedByAnAbort) {
  read(0, 3);
  EXPECT_EQ(write(9), pong(0) + pong(1).substr(0, 2));
  session->abort();
  EXPECT_FALSE(session->hasOutput());
  EXPECT_EQ(session->bufferedWireBytes(), 0U);
}

TEST_F(Gather, AnAbortedSessionAnswersNoPing) {
  ASSERT_EQ(session->injectReceived(bytesOf("\x89\x00"s)), Result::Ok);
  ASSERT_EQ(session->receive({}, nullptr), Result::Ok);
  Action action;
  buffers.assign(1, Buffer{});
  ASSERT_EQ(session->getAction(ActionQueue::Receive, buffers, action), Result::Ok);
  ASSERT_TRUE(session->hasOutput());
  session->abort();
  EXPECT_FALSE(session->hasOutput());
  EXPECT_EQ(take().kind, ActionKind::None);
}

TEST_F(Gather, AShortWriteLeavesTheRestForTheNextAction) {
  for (const std::size_t step : {1U, 2U, 3U, 5U, 7U}) {
    const std::string expected = "\x81\x03"s + "one" + "\x81\x03"s + "two" + "\x81\x05"s + "three";
    sendText("one");
    sendText("two");
    sendText("three");
    std::string wire;
    while (session->hasOutput()) {
      wire += write(step);
    }
    EXPECT_EQ(wire, expected) << "in steps of " << step;
    EXPECT_EQ(session->bufferedAmount(), 0U);
  }
}

TEST_F(Gather, AWriteOfNothingChangesNothing) {
  sendText("text");
  EXPECT_EQ(write(0), "");
  EXPECT_EQ(write(), "\x81\x04text"s);
}

TEST_F(Gather, BufferedAmountCountsPayloadBytesThatWereNotWritten) {
  sendText("12345");
  sendText("678");
  EXPECT_EQ(session->bufferedAmount(), 8U);
  EXPECT_EQ(session->bufferedWireBytes(), 12U);
  write(2);
  EXPECT_EQ(session->bufferedAmount(), 8U) << "a header is no payload";
  write(2);
  EXPECT_EQ(session->bufferedAmount(), 6U);
  write(4);
  EXPECT_EQ(session->bufferedAmount(), 3U);
  write();
  EXPECT_EQ(session->bufferedAmount(), 0U);
  EXPECT_EQ(session->bufferedWireBytes(), 0U);
}

TEST_F(Gather, PingsAndPongsOvertakeDataFramesThatHaveNotStarted) {
  sendText("one");
  sendText("two");
  EXPECT_EQ(session->sendControl(BufferType::PingPong, bytesOf("p"), nullptr), Result::Ok);
  EXPECT_EQ(session->sendControl(BufferType::UnsolicitedPong, {}, nullptr), Result::Ok);
  EXPECT_EQ(write(), "\x89\x01p\x8A\x00"s + "\x81\x03one\x81\x03two"s);
}

TEST_F(Gather, AControlFrameWaitsForTheEndOfAFrameThatHasStarted) {
  sendText("one");
  sendText("two");
  EXPECT_EQ(write(3), "\x81\x03o"s);
  EXPECT_EQ(session->sendControl(BufferType::PingPong, bytesOf("p"), nullptr), Result::Ok);
  EXPECT_EQ(write(), "ne\x89\x01p\x81\x03two"s);
}

TEST_F(Gather, AControlFrameThatIsPartlyWrittenIsFinishedBeforeAnythingElse) {
  sendText("one");
  EXPECT_EQ(session->sendControl(BufferType::PingPong, bytesOf("ping"), nullptr), Result::Ok);
  EXPECT_EQ(write(3), "\x89\x04p"s);
  EXPECT_EQ(session->sendControl(BufferType::UnsolicitedPong, {}, nullptr), Result::Ok);
  EXPECT_EQ(write(), "ing\x8A\x00\x81\x03one"s);
}

TEST_F(Gather, OvertakingHoldsAtEverySplitOfTheStream) {
  for (std::size_t first = 0; first <= 14; ++first) {
    sendText("alpha");
    sendText("beta");
    std::string wire = write(first);
    EXPECT_EQ(session->sendControl(BufferType::PingPong, bytesOf("x"), nullptr), Result::Ok);
    while (session->hasOutput()) {
      wire += write(2);
    }
    const std::string alpha = "\x81\x05"s + "alpha";
    const std::string beta = "\x81\x04"s + "beta";
    const std::string ping = "\x89\x01x"s;
    const std::string expected = first == 0              ? ping + alpha + beta
                                 : first <= alpha.size() ? alpha + ping + beta
                                                         : alpha + beta + ping;
    EXPECT_EQ(wire, expected) << first << " bytes written before the ping";
  }
}

TEST_F(Gather, ACloseFrameKeepsItsPlace) {
  sendText("one");
  EXPECT_EQ(session->sendClose(1000, bytesOf("bye"), nullptr), Result::Ok);
  EXPECT_EQ(session->send(BufferType::Utf8Message, bytesOf("late"), nullptr, Payload::Copy), Result::InvalidOperation);
  EXPECT_EQ(session->sendControl(BufferType::PingPong, {}, nullptr), Result::Ok);
  EXPECT_EQ(write(), "\x89\x00\x81\x03one\x88\x05\x03\xE8"s + "bye");
}

TEST_F(Gather, BufferedAmountDoesNotCountACloseFrame) {
  sendText("one");
  EXPECT_EQ(session->sendClose(1000, bytesOf("bye"), nullptr), Result::Ok);
  EXPECT_EQ(session->bufferedAmount(), 3U);
  EXPECT_EQ(session->bufferedWireBytes(), 12U);
  write(6);
  EXPECT_EQ(session->bufferedAmount(), 0U);
  write(5);
  EXPECT_EQ(session->bufferedAmount(), 0U);
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), nullptr), Result::Ok);
  EXPECT_EQ(session->bufferedAmount(), 3U);
  EXPECT_EQ(write(), "eraw");
  EXPECT_EQ(session->bufferedAmount(), 0U);
}

TEST_F(Gather, SendsWithAContextAreIndicatedWhenTheirLastByteWasWritten) {
  int first = 0;
  int second = 0;
  sendText("one", &first);
  sendText("two", &second);
  EXPECT_EQ(write(4), "\x81\x03on"s);
  EXPECT_EQ(write(4), "e\x81\x03t"s) << "nothing to indicate before: the first frame was not complete";
  const Action indication = take();
  EXPECT_EQ(indication.kind, ActionKind::IndicateSendComplete);
  EXPECT_EQ(indication.context, &first);
  session->completeAction(indication.id, 0);
  EXPECT_EQ(write(), "wo");
  const Action last = take();
  EXPECT_EQ(last.kind, ActionKind::IndicateSendComplete);
  EXPECT_EQ(last.context, &second);
}

TEST_F(Gather, AReferencedPayloadIsSentFromTheApplicationsMemory) {
  const std::string payload(70000, 'x');
  sendText("before");
  EXPECT_EQ(session->send(BufferType::BinaryMessage, bytesOf(payload), nullptr, Payload::Reference), Result::Ok);
  sendText("after");
  const Action action = take();
  ASSERT_EQ(action.count, 3U);
  EXPECT_EQ(buffers[1].data, bytesOf(payload).data());
  EXPECT_EQ(wireBytes(action),
            "\x81\x06"s + "before" + "\x82\x7F\0\0\0\0\0\x01\x11\x70"s + payload + "\x81\x05"s + "after");
  session->completeAction(action.id, static_cast<std::uint32_t>(wireBytes(action).size()));
  EXPECT_EQ(take().kind, ActionKind::IndicateSendComplete) << "the application gets its memory back";
}

TEST_F(Gather, FewerBuffersThanSegmentsTakeSeveralActions) {
  const std::string payload(5000, 'y');
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(session->send(BufferType::BinaryMessage, bytesOf(payload), nullptr, Payload::Reference), Result::Ok);
  }
  std::string wire;
  while (true) {
    const Action action = take(1);
    if (action.kind == ActionKind::None) {
      break;
    }
    EXPECT_LE(action.count, 1U);
    const std::string part = wireBytes(action);
    session->completeAction(action.id, static_cast<std::uint32_t>(part.size()));
    wire += part;
  }
  const std::string frame = "\x82\x7E\x13\x88"s + payload;
  EXPECT_EQ(wire, frame + frame + frame);
}

TEST_F(Gather, FramesQueuedWhileAnActionIsOutstandingFollowIt) {
  sendText("one");
  const Action action = take();
  sendText("two");
  EXPECT_EQ(session->sendControl(BufferType::PingPong, {}, nullptr), Result::Ok);
  EXPECT_EQ(take().kind, ActionKind::None) << "one send action at a time";
  session->completeAction(action.id, 5);
  EXPECT_EQ(write(), "\x89\x00\x81\x03two"s);
}

TEST_F(Gather, AbortIndicatesEveryOperationAndKeepsTheBytesOfTheOutstandingAction) {
  int first = 0;
  int second = 0;
  sendText("one", &first);
  const Action action = take();
  sendText("two", &second);
  session->abort();
  EXPECT_EQ(take().kind, ActionKind::None) << "the write is still outstanding";
  EXPECT_EQ(buffers.size(), 16U);
  session->completeAction(action.id, 0);
  std::vector<void*> contexts;
  for (Action indication = take(); indication.kind != ActionKind::None; indication = take()) {
    EXPECT_EQ(indication.kind, ActionKind::IndicateSendComplete);
    contexts.push_back(indication.context);
    session->completeAction(indication.id, 0);
  }
  EXPECT_EQ(contexts, (std::vector<void*>{&first, &second}));
  EXPECT_EQ(session->bufferedAmount(), 0U);
  EXPECT_EQ(session->bufferedWireBytes(), 0U);
}

TEST_F(Gather, RawBytesStandBehindWhatWasQueuedBefore) {
  sendText("a");
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), nullptr), Result::Ok);
  sendText("b");
  EXPECT_EQ(session->bufferedAmount(), 5U);
  EXPECT_EQ(session->bufferedWireBytes(), 9U);
  EXPECT_EQ(write(), "\x81\x01"s + "a" + "raw" + "\x81\x01"s + "b");
  EXPECT_EQ(take().kind, ActionKind::None);
}

TEST_F(Gather, NothingGoesBetweenRawBytes) {
  EXPECT_EQ(session->sendRaw(bytesOf("first"), nullptr), Result::Ok);
  EXPECT_EQ(session->sendRaw(bytesOf("second"), nullptr), Result::Ok);
  EXPECT_EQ(write(3), "fir");
  EXPECT_EQ(session->bufferedAmount(), 8U);
  ASSERT_EQ(session->sendControl(BufferType::PingPong, bytesOf("p"), nullptr), Result::Ok);
  EXPECT_EQ(write(), "st\x89\x01"s + "psecond");
}

TEST_F(Gather, RawBytesDoNotSplitAFrame) {
  sendText("message");
  EXPECT_EQ(write(4), "\x81\x07me"s);
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), nullptr), Result::Ok);
  EXPECT_EQ(write(), "ssageraw");
}

TEST_F(Gather, RawBytesAreIndicatedInTheirTurn) {
  int message = 0;
  int raw = 0;
  int empty = 0;
  sendText("a", &message);
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), &raw), Result::Ok);
  EXPECT_EQ(session->sendRaw({}, &empty), Result::Ok);
  EXPECT_EQ(write(5), "\x81\x01"s + "ara");
  Action action = take();
  EXPECT_EQ(action.kind, ActionKind::IndicateSendComplete);
  EXPECT_EQ(action.context, &message);
  session->completeAction(action.id, 0);
  EXPECT_EQ(write(), "w");
  for (void* const context : {static_cast<void*>(&raw), static_cast<void*>(&empty)}) {
    action = take();
    EXPECT_EQ(action.kind, ActionKind::IndicateSendComplete);
    EXPECT_EQ(action.context, context);
    EXPECT_EQ(action.type, BufferType::None);
    session->completeAction(action.id, 0);
  }
  EXPECT_FALSE(session->hasOutput());
}

TEST_F(Gather, EmptyRawBytesWithoutAContextAreNothing) {
  EXPECT_EQ(session->sendRaw({}, nullptr), Result::Ok);
  EXPECT_FALSE(session->hasOutput());
  EXPECT_EQ(take().kind, ActionKind::None);
}

TEST_F(Gather, RawBytesMayFollowACloseFrameButNotAnAbort) {
  EXPECT_EQ(session->sendClose(0, {}, nullptr), Result::Ok);
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), nullptr), Result::Ok);
  EXPECT_EQ(write(), "\x88\x00raw"s);
  session->abort();
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), nullptr), Result::InvalidOperation);
}

TEST(GatherRaw, NeedsAGatherQueue) {
  Session session(Role::Server, std::make_shared<SessionOptions>());
  ASSERT_EQ(session.open(), Result::Ok);
  EXPECT_EQ(session.sendRaw(bytesOf("raw"), nullptr), Result::InvalidArgument);
}

class GatherClient : public Gather {
 protected:
  GatherClient() : Gather(Role::Client) {}
};

TEST_F(GatherClient, FramesOfAClientCarryAKey) {
  sendText("hi");
  EXPECT_EQ(session->sendClose(1001, {}, nullptr), Result::Ok);
  EXPECT_EQ(write(), "\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xE9"s);
}

TEST_F(GatherClient, RawBytesAreNotMasked) {
  EXPECT_EQ(session->sendRaw(bytesOf("raw"), nullptr), Result::Ok);
  EXPECT_EQ(write(), "raw");
}

// A source whose bytes are known.
class FixedRandom final : public RandomSource {
 public:
  bool fill(std::span<std::uint8_t> bytes) override {
    constexpr std::array<std::uint8_t, 4> kKey = {0x37, 0xFA, 0x21, 0x3D};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = kKey[i % kKey.size()];
    }
    return !broken;
  }
  bool broken = false;
};

TEST(GatherMasking, UsesAKeyFromTheSessionsRandomSource) {
  FixedRandom random;
  auto options = std::make_shared<SessionOptions>();
  options->gather = true;
  options->random = &random;
  Session session(Role::Client, options);
  ASSERT_EQ(session.open(), Result::Ok);
  ASSERT_EQ(session.send(BufferType::Utf8Message, bytesOf("Hello World"), nullptr, Payload::Copy), Result::Ok);
  std::array<Buffer, 4> buffers;
  Action action;
  ASSERT_EQ(session.getAction(ActionQueue::Send, buffers, action), Result::Ok);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffers[0].data), buffers[0].length),
            "\x81\x8B\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58\xDA\x76\x52\x45\x96\x45"s);

  random.broken = true;
  EXPECT_EQ(session.send(BufferType::Utf8Message, bytesOf("x"), nullptr, Payload::Copy), Result::Fail);
  EXPECT_EQ(session.bufferedAmount(), 11U) << "nothing was queued";
}

TEST(GatherMasking, AFrameMayHaveAKeyOfTheCallers) {
  FixedRandom random;
  auto options = std::make_shared<SessionOptions>();
  options->gather = true;
  options->random = &random;
  Session session(Role::Client, options);
  ASSERT_EQ(session.open(), Result::Ok);
  const MaskKey key = {1, 2, 3, 4};
  const MaskKey zero{};
  EXPECT_EQ(session.send(BufferType::Utf8Message, bytesOf("aaaaa"), nullptr, Payload::Copy, &key), Result::Ok);
  EXPECT_EQ(session.send(BufferType::Utf8Message, bytesOf("aaaaa"), nullptr, Payload::Copy, &zero), Result::Ok);
  EXPECT_EQ(session.sendControl(BufferType::PingPong, bytesOf("a"), nullptr, &key), Result::Ok);
  EXPECT_EQ(session.sendControl(BufferType::PingPong, bytesOf("a"), nullptr), Result::Ok);
  EXPECT_EQ(session.sendClose(1001, bytesOf("a"), nullptr, &key), Result::Ok);
  std::array<Buffer, 4> buffers;
  Action action;
  ASSERT_EQ(session.getAction(ActionQueue::Send, buffers, action), Result::Ok);
  std::string wire;
  for (const Buffer& buffer : std::span(buffers).first(action.count)) {
    wire.append(reinterpret_cast<const char*>(buffer.data), buffer.length);
  }
  EXPECT_EQ(wire,
            "\x89\x81\1\2\3\4\x60\x89\x81\x37\xFA\x21\x3D\x56"
            "\x81\x85\1\2\3\4\x60\x63\x62\x65\x60\x81\x85\0\0\0\0aaaaa\x88\x83\1\2\3\4\2\xEB\x62"s);
}

TEST(GatherMasking, AServerNeverMasks) {
  auto options = std::make_shared<SessionOptions>();
  options->gather = true;
  Session session(Role::Server, options);
  ASSERT_EQ(session.open(), Result::Ok);
  const MaskKey key = {1, 2, 3, 4};
  EXPECT_EQ(session.send(BufferType::Utf8Message, bytesOf("a"), nullptr, Payload::Copy, &key), Result::Ok);
  std::array<Buffer, 1> buffers;
  Action action;
  ASSERT_EQ(session.getAction(ActionQueue::Send, buffers, action), Result::Ok);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffers[0].data), buffers[0].length), "\x81\1a"s);
}

TEST(GatherMasking, AKeyNeedsAGatherQueue) {
  Session session(Role::Client, std::make_shared<SessionOptions>());
  ASSERT_EQ(session.open(), Result::Ok);
  const MaskKey key{};
  EXPECT_EQ(session.send(BufferType::Utf8Message, {}, nullptr, Payload::Reference, &key), Result::InvalidArgument);
  EXPECT_EQ(session.sendControl(BufferType::PingPong, {}, nullptr, &key), Result::InvalidArgument);
  EXPECT_EQ(session.sendClose(1000, {}, nullptr, &key), Result::InvalidArgument);
}

}  // namespace
}  // namespace websocket
