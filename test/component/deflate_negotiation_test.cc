// The negotiation of permessage-deflate: RFC 7692, 7.1, as tables of offers and answers.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extension/extension_element.h"
#include "extension/permessage_deflate.h"

namespace websocket {
namespace {

constexpr std::string_view kDeclined = "(declined)";
constexpr std::string_view kBadFormat = "(bad format)";

DeflateNegotiation with(void (*change)(DeflateNegotiation&)) {
  DeflateNegotiation wanted;
  change(wanted);
  return wanted;
}

// The server's answer to one Sec-WebSocket-Extensions field; also that the parameters say the same as the text.
std::string answer(const DeflateNegotiation& wanted, std::string_view offers) {
  const HeaderView header{"sec-websocket-extensions", offers};
  std::optional<AcceptedDeflate> accepted;
  const Result result = acceptDeflate(wanted, {&header, 1}, accepted);
  if (result == Result::InvalidFormat) {
    return std::string(kBadFormat);
  }
  EXPECT_EQ(result, Result::Ok);
  if (!accepted.has_value()) {
    return std::string(kDeclined);
  }
  DeflateParameters read;
  EXPECT_EQ(readDeflateResponse({}, accepted->response, read), Result::Ok) << accepted->response;
  EXPECT_EQ(read, accepted->parameters) << accepted->response;
  EXPECT_TRUE(accepted->parameters.valid());
  return accepted->response;
}

struct Case {
  std::string_view offers;
  std::string_view answer;
};

TEST(DeflateNegotiation, AServerWithoutWishesAgreesToWhatIsOffered) {
  for (const Case& row : std::vector<Case>{
           {"permessage-deflate", "permessage-deflate"},
           {"PerMessage-Deflate", "permessage-deflate"},
           {"permessage-deflate; client_max_window_bits", "permessage-deflate"},
           {"permessage-deflate; client_max_window_bits=15", "permessage-deflate; client_max_window_bits=15"},
           {"permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"},
           {"permessage-deflate;server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"},
           {"permessage-deflate;server_max_window_bits=\"10\"", "permessage-deflate; server_max_window_bits=10"},
           {"permessage-deflate;server_max_window_bits=\"1\\1\"", "permessage-deflate; server_max_window_bits=11"},
           {"permessage-deflate ; server_no_context_takeover\t;\tclient_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
           {"x-other, permessage-deflate", "permessage-deflate"},
           {"x-other", kDeclined},
           {"", kDeclined},
           {"permessage-deflated", kDeclined},
           {"permessage-deflate; foo, permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover"},
           {"permessage-deflate; server_max_window_bits=12, permessage-deflate",
            "permessage-deflate; server_max_window_bits=12"},
       }) {
    EXPECT_EQ(answer({}, row.offers), row.answer) << row.offers;
  }
}

TEST(DeflateNegotiation, AnOfferWithWrongParametersIsDeclined) {
  for (const char* parameters : {
           "unknown",
           "unknown=1",
           "server_no_context_takeover=1",
           "server_no_context_takeover=true",
           "client_no_context_takeover=\"1\"",
           "server_no_context_takeover; server_no_context_takeover",
           "client_no_context_takeover; client_no_context_takeover",
           "server_max_window_bits",
           "server_max_window_bits=7",
           "server_max_window_bits=16",
           "server_max_window_bits=0",
           "server_max_window_bits=08",
           "server_max_window_bits=010",
           "server_max_window_bits=100",
           "server_max_window_bits=-9",
           "server_max_window_bits=+9",
           "server_max_window_bits=0x9",
           "server_max_window_bits=9.0",
           "server_max_window_bits=nine",
           "server_max_window_bits=4294967304",
           "server_max_window_bits=9; server_max_window_bits=9",
           "client_max_window_bits=7",
           "client_max_window_bits=16",
           "client_max_window_bits=09",
           "client_max_window_bits; client_max_window_bits",
           "client_max_window_bits; client_max_window_bits=10",
           "client_max_window_bits=10; client_max_window_bits",
       }) {
    EXPECT_EQ(answer({}, std::string("permessage-deflate; ") + parameters), kDeclined) << parameters;
  }
}

TEST(DeflateNegotiation, WhatBreaksTheGrammarFailsTheHandshake) {
  for (const char* offer : {
           "permessage-deflate;",
           "permessage-deflate; ;",
           "permessage-deflate; =",
           "permessage-deflate; =9",
           "permessage-deflate; server_max_window_bits=",
           "permessage-deflate; server_max_window_bits=\"\"",
           "permessage-deflate; server_max_window_bits=\"",
           "permessage-deflate; server_max_window_bits=\"9",
           "permessage-deflate; server_max_window_bits=9\"",
           "permessage-deflate; server_max_window_bits=9 9",
           "permessage-deflate; server_max_window_bits=9=9",
           "permessage-deflate; server_max_window_bits=\"9;9\"",
           "permessage-deflate; server_max_window_bits=\"9\\",
           "permessage-deflate; server_max_window_bits=\"9\\\"",
           "permessage-deflate; a b",
           "permessage-deflate; a\x01",
           "permessage-deflate; \"a\"",
           "permessage-deflate, permessage-deflate; =",
       }) {
    EXPECT_EQ(answer({}, offer), kBadFormat) << offer;
  }
}

TEST(DeflateNegotiation, AServersWishesGoIntoItsAnswer) {
  struct Row {
    void (*change)(DeflateNegotiation&);
    std::string_view offers;
    std::string_view answer;
  };
  const auto demandServer = [](DeflateNegotiation& n) { n.serverNoContextTakeover = Preference::Demand; };
  const auto refuseServer = [](DeflateNegotiation& n) { n.serverNoContextTakeover = Preference::Refuse; };
  const auto demandClient = [](DeflateNegotiation& n) { n.clientNoContextTakeover = Preference::Demand; };
  const auto refuseClient = [](DeflateNegotiation& n) { n.clientNoContextTakeover = Preference::Refuse; };
  const auto server10 = [](DeflateNegotiation& n) { n.serverMaxWindowBits = 10; };
  const auto client10 = [](DeflateNegotiation& n) { n.clientMaxWindowBits = 10; };
  const auto noServerBits = [](DeflateNegotiation& n) { n.refuseServerMaxWindowBits = true; };
  const auto noClientBits = [](DeflateNegotiation& n) { n.refuseClientMaxWindowBits = true; };
  for (const Row& row : std::vector<Row>{
           {demandServer, "permessage-deflate", "permessage-deflate; server_no_context_takeover"},
           {refuseServer, "permessage-deflate", "permessage-deflate"},
           {refuseServer, "permessage-deflate; server_no_context_takeover", kDeclined},
           {refuseServer, "permessage-deflate; server_no_context_takeover, permessage-deflate", "permessage-deflate"},
           {demandClient, "permessage-deflate", "permessage-deflate; client_no_context_takeover"},
           {refuseClient, "permessage-deflate; client_no_context_takeover", "permessage-deflate"},
           {server10, "permessage-deflate", "permessage-deflate; server_max_window_bits=10"},
           {server10, "permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"},
           {server10, "permessage-deflate; server_max_window_bits=11", "permessage-deflate; server_max_window_bits=10"},
           {client10, "permessage-deflate", kDeclined},
           {client10, "permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=10"},
           {client10, "permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9"},
           {client10, "permessage-deflate; client_max_window_bits=15", "permessage-deflate; client_max_window_bits=10"},
           {noServerBits, "permessage-deflate; server_max_window_bits=9", kDeclined},
           {noClientBits, "permessage-deflate; client_max_window_bits=9", "permessage-deflate"},
       }) {
    EXPECT_EQ(answer(with(row.change), row.offers), row.answer) << row.offers;
  }
}

TEST(DeflateNegotiation, OffersMayStandInSeveralFields) {
  const std::array<HeaderView, 3> headers = {{{"Sec-WebSocket-Extensions", "permessage-deflate; foo"},
                                              {"Host", "permessage-deflate"},
                                              {"Sec-WebSocket-Extensions", "a, permessage-deflate"}}};
  std::optional<AcceptedDeflate> accepted;
  ASSERT_EQ(acceptDeflate({}, headers, accepted), Result::Ok);
  ASSERT_TRUE(accepted.has_value());
  EXPECT_EQ(accepted->response, "permessage-deflate");
}

TEST(DeflateNegotiation, AClientOffersWhatItWishes) {
  EXPECT_EQ(offerDeflate({}), "permessage-deflate; client_max_window_bits");
  DeflateNegotiation wanted;
  wanted.serverNoContextTakeover = Preference::Demand;
  wanted.clientNoContextTakeover = Preference::Demand;
  wanted.serverMaxWindowBits = 8;
  wanted.clientMaxWindowBits = 15;
  EXPECT_EQ(offerDeflate(wanted),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; "
            "client_max_window_bits=15");
  wanted = {};
  wanted.refuseClientMaxWindowBits = true;
  wanted.clientNoContextTakeover = Preference::Refuse;
  EXPECT_EQ(offerDeflate(wanted), "permessage-deflate");
}

Result read(const DeflateNegotiation& wanted, std::string_view element, DeflateParameters& agreed) {
  return readDeflateResponse(wanted, element, agreed);
}

TEST(DeflateNegotiation, AClientReadsWhatTheServerChose) {
  DeflateParameters agreed;
  ASSERT_EQ(read({}, "permessage-deflate", agreed), Result::Ok);
  EXPECT_EQ(agreed, DeflateParameters{});
  ASSERT_EQ(read({}, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9", agreed), Result::Ok);
  EXPECT_EQ(agreed, (DeflateParameters{true, false, 9, 15}));
  ASSERT_EQ(read({}, "permessage-deflate; client_no_context_takeover; client_max_window_bits=\"8\"", agreed),
            Result::Ok);
  EXPECT_EQ(agreed, (DeflateParameters{false, true, 15, 8}));
}

TEST(DeflateNegotiation, AClientKeepsItsOwnPromisesWhateverTheServerSays) {
  DeflateNegotiation wanted;
  wanted.clientNoContextTakeover = Preference::Demand;
  wanted.clientMaxWindowBits = 11;
  wanted.serverMaxWindowBits = 11;
  wanted.serverNoContextTakeover = Preference::Demand;
  DeflateParameters agreed;
  ASSERT_EQ(read(wanted, "permessage-deflate", agreed), Result::Ok);
  EXPECT_EQ(agreed, (DeflateParameters{false, true, 15, 11})) << "and takes the server at its word";
  ASSERT_EQ(read(wanted, "permessage-deflate; client_max_window_bits=9; server_max_window_bits=8", agreed), Result::Ok);
  EXPECT_EQ(agreed, (DeflateParameters{false, true, 8, 9}));
}

TEST(DeflateNegotiation, AnAnswerThatDoesNotGoWithTheOfferFails) {
  DeflateNegotiation limited;
  limited.serverMaxWindowBits = 10;
  limited.clientMaxWindowBits = 10;
  limited.clientNoContextTakeover = Preference::Refuse;
  DeflateNegotiation withoutClientBits;
  withoutClientBits.refuseClientMaxWindowBits = true;
  struct Row {
    DeflateNegotiation wanted;
    const char* response;
    Result result;
  };
  for (const Row& row : std::vector<Row>{
           {limited, "permessage-deflate; server_max_window_bits=11", Result::ExtensionsNotSupported},
           {limited, "permessage-deflate; client_max_window_bits=11", Result::ExtensionsNotSupported},
           {limited, "permessage-deflate; client_no_context_takeover", Result::ExtensionsNotSupported},
           {withoutClientBits, "permessage-deflate; client_max_window_bits=10", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; client_max_window_bits", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; server_max_window_bits", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; server_max_window_bits=7", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; server_max_window_bits=16", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; server_no_context_takeover=1", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; foo", Result::ExtensionsNotSupported},
           {{},
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
            Result::ExtensionsNotSupported},
           {{}, "permessage-deflate; server_max_window_bits=\"\"", Result::ExtensionsNotSupported},
           {{}, "permessage-deflate;", Result::ExtensionsNotSupported},
       }) {
    DeflateParameters agreed;
    EXPECT_EQ(read(row.wanted, row.response, agreed), row.result) << row.response;
    EXPECT_EQ(agreed, DeflateParameters{}) << row.response;
  }
}

TEST(DeflateNegotiation, WishesOutsideTheirRangesAreNotValid) {
  EXPECT_TRUE(DeflateNegotiation{}.valid());
  for (const std::uint8_t bits : {std::uint8_t{1}, std::uint8_t{7}, std::uint8_t{16}, std::uint8_t{255}}) {
    DeflateNegotiation wanted;
    wanted.serverMaxWindowBits = bits;
    EXPECT_FALSE(wanted.valid());
    wanted = {};
    wanted.clientMaxWindowBits = bits;
    EXPECT_FALSE(wanted.valid());
    EXPECT_FALSE((DeflateParameters{false, false, bits, 15}).valid());
    EXPECT_FALSE((DeflateParameters{false, false, 15, bits}).valid());
  }
  EXPECT_FALSE((DeflateParameters{false, false, 0, 15}).valid());
}

TEST(ExtensionParameters, AreReadInOrder) {
  ExtensionParameters parameters("a; b ;c=1; d = \"x\" ; e=\"y\\z\"");
  std::string read;
  while (const auto parameter = parameters.next()) {
    read += std::string(parameter->name) + (parameter->hasValue ? "=" + std::string(parameter->value) : "") + " ";
  }
  EXPECT_EQ(read, "b c=1 d=x e=yz ");
  EXPECT_TRUE(parameters.wellFormed());
}

TEST(ExtensionParameters, AnElementWithoutANameIsNotWellFormed) {
  for (const char* text : {"", " ", "; a", "a b", "a/b; c"}) {
    ExtensionParameters parameters(text);
    EXPECT_FALSE(parameters.next().has_value()) << text;
    EXPECT_FALSE(parameters.wellFormed()) << text;
  }
}

}  // namespace
}  // namespace websocket
