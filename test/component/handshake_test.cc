#include "handshake.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "http_header.h"

namespace websocket {
namespace {

using namespace std::string_view_literals;
using Headers = std::vector<HeaderView>;
using Texts = std::vector<std::string_view>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// Gives the key of RFC 6455, 1.3, "the sample nonce", every time.
class SampleNonce final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::uint8_t> bytes) override {
    constexpr std::string_view kNonce = "the sample nonce";
    std::copy_n(kNonce.begin(), std::min(bytes.size(), kNonce.size()), bytes.begin());
    return bytes.size() == kNonce.size();
  }
};

class BrokenSource final : public RandomSource {
 public:
  [[nodiscard]] bool fill(std::span<std::uint8_t>) override { return false; }
};

constexpr auto kSampleKey = "dGhlIHNhbXBsZSBub25jZQ=="sv;
constexpr auto kSampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="sv;

Pairs copyOf(std::span<const HeaderView> headers) {
  Pairs copies;
  for (const HeaderView& header : headers) copies.emplace_back(header.name, header.value);
  return copies;
}

// headers with the value of each field called name replaced, or without that field.
Headers with(Headers headers, std::string_view name, std::string_view value) {
  for (HeaderView& header : headers) {
    if (header.name == name) header.value = value;
  }
  return headers;
}
Headers without(Headers headers, std::string_view name) {
  std::erase_if(headers, [name](const HeaderView& header) { return header.name == name; });
  return headers;
}
Headers plus(Headers headers, std::string_view name, std::string_view value) {
  headers.push_back({name, value});
  return headers;
}

Headers request() {
  return {{"Host", "example.com"},
          {"Connection", "Upgrade"},
          {"Upgrade", "websocket"},
          {"Sec-WebSocket-Key", kSampleKey},
          {"Sec-WebSocket-Version", "13"}};
}

