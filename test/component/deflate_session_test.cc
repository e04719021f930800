// Sessions with permessage-deflate: what one sends compressed the other receives as it was, in every mode, and what the
// peer must not do fails with the right code.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "deflate_endpoint.h"

namespace websocket::deflate {
namespace {

const std::string kHello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;  // "Hello" (RFC 7692, 7.2.3.1)
constexpr unsigned kText = 0xC1;                             // FIN, RSV1

// A client's endpoint: it reads frames without a mask, which tests can write by hand.
Endpoint openReader(Mode mode, const std::function<void(SessionOptions&)>& change = {}) {
  Endpoint endpoint(Role::Client, mode);
  if (change) {
    change(*endpoint.options);
  }
  endpoint.open();
  return endpoint;
}

// ---------------------------------------------------------------------------------------------------------------------
// The handshake

TEST(DeflateSession, TheHandshakeNegotiatesAndTheThirteenFunctionsSeePlainMessages) {
  for (const Mode mode : kModes) {
    Endpoint client(Role::Client, mode);
    Endpoint server(Role::Server, mode, {.serverMaxWindowBits = 12});
    client.make();
    server.make();
    std::span<const HeaderView> request;
    ASSERT_EQ(client.session->beginClientHandshake({}, {}, request), Result::Ok);
    std::vector<HeaderView> withHost(request.begin(), request.end());
    EXPECT_EQ(withHost.back().name, "Sec-WebSocket-Extensions");
    EXPECT_EQ(withHost.back().value, "permessage-deflate; client_max_window_bits");
    withHost.push_back({"Host", "example"});
    std::span<const HeaderView> response;
    ASSERT_EQ(server.session->beginServerHandshake({}, {}, withHost, response), Result::Ok);
    EXPECT_EQ(response.back().value, "permessage-deflate; server_max_window_bits=12");
    ClientSelection selection;
    ASSERT_EQ(client.session->endClientHandshake(response, selection), Result::Ok);
    EXPECT_TRUE(selection.extensions.empty()) << "there were no offers of the application";
    ASSERT_EQ(server.session->endServerHandshake(), Result::Ok);
    ASSERT_NE(client.session->deflate(), nullptr);
    ASSERT_NE(server.session->deflate(), nullptr);
    EXPECT_EQ(*client.session->deflate(), (DeflateParameters{false, false, 12, 15}));
    EXPECT_EQ(*client.session->deflate(), *server.session->deflate());

    const std::string text(1000, 'a');
    client.send(BufferType::Utf8Message, text);
    const std::string wire = client.written();
    EXPECT_LT(wire.size(), 40U);
    EXPECT_EQ(static_cast<std::uint8_t>(wire[0]), kText);
    ASSERT_EQ(server.read(wire), Result::Ok);
    EXPECT_EQ(server.received(), (std::vector<Message>{{BufferType::Utf8Message, text}}));
  }
}

TEST(DeflateSession, APeerWithoutTheExtensionGetsPlainMessages) {
  Endpoint client(Role::Client, Mode::Documented);
  client.make();
  Session server(Role::Server, std::make_shared<SessionOptions>());
  std::span<const HeaderView> request;
  ASSERT_EQ(client.session->beginClientHandshake({}, {}, request), Result::Ok);
  std::vector<HeaderView> withHost(request.begin(), request.end());
  withHost.push_back({"Host", "example"});
  std::span<const HeaderView> response;
  ASSERT_EQ(server.beginServerHandshake({}, {}, withHost, response), Result::Ok);
  ClientSelection selection;
  ASSERT_EQ(client.session->endClientHandshake(response, selection), Result::Ok);
  EXPECT_EQ(client.session->deflate(), nullptr);
  client.send(BufferType::Utf8Message, std::string(1000, 'a'));
  EXPECT_GT(client.written().size(), 1000U);
  EXPECT_EQ(client.read(frame(kText, kHello)), Result::InvalidFormat);
  EXPECT_EQ(client.session->fault().kind, FaultKind::Rsv1Set);
}

TEST(DeflateSession, TheBuiltInExtensionStandsBehindThoseOfTheApplication) {
  Endpoint client(Role::Client, Mode::Documented);
  client.make();
  std::span<const HeaderView> headers;
  const std::array<std::string_view, 1> twice = {"permessage-deflate"};
  EXPECT_EQ(client.session->beginClientHandshake({}, twice, headers), Result::InvalidArgument);
  const std::array<std::string_view, 1> other = {"x-other; y"};
  ASSERT_EQ(client.session->beginClientHandshake({}, other, headers), Result::Ok);
  EXPECT_EQ(headers.back().value, "x-other; y, permessage-deflate; client_max_window_bits");
  const std::string_view key = headers[2].value;

  Endpoint server(Role::Server, Mode::Documented);
  server.make();
  const std::vector<HeaderView> request = {{"Host", "h"},
                                           {"Upgrade", "websocket"},
                                           {"Connection", "Upgrade"},
                                           {"Sec-WebSocket-Version", "13"},
                                           {"Sec-WebSocket-Key", key},
                                           headers.back()};
  std::span<const HeaderView> response;
  EXPECT_EQ(server.session->beginServerHandshake({}, twice, request, response), Result::InvalidArgument);
  ASSERT_EQ(server.session->beginServerHandshake({}, other, request, response), Result::Ok);
  EXPECT_EQ(response.back().value, "x-other; y, permessage-deflate");
  std::vector<HeaderView> answer(response.begin(), response.end());

  // Answers that the client refuses; none changes its state.
  ClientSelection selection;
  for (const auto& [extensions, result] : std::vector<std::pair<std::string_view, Result>>{
           {"permessage-deflate, permessage-deflate", Result::ExtensionsNotSupported},
           {"permessage-deflate; server_max_window_bits=16", Result::ExtensionsNotSupported},
           {"permessage-deflate; nonsense", Result::ExtensionsNotSupported},
           {"permessage-deflate; =", Result::ExtensionsNotSupported},
           {"x-unknown", Result::ExtensionsNotSupported}}) {
    answer.back().value = extensions;
    EXPECT_EQ(client.session->endClientHandshake(answer, selection), result) << extensions;
    EXPECT_EQ(client.session->state(), State::Handshaking);
  }
  answer.back().value = response.back().value;
  ASSERT_EQ(client.session->endClientHandshake(answer, selection), Result::Ok);
  EXPECT_EQ(selection.extensions, (std::vector<std::uint32_t>{0}));
  EXPECT_NE(client.session->deflate(), nullptr);
}

TEST(DeflateSession, AnIllFormedOfferFailsTheRequest) {
  Endpoint server(Role::Server, Mode::Documented);
  server.make();
  std::vector<HeaderView> request = {{"Host", "h"},
                                     {"Upgrade", "websocket"},
                                     {"Connection", "Upgrade"},
                                     {"Sec-WebSocket-Version", "13"},
                                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                     {"Sec-WebSocket-Extensions", "permessage-deflate; ="}};
  std::span<const HeaderView> response;
  EXPECT_EQ(server.session->beginServerHandshake({}, {}, request, response), Result::InvalidFormat);
  request.back().value = "permessage-deflate; foo";
  ASSERT_EQ(server.session->beginServerHandshake({}, {}, request, response), Result::Ok);
  EXPECT_EQ(response.size(), 3U) << "declined: no extension header";
  EXPECT_EQ(server.session->deflate(), nullptr);
}

TEST(DeflateSession, OpensWithParametersThatWereAgreedElsewhere) {
  Session plain(Role::Server, std::make_shared<SessionOptions>());
  EXPECT_EQ(plain.open(DeflateParameters{}), Result::InvalidArgument);
  Endpoint server(Role::Server, Mode::GatherAndPool);
  server.make();
  EXPECT_EQ(server.session->open(DeflateParameters{false, false, 7, 15}), Result::InvalidArgument);
  EXPECT_EQ(server.session->open(DeflateParameters{true, true, 8, 8}), Result::Ok);
}

// ---------------------------------------------------------------------------------------------------------------------
// Both directions

// Random messages in random pieces with random settings, control frames between.
TEST(DeflateSession, WhatIsSentIsReceived) {
  for (unsigned seed = 0; seed < 160; ++seed) {
    std::mt19937 random(seed);
    const auto oneOf = [&](auto count) { return static_cast<decltype(count)>(random() % count); };
    const Mode senderMode = kModes[seed % 3];
    const Mode receiverMode = kModes[seed / 3 % 3];
    const Role role = seed % 2 == 0 ? Role::Client : Role::Server;
    const DeflateParameters agreed{oneOf(2U) == 0, oneOf(2U) == 0, static_cast<std::uint8_t>(8 + oneOf(8U)),
                                   static_cast<std::uint8_t>(8 + oneOf(8U))};
    Endpoint sender(role, senderMode);
    Endpoint receiver(role == Role::Client ? Role::Server : Role::Client, receiverMode, {}, 256 + oneOf(5000U));
    receiver.options->indicatePings = true;
    sender.open(agreed);
    receiver.open(agreed);

    std::vector<Message> expected;
    std::string wire;
    std::vector<std::string> earlier = {""};
    for (int i = 0; i < 12; ++i) {
      const bool isText = oneOf(2U) == 0;
      std::string payload = oneOf(3U) == 0 ? earlier[oneOf(earlier.size())] : "";
      payload += sampleText(random, oneOf(2U) == 0 ? oneOf(200U) : oneOf(20000U));
      if (oneOf(8U) == 0) {
        payload.clear();
      }
      earlier.push_back(payload);
      const auto compression = oneOf(5U) == 0 ? Compression::Off : Compression::On;
      std::string_view rest = payload;
      for (unsigned parts = oneOf(4U); parts != 0; --parts) {
        const std::size_t length = oneOf(rest.size() + 1);
        sender.send(isText ? BufferType::Utf8Fragment : BufferType::BinaryFragment, rest.substr(0, length),
                    compression);
        rest.remove_prefix(length);
        if (oneOf(2U) == 0) {
          ASSERT_EQ(sender.session->sendControl(BufferType::PingPong, view("ping"), nullptr), Result::Ok);
          expected.push_back({BufferType::Ping, "ping"});
          wire += sender.written();  // in gather mode a ping goes before what waits
        }
        wire += sender.written();
      }
      // What decides is the first fragment; the rest follows it whatever is asked.
      sender.send(isText ? BufferType::Utf8Message : BufferType::BinaryMessage, rest,
                  payload.size() == rest.size() ? compression : Compression::Off);
      wire += sender.written();
      expected.push_back({isText ? BufferType::Utf8Message : BufferType::BinaryMessage, payload});
      if (oneOf(6U) == 0) {
        sender.session->shrinkDeflate();
      }
      if (oneOf(2U) == 0) {
        ASSERT_EQ(receiver.read(std::exchange(wire, {}), 1 + oneOf(oneOf(2U) == 0 ? 10U : 3000U)), Result::Ok);
        receiver.session->shrinkDeflate();
      }
    }
    ASSERT_EQ(receiver.read(wire), Result::Ok) << receiver.session->fault().reason << " seed " << seed;
    ASSERT_EQ(receiver.received(), expected) << "seed " << seed;
    EXPECT_LE(receiver.largestPiece(), receiver.options->receiveBufferSize);
    EXPECT_EQ(receiver.pool->leased(), 0U) << "seed " << seed;
  }
}

TEST(DeflateSession, WithoutTakeoverAnIncompressibleMessageStaysAsItIs) {
  Endpoint sender(Role::Server, Mode::GatherAndPool);
  sender.open({true, true, 15, 15});
  sender.send(BufferType::BinaryMessage, "\x01\x82\x13\xF4"s);
  EXPECT_EQ(sender.written(), "\x82\x04\x01\x82\x13\xF4"s);
  sender.send(BufferType::BinaryMessage, "");
  EXPECT_EQ(sender.written(), "\x82\x00"s);
  sender.send(BufferType::Utf8Message, "Hello", Compression::Off);
  EXPECT_EQ(sender.written(), frame(0x81, "Hello"));
}

TEST(DeflateSession, OnlyTheFirstFrameOfAMessageHasRsv1) {
  for (const Mode mode : {Mode::Documented, Mode::GatherAndPool}) {
    Endpoint sender(Role::Server, mode);
    sender.open();
    sender.send(BufferType::Utf8Fragment, "Hello");
    sender.send(BufferType::Utf8Message, "Hello");
    const std::string wire = sender.written();
    EXPECT_EQ(static_cast<std::uint8_t>(wire[0]), 0x41);
    const auto second = static_cast<std::size_t>(2 + wire[1]);
    EXPECT_EQ(static_cast<std::uint8_t>(wire[second]), 0x80);
  }
}

TEST(DeflateSession, CompletionsComeAsForPlainMessages) {
  // A reference without a context is indicated as well, and the memory is free.
  Endpoint sender(Role::Server, Mode::GatherAndPool);
  sender.open();
  std::string payload(1000, 'x');
  ASSERT_EQ(sender.session->send(BufferType::BinaryMessage, view(payload), nullptr, Payload::Reference, nullptr,
                                 Compression::On),
            Result::Ok);
  ASSERT_EQ(
      sender.session->send(BufferType::BinaryMessage, view(payload), &payload, Payload::Copy, nullptr, Compression::On),
      Result::Ok);
  std::vector<void*> contexts;
  std::array<Buffer, 4> buffers;
  for (Action action; sender.session->getAction(ActionQueue::Send, buffers, action) == Result::Ok &&
                      action.kind != ActionKind::None;) {
    std::uint32_t length = 0;
    for (const Buffer& buffer : std::span(buffers).first(action.count)) {
      length += buffer.length;
    }
    if (action.kind == ActionKind::IndicateSendComplete) {
      contexts.push_back(action.context);
    }
    sender.session->completeAction(action.id, length);
  }
  EXPECT_EQ(contexts, (std::vector<void*>{nullptr, &payload}));
}

// ---------------------------------------------------------------------------------------------------------------------
// What the peer may and may not do

TEST(DeflateSession, RsvBitsWhereTheyMustNotBeFail) {
  struct Row {
    std::string wire;
    FaultKind kind;
  };
  for (const Mode mode : kModes) {
    for (const Row& row : std::vector<Row>{
             {frame(0x41, kHello) + frame(0xC0, kHello), FaultKind::Rsv1Set},
             {frame(0x01, "a") + frame(0xC0, kHello), FaultKind::Rsv1Set},
             {frame(0xC9, ""), FaultKind::Rsv1Set},
             {frame(0xCA, ""), FaultKind::Rsv1Set},
             {frame(0xC8, ""), FaultKind::Rsv1Set},
             {frame(0xA1, "a"), FaultKind::Rsv2Or3Set},
             {frame(0x91, "a"), FaultKind::Rsv2Or3Set},
             {frame(0xE1, kHello), FaultKind::Rsv1Set},
         }) {
      Endpoint endpoint = openReader(mode);
      EXPECT_EQ(endpoint.read(row.wire), Result::InvalidFormat);
      EXPECT_EQ(endpoint.session->fault().kind, row.kind);
      EXPECT_EQ(endpoint.session->fault().closeStatus, 1002);
    }
  }
}

TEST(DeflateSession, CompressedAndPlainMessagesMayFollowEachOther) {
  for (const Mode mode : kModes) {
    Endpoint endpoint = openReader(mode);
    const std::string wire = frame(kText, kHello) + frame(0x81, "plain") + frame(0xC2, "\xf2\x00\x11\x00\x00"s) +
                             frame(kText, "\x00"s) + frame(kText, "") + frame(0x41, kHello.substr(0, 3)) +
                             frame(0x89, "p") + frame(0x00, "") + frame(0x80, kHello.substr(3));
    const std::vector<Message> expected = {{BufferType::Utf8Message, "Hello"},   {BufferType::Utf8Message, "plain"},
                                           {BufferType::BinaryMessage, "Hello"}, {BufferType::Utf8Message, ""},
                                           {BufferType::Utf8Message, ""},        {BufferType::Utf8Message, "Hello"}};
    ASSERT_EQ(endpoint.read(wire), Result::Ok) << endpoint.session->fault().reason;
    EXPECT_EQ(endpoint.received(), expected);
    for (const std::size_t step : std::initializer_list<std::size_t>{1, 2, 3, 5}) {
      ASSERT_EQ(endpoint.read(wire, step), Result::Ok);
      EXPECT_EQ(endpoint.received(), expected) << step;
    }
  }
}

TEST(DeflateSession, CorruptDataIsAFaultWith1007) {
  for (const Mode mode : kModes) {
    for (const std::string& data :
         {"\x07"s, "\xf2\x48\xcd"s, "\x00\x05\x00\x00\x00hello\x00"s, "\xf2\x00\x11\x00\x00"s}) {
      Endpoint endpoint = openReader(mode);
      EXPECT_EQ(endpoint.read(frame(kText, data)), Result::InvalidFormat);
      EXPECT_EQ(endpoint.session->fault().kind, FaultKind::InvalidCompressedData);
      EXPECT_EQ(endpoint.session->fault().closeStatus, 1007);
      EXPECT_EQ(endpoint.pool->leased(), mode == Mode::GatherAndPool ? 1U : 0U) << "the received bytes";
      endpoint.session.reset();
      EXPECT_EQ(endpoint.pool->leased(), 0U);
    }
  }
}

// The text of an invalid message fails at its first bad byte, inside the frame.
TEST(DeflateSession, InflatedTextIsCheckedAsItComes) {
  for (const Mode mode : kModes) {
    Endpoint sender(Role::Server, Mode::GatherAndPool);
    sender.open();
    sender.send(BufferType::BinaryFragment, "good \xC3\xA9 and \xFF"s);  // flushed here
    sender.send(BufferType::BinaryMessage, std::string(5000, 'x'));
    std::string wire = sender.written();
    wire[0] = 0x41;
    Endpoint endpoint = openReader(mode);
    EXPECT_EQ(endpoint.read(wire.substr(0, 20), 1), Result::InvalidFormat);
    EXPECT_EQ(endpoint.session->fault().kind, FaultKind::InvalidUtf8);

    sender.send(BufferType::BinaryMessage, "ends inside \xE2\x82"s);
    wire = sender.written();
    wire[0] = static_cast<char>(0xC1);
    Endpoint other = openReader(mode);
    EXPECT_EQ(other.read(frame(0xC2, "\x00"s)), Result::Ok);
    Endpoint fresh(Role::Server, Mode::GatherAndPool);
    fresh.open();
    fresh.send(BufferType::BinaryMessage, "ends inside \xE2\x82"s);
    wire = fresh.written();
    wire[0] = static_cast<char>(0xC1);
    EXPECT_EQ(other.read(wire), Result::InvalidFormat);
    EXPECT_EQ(other.session->fault().kind, FaultKind::InvalidUtf8);

    Endpoint unchecked = openReader(mode, [](SessionOptions& options) { options.disableUtf8Verification = true; });
    EXPECT_EQ(unchecked.read(wire), Result::Ok);
  }
}

TEST(DeflateSession, TheMessageLimitCountsInflatedBytes) {
  for (const Mode mode : kModes) {
    Endpoint sender(Role::Server, Mode::GatherAndPool);
    sender.open();
    Endpoint receiver = openReader(mode, [](SessionOptions& options) { options.maxMessageSize = 10'000; });
    sender.send(BufferType::BinaryMessage, std::string(10'000, 'x'));
    ASSERT_EQ(receiver.read(sender.written()), Result::Ok);
    EXPECT_EQ(receiver.received().size(), 1U);
    sender.send(BufferType::BinaryFragment, std::string(9'000, 'x'));
    sender.send(BufferType::BinaryMessage, std::string(1'001, 'x'));
    EXPECT_EQ(receiver.read(sender.written()), Result::InvalidFormat);
    EXPECT_EQ(receiver.session->fault().kind, FaultKind::MessageTooBig);
    EXPECT_EQ(receiver.session->fault().closeStatus, 1009);
    EXPECT_LE(receiver.partial().size(), 10'000U);
  }
}

TEST(DeflateSession, AMessageWhoseTailFillsTheMemoryEndsWithAnEmptyPiece) {
  for (const Mode mode : kModes) {
    for (std::size_t size = 255; size < 1030; size += 257) {
      Endpoint sender(Role::Server, Mode::GatherAndPool);
      sender.open();
      Endpoint receiver(Role::Client, mode, {}, 256);
      receiver.open();
      for (std::size_t delta = 0; delta < 3; ++delta) {
        const std::string text(size + delta, 'y');
        sender.send(BufferType::Utf8Message, text);
        ASSERT_EQ(receiver.read(sender.written()), Result::Ok);
        EXPECT_EQ(receiver.received(), (std::vector<Message>{{BufferType::Utf8Message, text}})) << size + delta;
      }
    }
  }
}

// 1 MiB on the wire that inflates to 1 GiB, whole and split over frames.
TEST(DeflateSession, ABombStopsAtTheLimit) {
  std::string bomb;
  {
    ZlibMemory memory;
    Deflater deflater({}, memory);
    ByteBuffer output;
    const std::string zeros(std::size_t{64} << 20, '\0');
    for (int i = 0; i < 16; ++i) {
      deflater.deflate(view(zeros), i == 15, output);
      bomb.append(output.view().begin(), output.view().end());
    }
  }
  EXPECT_LT(bomb.size(), 1'100'000U);
  std::string split = frame(0x42, "");
  for (std::size_t at = 0; at < bomb.size(); at += 16'384) {
    split += frame(0x00, std::string_view(bomb).substr(at, 16'384));
  }
  split += frame(0x80, "");
  for (const Mode mode : kModes) {
    for (const std::string& wire : {frame(0xC2, bomb), split}) {
      Endpoint endpoint(Role::Client, mode, {}, 65'536);
      endpoint.options->maxMessageSize = 1 << 20;
      endpoint.open();
      EXPECT_EQ(endpoint.read(wire), Result::InvalidFormat);
      EXPECT_EQ(endpoint.session->fault().kind, FaultKind::MessageTooBig);
      EXPECT_LE(endpoint.partial().size(), std::size_t{1} << 20);
      EXPECT_LE(endpoint.contexts->bytesInUse(), 65'536U);
      EXPECT_LE(endpoint.pool->leased(), 2U);
    }
  }
}

TEST(DeflateSession, FragmentsAreCounted) {
  Endpoint endpoint = openReader(Mode::GatherAndPool, [](SessionOptions& options) { options.maxFragments = 3; });
  EXPECT_EQ(endpoint.read(frame(0x42, "") + frame(0, "") + frame(0, "") + frame(0, "")), Result::InvalidFormat);
  EXPECT_EQ(endpoint.session->fault().kind, FaultKind::TooManyFragments);
}

TEST(DeflateSession, WithoutSpaceInThePoolItWaits) {
  Endpoint endpoint = openReader(Mode::GatherAndPool);
  endpoint.pool->refuseInflating = true;
  ASSERT_EQ(endpoint.read(frame(kText, kHello) + frame(0x81, "next")), Result::Ok);
  EXPECT_TRUE(endpoint.received().empty());
  endpoint.pool->refuseInflating = false;
  ASSERT_EQ(endpoint.read(""), Result::Ok);
  EXPECT_EQ(endpoint.received(),
            (std::vector<Message>{{BufferType::Utf8Message, "Hello"}, {BufferType::Utf8Message, "next"}}));
  EXPECT_EQ(endpoint.pool->leased(), 0U);
}

TEST(DeflateSession, AbortAtAnyByteGivesEverythingBack) {
  Endpoint sender(Role::Server, Mode::GatherAndPool);
  sender.open();
  std::mt19937 random(3);
  sender.send(BufferType::Utf8Fragment, sampleText(random, 3000));
  sender.send(BufferType::Utf8Message, sampleText(random, 3000));
  const std::string wire = sender.written();
  for (const Mode mode : kModes) {
    for (std::size_t length = 0; length < wire.size(); length += 7) {
      Endpoint endpoint = openReader(mode);
      ASSERT_EQ(endpoint.read(wire.substr(0, length)), Result::Ok);
      endpoint.session->abort();
      endpoint.session.reset();
      EXPECT_EQ(endpoint.pool->leased(), 0U);
      endpoint.contexts->trim();
      EXPECT_EQ(endpoint.contexts->bytesInUse(), 0U);
    }
  }
}

}  // namespace
}  // namespace websocket::deflate