Headers response() {
  return {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", kSampleAccept}};
}

// ---------------------------------------------------------------------------------------------------- client, begin

Result beginClient(ClientHandshake& client, const Texts& subprotocols, const Texts& extensions, Pairs* out = nullptr) {
  SampleNonce random;
  std::span<const HeaderView> headers;
  const Result result = client.begin(subprotocols, extensions, random, headers);
  if (out != nullptr) *out = copyOf(headers);
  return result;
}

TEST(ClientHandshake, T15_AsksForVersion13WithAFreshKeyOf16Bytes) {
  ClientHandshake client;
  std::span<const HeaderView> headers;
  ASSERT_EQ(client.begin({}, {}, systemRandom(), headers), Result::Ok);
  ASSERT_EQ(headers.size(), 4U);
  EXPECT_EQ(headers[0].name, "Connection");
  EXPECT_EQ(headers[0].value, "Upgrade");
  EXPECT_EQ(headers[1].name, "Upgrade");
  EXPECT_EQ(headers[1].value, "websocket");
  EXPECT_EQ(headers[2].name, "Sec-WebSocket-Key");
  EXPECT_EQ(headers[2].value.size(), 24U);
  EXPECT_TRUE(headers[2].value.ends_with("=="));
  EXPECT_EQ(headers[3].name, "Sec-WebSocket-Version");
  EXPECT_EQ(headers[3].value, "13");
}

TEST(ClientHandshake, T16_EveryKeyDiffers) {
  std::set<std::string> keys;
  ClientHandshake client;
  for (int i = 0; i < 100; ++i) {
    std::span<const HeaderView> headers;
    ASSERT_EQ(client.begin({}, {}, systemRandom(), headers), Result::Ok);
    keys.emplace(headers[2].value);
  }
  EXPECT_EQ(keys.size(), 100U);
}

TEST(ClientHandshake, T18_OffersFollowInTheirOrderJoinedByCommas) {
  ClientHandshake client;
  Pairs headers;
  ASSERT_EQ(beginClient(client, {"chat", "json"}, {"a; p=1", "b"}, &headers), Result::Ok);
  const Pairs expected = {{"Connection", "Upgrade"},
                          {"Upgrade", "websocket"},
                          {"Sec-WebSocket-Key", std::string(kSampleKey)},
                          {"Sec-WebSocket-Version", "13"},
                          {"Sec-WebSocket-Protocol", "chat, json"},
                          {"Sec-WebSocket-Extensions", "a; p=1, b"}};
  EXPECT_EQ(headers, expected);
  EXPECT_EQ(client.offeredExtensionCount(), 2U);
}

TEST(ClientHandshake, OnlyExtensionsAreOfferedWhenThereAreNoSubprotocols) {
  ClientHandshake client;
  Pairs headers;
  ASSERT_EQ(beginClient(client, {}, {"b"}, &headers), Result::Ok);
  ASSERT_EQ(headers.size(), 5U);
  EXPECT_EQ(headers[4].first, "Sec-WebSocket-Extensions");
}

TEST(ClientHandshake, ASecondBeginReplacesTheFirst) {
  ClientHandshake client;
  ASSERT_EQ(beginClient(client, {"chat"}, {"a"}), Result::Ok);
  Pairs headers;
  ASSERT_EQ(beginClient(client, {}, {}, &headers), Result::Ok);
  EXPECT_EQ(headers.size(), 4U);
  ClientSelection selection;
  EXPECT_EQ(client.end(response(), selection), Result::Ok);
}

TEST(ClientHandshake, SubprotocolsMustBeTokensAndDiffer) {
  for (const Texts& offers : std::vector<Texts>{{""},
                                                {"a", ""},
                                                {"a b"},
                                                {"a,b"},
                                                {"a/b"},
                                                {"a\r\nX-Injected: 1"},
                                                {"a\0"sv},
                                                {"\xC3\xA9"},
                                                {"a", "b", "a"}}) {
    ClientHandshake client;
    EXPECT_EQ(beginClient(client, offers, {}), Result::InvalidArgument) << offers.front();
  }
  ClientHandshake client;
  EXPECT_EQ(beginClient(client, {"a", "A"}, {}), Result::Ok) << "subprotocols differ in case";
}

TEST(ClientHandshake, AnExtensionMustBeOneElementWithATokenAsName) {
  for (const std::string_view offer : {""sv, " "sv, ";x=1"sv, "a b"sv, "a b; x"sv, "a, b"sv, "a; x, b"sv, "a,"sv,
                                       ",a"sv, "a; x\r\nInjected: 1"sv, "a; x=\n"sv, "a; x=\0"sv, "a;\tx\x7F"sv}) {
    ClientHandshake client;
    EXPECT_EQ(beginClient(client, {}, {offer}), Result::InvalidArgument) << offer;
  }
  ClientHandshake client;
  EXPECT_EQ(beginClient(client, {}, {"a; x=\"1,2\"; y", "a", "permessage-deflate; client_max_window_bits"}),
            Result::Ok);
}

TEST(ClientHandshake, WithoutRandomnessItFailsAndCanBeRepeated) {
  ClientHandshake client;
  BrokenSource broken;
  std::span<const HeaderView> headers;
  EXPECT_EQ(client.begin({}, {}, broken, headers), Result::Fail);
  EXPECT_TRUE(headers.empty());
  EXPECT_EQ(client.begin({}, {}, systemRandom(), headers), Result::Ok);
}

// ------------------------------------------------------------------------------------------------------ client, end

Result endClient(const Texts& subprotocols, const Texts& extensions, const Headers& fields,
                 ClientSelection& selection) {
  ClientHandshake client;
  EXPECT_EQ(beginClient(client, subprotocols, extensions), Result::Ok);
  return client.end(fields, selection);
}

Result endClient(const Headers& fields) {
  ClientSelection selection;
  return endClient({}, {}, fields, selection);
}

TEST(ClientHandshake, T36_TheSmallestResponseIsEnough) { EXPECT_EQ(endClient(response()), Result::Ok); }

TEST(ClientHandshake, NamesAndTokensOfTheResponseCompareWithoutCase) {
  EXPECT_EQ(endClient({{"connection", "keep-alive, UPGRADE"},
                       {"upgrade", " WebSocket "},
                       {"Server", "x"},
                       {"SEC-WEBSOCKET-ACCEPT", "\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= "}}),
            Result::Ok);
}

TEST(ClientHandshake, MalformedResponsesAreRefused) {
  struct Case {
    const char* what;
    Headers fields;
  };
  const Case cases[] = {
      {"nothing", {}},
      {"no Upgrade", without(response(), "Upgrade")},
      {"another Upgrade", with(response(), "Upgrade", "h2c")},
      {"one more protocol in Upgrade", with(response(), "Upgrade", "websocket, h2c")},
      {"two Upgrade fields", plus(response(), "Upgrade", "websocket")},
      {"no Connection", without(response(), "Connection")},
      {"another Connection", with(response(), "Connection", "keep-alive")},
      {"a longer Connection token", with(response(), "Connection", "upgraded")},
      {"no Accept", without(response(), "Sec-WebSocket-Accept")},
      {"T34, a wrong Accept", with(response(), "Sec-WebSocket-Accept", "ICX+Yqv66kxgM0FcWaLWlFLwTAI=")},
      {"T35, an Accept of other case", with(response(), "Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=")},
      {"a longer Accept", with(response(), "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo==")},
      {"an empty Accept", with(response(), "Sec-WebSocket-Accept", "")},
      {"two Accept fields", plus(response(), "Sec-WebSocket-Accept", kSampleAccept)},
      {"two Protocol fields", plus(plus(response(), "Sec-WebSocket-Protocol", "a"), "Sec-WebSocket-Protocol", "a")},
  };
  for (const Case& item : cases) {
    ClientSelection selection;
    EXPECT_EQ(endClient({"a"}, {}, item.fields, selection), Result::InvalidFormat) << item.what;
  }
}

TEST(ClientHandshake, T37_TheSubprotocolComesBackAsItsIndex) {
  ClientSelection selection;
  ASSERT_EQ(endClient({"x", "y"}, {}, plus(response(), "Sec-WebSocket-Protocol", " y "), selection), Result::Ok);
  EXPECT_EQ(selection.subprotocol, 1U);
}

TEST(ClientHandshake, T38_T39_ASubprotocolMustBeOneOfTheOffers) {
  struct Case {
    Texts offers;
    Headers fields;
  };
  const Case cases[] = {
      {{"x"}, plus(response(), "Sec-WebSocket-Protocol", "z")},
      {{"x"}, plus(response(), "Sec-WebSocket-Protocol", "X")},
      {{"x", "y"}, plus(response(), "Sec-WebSocket-Protocol", "x, y")},
      {{"x"}, plus(response(), "Sec-WebSocket-Protocol", "")},
      {{"x"}, response()},
      {{}, plus(response(), "Sec-WebSocket-Protocol", "x")},
      {{}, plus(response(), "Sec-WebSocket-Protocol", "")},
  };
  for (const Case& item : cases) {
    ClientSelection selection;
    EXPECT_EQ(endClient(item.offers, {}, item.fields, selection), Result::SubprotocolNotSupported);
  }
}

TEST(ClientHandshake, T40_ExtensionsComeBackAsIndicesInTheServersOrder) {
  ClientSelection selection;
  ASSERT_EQ(endClient({}, {"a; p=1", "b"}, plus(response(), "Sec-WebSocket-Extensions", "b, A; q=2"), selection),
            Result::Ok);
  EXPECT_EQ(selection.extensions, (std::vector<std::uint32_t>{1, 0}));
}

TEST(ClientHandshake, ExtensionsMayComeInSeveralFieldsWithQuotedCommas) {
  ClientSelection selection;
  const Headers fields =
      plus(plus(response(), "Sec-WebSocket-Extensions", "b; x=\"1, z\""), "sec-websocket-extensions", "a");
  ASSERT_EQ(endClient({}, {"a", "b"}, fields, selection), Result::Ok);
  EXPECT_EQ(selection.extensions, (std::vector<std::uint32_t>{1, 0}));
}

TEST(ClientHandshake, T42_NoExtensionIsTakenIsSuccess) {
  ClientSelection selection;
  ASSERT_EQ(endClient({}, {"a"}, response(), selection), Result::Ok);
  EXPECT_TRUE(selection.extensions.empty());
  EXPECT_FALSE(selection.subprotocol.has_value());
}

TEST(ClientHandshake, T41_ExtensionsMustBeOfferedAndEachOfferCountsOnce) {
  struct Case {
    Texts offers;
    std::string_view value;
  };
  const Case cases[] = {{{"a"}, "c"},  {{"a"}, "a, c"}, {{"a"}, "a, a"}, {{"a"}, "aa"},
                        {{"a"}, ";x"}, {{}, "a"},       {{}, ""}};
  for (const Case& item : cases) {
    ClientSelection selection;
    EXPECT_EQ(endClient({}, item.offers, plus(response(), "Sec-WebSocket-Extensions", item.value), selection),
              Result::ExtensionsNotSupported)
        << item.value;
  }
  ClientSelection selection;
  ASSERT_EQ(endClient({}, {"a; x", "a"}, plus(response(), "Sec-WebSocket-Extensions", "a, a"), selection), Result::Ok);
  EXPECT_EQ(selection.extensions, (std::vector<std::uint32_t>{0, 1})) << "the same extension offered twice";
}

TEST(ClientHandshake, AFailedEndChangesNothingAndCanBeRepeated) {
  ClientHandshake client;
  ASSERT_EQ(beginClient(client, {"x"}, {"a"}), Result::Ok);
  ClientSelection selection{.extensions = {7}, .subprotocol = 7};
  const Headers good = plus(response(), "Sec-WebSocket-Protocol", "x");
  EXPECT_EQ(client.end(plus(good, "Sec-WebSocket-Extensions", "a, c"), selection), Result::ExtensionsNotSupported);
  EXPECT_EQ(selection.extensions, std::vector<std::uint32_t>{7});
  EXPECT_EQ(selection.subprotocol, 7U);
  EXPECT_EQ(client.end(plus(good, "Sec-WebSocket-Extensions", "a"), selection), Result::Ok);
  EXPECT_EQ(selection.extensions, std::vector<std::uint32_t>{0});
  EXPECT_EQ(selection.subprotocol, 0U);
}

TEST(ClientHandshake, T21_OffersAreCopied) {
  ClientHandshake client;
  {
    std::string subprotocol = "a subprotocol name that is longer than any small buffer";
    std::replace(subprotocol.begin(), subprotocol.end(), ' ', '-');
    std::string extension = "an-extension-name-that-is-longer-than-any-small-buffer";
    ASSERT_EQ(beginClient(client, {"first", subprotocol}, {extension}), Result::Ok);
    subprotocol.assign(subprotocol.size(), 'x');
    extension.assign(extension.size(), 'x');
  }
  ClientSelection selection;
  const Headers fields =
      plus(plus(response(), "Sec-WebSocket-Protocol", "a-subprotocol-name-that-is-longer-than-any-small-buffer"),
           "Sec-WebSocket-Extensions", "an-extension-name-that-is-longer-than-any-small-buffer");
  EXPECT_EQ(client.end(fields, selection), Result::Ok);
  EXPECT_EQ(selection.subprotocol, 1U);
  EXPECT_EQ(selection.extensions, std::vector<std::uint32_t>{0});
}

// ----------------------------------------------------------------------------------------------------------- server

Result beginServer(const Headers& fields, std::string_view subprotocol = {}, const Texts& extensions = {},
                   Pairs* out = nullptr) {
  ServerHandshake server;
  std::span<const HeaderView> headers;
  const Result result = server.begin(subprotocol, extensions, fields, headers);
  if (out != nullptr) *out = copyOf(headers);
  if (result != Result::Ok) {
    EXPECT_TRUE(headers.empty());
  }
  return result;
}

TEST(ServerHandshake, T22_T23_KnownKeysGiveTheirKnownAcceptValues) {
  constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
      {kSampleKey, kSampleAccept},                                   // RFC 6455, 1.3
      {"AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="},  // contract 7.5
      {"2onFzTWu2gdaaB2qJBVF6w==", "4VXbyKjRjv+1EdqmmujUgKvJ5jY="},  // contract 7.4
  };
  for (const auto& [key, accept] : kPairs) {
    Pairs headers;
    ASSERT_EQ(beginServer(with(request(), "Sec-WebSocket-Key", key), {}, {}, &headers), Result::Ok);
    EXPECT_EQ(headers[0], std::pair(std::string("Sec-WebSocket-Accept"), std::string(accept)));
  }
}

TEST(ServerHandshake, T22_AcceptsTheFixedHeadersOfAServerThatNegotiatedElsewhere) {
  EXPECT_EQ(beginServer({{"Connection", "Upgrade"},
                         {"Upgrade", "websocket"},
                         {"Host", ""},
                         {"Sec-WebSocket-Version", "13"},
                         {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}}),
            Result::Ok);
}

TEST(ServerHandshake, T24_WithNothingSelectedTheResponseHasThreeFields) {
  Pairs headers;
  ASSERT_EQ(beginServer(request(), {}, {}, &headers), Result::Ok);
  const Pairs expected = {
      {"Sec-WebSocket-Accept", std::string(kSampleAccept)}, {"Connection", "Upgrade"}, {"Upgrade", "websocket"}};
  EXPECT_EQ(headers, expected);
}

TEST(ServerHandshake, WhatWasSelectedFollowsTheThreeFields) {
  Pairs headers;
  const Headers fields =
      plus(plus(plus(request(), "Sec-WebSocket-Protocol", "chat"), "Sec-WebSocket-Protocol", "x, json"),
           "Sec-WebSocket-Extensions", "a; x=\"1,2\", Permessage-Deflate; y");
  ASSERT_EQ(beginServer(fields, "json", {"permessage-deflate; server_no_context_takeover", "a"}, &headers), Result::Ok);
  ASSERT_EQ(headers.size(), 5U);
  EXPECT_EQ(headers[3], std::pair(std::string("Sec-WebSocket-Protocol"), std::string("json")));
  EXPECT_EQ(headers[4], std::pair(std::string("Sec-WebSocket-Extensions"),
                                  std::string("permessage-deflate; server_no_context_takeover, a")));
}

TEST(ServerHandshake, T25_NamesAndTokensCompareWithoutCase) {
  EXPECT_EQ(beginServer({{"host", "h"},
                         {"connection", "keep-alive, Upgrade"},
                         {"upgrade", "h2c, WebSocket"},
                         {"sec-websocket-key", " dGhlIHNhbXBsZSBub25jZQ==\t"},
                         {"sec-websocket-version", " 13 "}}),
            Result::Ok);
}

TEST(ServerHandshake, T26_T27_MalformedRequestsAreRefused) {
  struct Case {
    const char* what;
    Headers fields;
  };
  const Case cases[] = {
      {"nothing", {}},
      {"no Host", without(request(), "Host")},
      {"no Upgrade", without(request(), "Upgrade")},
      {"another Upgrade", with(request(), "Upgrade", "h2c")},
      {"no Connection", without(request(), "Connection")},
      {"Connection without upgrade", with(request(), "Connection", "keep-alive")},
      {"no Version", without(request(), "Sec-WebSocket-Version")},
      {"two Version fields", plus(request(), "Sec-WebSocket-Version", "13")},
      {"no Key", without(request(), "Sec-WebSocket-Key")},
      {"an empty Key", with(request(), "Sec-WebSocket-Key", "")},
      {"no base64", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ!==")},
      {"base64 of 15 bytes", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j")},
      {"base64 of 17 bytes", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWU=")},
      {"base64 of 18 bytes", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZWVl")},
      {"base64 of 16 bytes without padding", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ")},
      {"padding inside", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j=Q==")},
      {"three characters of padding", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ===")},
      {"a blank inside", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBs SBub25jZQ==")},
      {"a NUL inside", with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBs\0SBub25jZQ=="sv)},
      {"two Key fields", plus(request(), "Sec-WebSocket-Key", kSampleKey)},
  };
  for (const Case& item : cases) EXPECT_EQ(beginServer(item.fields), Result::InvalidFormat) << item.what;
}

TEST(ServerHandshake, AKeyWhoseUnusedBitsAreSetIsAccepted) {
  EXPECT_EQ(beginServer(with(request(), "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR==")), Result::Ok);
}

TEST(ServerHandshake, T28_AnotherVersionHasItsOwnResult) {
  for (const std::string_view version : {"8", "0", "", "14", "013", "13, 8", "130", "-13"}) {
    EXPECT_EQ(beginServer(with(request(), "Sec-WebSocket-Version", version)), Result::VersionNotSupported) << version;
  }
}

TEST(ServerHandshake, T29_OtherFieldsAreIgnored) {
  Headers fields = plus(plus(request(), "Cookie", "a=1, b=2"), "Origin", "http://example.com");
  for (int i = 0; i < 60; ++i) fields.insert(fields.begin(), {"X-Field", "\"value, "});
  EXPECT_EQ(beginServer(fields), Result::Ok);
}

TEST(ServerHandshake, T30_ASubprotocolMustHaveBeenOffered) {
  EXPECT_EQ(beginServer(request(), "chat"), Result::SubprotocolNotSupported);
  const Headers fields = plus(request(), "Sec-WebSocket-Protocol", "chat, json");
  for (const std::string_view selected : {"xml", "CHAT", "cha", "chat, json", " chat"}) {
    EXPECT_EQ(beginServer(fields, selected), Result::SubprotocolNotSupported) << selected;
  }
  EXPECT_EQ(beginServer(fields, "chat"), Result::Ok);
}

TEST(ServerHandshake, T31_T32_NoSubprotocolNeedBeSelected) {
  Pairs headers;
  ASSERT_EQ(beginServer(plus(request(), "Sec-WebSocket-Protocol", "chat"), "", {}, &headers), Result::Ok);
  EXPECT_EQ(headers.size(), 3U);
}

TEST(ServerHandshake, AnExtensionMustHaveBeenOffered) {
  EXPECT_EQ(beginServer(request(), {}, {"a"}), Result::ExtensionsNotSupported);
  const Headers fields = plus(request(), "Sec-WebSocket-Extensions", "a; x=b, c");
  EXPECT_EQ(beginServer(fields, {}, {"a", "b"}), Result::ExtensionsNotSupported);
  EXPECT_EQ(beginServer(fields, {}, {"c", "a; y"}), Result::Ok);
}

TEST(ServerHandshake, NothingThatCouldEndAHeaderLineIsReturned) {
  const std::string_view hostile = "a\r\nSet-Cookie: x=1";
  const Headers fields = plus(plus(request(), "Sec-WebSocket-Protocol", hostile), "Sec-WebSocket-Extensions", hostile);
  EXPECT_EQ(beginServer(fields, hostile), Result::InvalidArgument);
  EXPECT_EQ(beginServer(fields, {}, {hostile}), Result::InvalidArgument);
  EXPECT_EQ(beginServer(fields, {}, {"a; x\r\nSet-Cookie: x=1"}), Result::InvalidArgument);
  EXPECT_EQ(beginServer(fields, "a\0b"sv), Result::InvalidArgument);
  EXPECT_EQ(beginServer(fields, {}, {""}), Result::InvalidArgument);
}

TEST(ServerHandshake, AFailedBeginCanBeRepeated) {
  ServerHandshake server;
  std::span<const HeaderView> headers;
  EXPECT_EQ(server.begin({}, {}, {}, headers), Result::InvalidFormat);
  EXPECT_EQ(server.begin({}, {}, request(), headers), Result::Ok);
  EXPECT_EQ(headers.size(), 3U);
}

TEST(ServerHandshake, SelectionsAreCopied) {
  ServerHandshake server;
  std::span<const HeaderView> headers;
  {
    std::string subprotocol = "a-subprotocol-name-that-is-longer-than-any-small-buffer";
    const std::string offers = subprotocol;
    const Headers fields = plus(request(), "Sec-WebSocket-Protocol", offers);
    ASSERT_EQ(server.begin(subprotocol, {}, fields, headers), Result::Ok);
    subprotocol.assign(subprotocol.size(), 'x');
  }
  ASSERT_EQ(headers.size(), 4U);
  EXPECT_EQ(headers[3].value, "a-subprotocol-name-that-is-longer-than-any-small-buffer");
}

TEST(ClientAndServerHandshake, T33_UnderstandEachOther) {
  ClientHandshake client;
  ServerHandshake server;
  std::span<const HeaderView> requested;
  const Texts subprotocols = {"chat", "json"};
  const Texts extensions = {"a", "b; x=1"};
  ASSERT_EQ(client.begin(subprotocols, extensions, systemRandom(), requested), Result::Ok);
  Headers fields(requested.begin(), requested.end());
  fields.push_back({"Host", "localhost"});
  std::span<const HeaderView> answered;
  const Texts selected = {"b; x=2"};
  ASSERT_EQ(server.begin("json", selected, fields, answered), Result::Ok);
  ClientSelection selection;
  ASSERT_EQ(client.end(answered, selection), Result::Ok);
  EXPECT_EQ(selection.subprotocol, 1U);
  EXPECT_EQ(selection.extensions, std::vector<std::uint32_t>{1});
}

}  // namespace
}  // namespace websocket
