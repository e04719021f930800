// Frame headers: how they are written, and read back at any split; what a header alone can break.
#include "frame_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace websocket {
namespace {

using std::string_literals::operator""s;
using Status = FrameReader::Status;

std::vector<std::uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

struct Outcome {
  Status status = Status::NeedMore;
  FaultKind fault = FaultKind::None;
  std::size_t taken = 0;  // bytes that were looked at when the outcome was known
};

// Feeds one byte at a time.
Outcome readBytewise(const std::string& wire, const FrameRules& rules, bool messageOpen = false) {
  FrameReader reader;
  Outcome outcome;
  for (std::uint8_t byte : bytesOf(wire)) {
    ++outcome.taken;
    std::span<std::uint8_t> input(&byte, 1);
    outcome.status = reader.read(input, rules, messageOpen);
    outcome.fault = reader.fault();
    if (outcome.status != Status::NeedMore) {
      break;
    }
  }
  return outcome;
}

TEST(FrameReader, ReadsBackEveryHeaderThatTheWriterMakesAtEverySplit) {
  constexpr MaskKey kKey = {0x37, 0xFA, 0x21, 0x3D};
  for (const std::uint64_t length : {0ULL, 1ULL, 125ULL, 126ULL, 65535ULL, 65536ULL, 0x7FFFFFFFFFFFFFFFULL}) {
    for (const bool masked : {false, true}) {
      std::array<std::uint8_t, kMaxFrameHeaderSize> wire{};
      const std::size_t size = writeFrameHeader(wire.data(), 0x82, length, masked ? &kKey : nullptr);
      EXPECT_EQ(size, frameHeaderSize(length, masked));
      for (std::size_t split = 0; split <= size; ++split) {
        FrameReader reader;
        std::span<std::uint8_t> first(wire.data(), split);
        if (split < size) {
          ASSERT_EQ(reader.read(first, {}, false), Status::NeedMore);
          EXPECT_EQ(reader.midHeader(), split != 0);
        }
        std::span<std::uint8_t> rest = split < size ? std::span(wire).subspan(split) : std::span(wire).first(size);
        ASSERT_EQ(reader.read(rest, {}, false), Status::Complete) << length << " split at " << split;
        EXPECT_EQ(reader.header().length, length);
        EXPECT_EQ(reader.header().masked, masked);
        EXPECT_EQ(reader.header().firstByte, 0x82);
        if (masked) {
          EXPECT_EQ(reader.header().key, kKey);
        }
        EXPECT_EQ(rest.size(), split < size ? wire.size() - size : 0) << "takes no byte of the payload";
      }
    }
  }
}

TEST(FrameReader, ReportsAWrongByteAsSoonAsItIsThere) {
  const FrameRules fromClient{.mustBeMasked = true};
  const FrameRules fromServer{.mustNotBeMasked = true};
  const FrameRules limited{.maxLength = 1000};
  struct Case {
    const char* name;
    std::string wire;
    FrameRules rules;
    bool messageOpen;
    FaultKind fault;
    std::size_t taken;
  };
  const std::vector<Case> cases = {
      {"RSV1", "\xC1", {}, false, FaultKind::Rsv1Set, 1},
      {"RSV2", "\xA1", {}, false, FaultKind::Rsv2Or3Set, 1},
      {"RSV3", "\x91", {}, false, FaultKind::Rsv2Or3Set, 1},
      {"RSV1 of a control frame", "\xC9", {.rsvAllowed = true}, false, FaultKind::Rsv1Set, 1},
      {"opcode 3", "\x83", {}, false, FaultKind::UnknownOpcode, 1},
      {"opcode 7", "\x87", {}, false, FaultKind::UnknownOpcode, 1},
      {"opcode 11", "\x8B", {}, false, FaultKind::UnknownOpcode, 1},
      {"opcode 15", "\x8F", {}, false, FaultKind::UnknownOpcode, 1},
      {"fragmented ping", "\x09", {}, false, FaultKind::FragmentedControlFrame, 1},
      {"fragmented close", "\x08", {}, false, FaultKind::FragmentedControlFrame, 1},
      {"continuation first", "\x80", {}, false, FaultKind::UnexpectedContinuation, 1},
      {"text inside a message", "\x81", {}, true, FaultKind::ExpectedContinuation, 1},
      {"binary inside a message", "\x02", {}, true, FaultKind::ExpectedContinuation, 1},
      {"unmasked", "\x81\x05", fromClient, false, FaultKind::UnmaskedFrame, 2},
      {"masked", "\x81\x85", fromServer, false, FaultKind::MaskedFrame, 2},
      {"ping of 126 bytes", "\x89\x7E", {}, false, FaultKind::ControlFrameTooLong, 2},
      {"close of 2^16 bytes", "\x88\x7F", {}, false, FaultKind::ControlFrameTooLong, 2},
      {"125 in 16 bits", "\x82\x7E\x00\x7D"s, {}, false, FaultKind::NonMinimalLength, 4},
      {"65535 in 64 bits", "\x82\x7F\0\0\0\0\0\0\xFF\xFF"s, {}, false, FaultKind::NonMinimalLength, 10},
      {"2^63", "\x82\x7F\x80\0\0\0\0\0\0\0"s, {}, false, FaultKind::LengthTooLarge, 10},
      {"over the limit", "\x82\x7E\x03\xE9"s, limited, false, FaultKind::FrameTooBig, 4},
  };
  for (const Case& test : cases) {
    const Outcome outcome = readBytewise(test.wire, test.rules, test.messageOpen);
    EXPECT_EQ(outcome.status, Status::Fault) << test.name;
    EXPECT_EQ(outcome.fault, test.fault) << test.name;
    EXPECT_EQ(outcome.taken, test.taken) << test.name;
  }
}

TEST(FrameReader, AcceptsWhatTheRulesAllow) {
  EXPECT_EQ(readBytewise("\x82\x7E\x03\xE8"s, {.maxLength = 1000}).status, Status::Complete);
  EXPECT_EQ(readBytewise("\xC1\x00"s, {.rsvAllowed = true}).status, Status::Complete);
  EXPECT_EQ(readBytewise("\x89\x7D", {.maxLength = 10}, true).status, Status::Complete) << "control frames are small";
  EXPECT_EQ(readBytewise("\x80\x00"s, {}, true).status, Status::Complete);
  EXPECT_EQ(readBytewise("\x82\x80\x01\x02\x03\x04", {.mustBeMasked = true}).status, Status::Complete);
}

TEST(FrameReader, ReadsASmallWholeMessageAtOnceAsItWouldStepByStep) {
  const std::vector<FrameRules> allRules = {
      {}, {.mustBeMasked = true}, {.mustNotBeMasked = true}, {.rsvAllowed = true}, {.maxLength = 100}};
  std::size_t accepted = 0;
  for (unsigned first = 0; first <= 0xFF; ++first) {
    for (const unsigned second : {0U, 1U, 100U, 101U, 125U, 126U, 127U, 128U, 129U, 228U, 229U, 253U, 254U, 255U}) {
      for (const FrameRules& rules : allRules) {
        for (const bool messageOpen : {false, true}) {
          for (const std::size_t size :
               {0U, 1U, 2U, 3U, 6U, 7U, 101U, 102U, 105U, 106U, 126U, 127U, 130U, 131U, 140U}) {
            std::vector<std::uint8_t> wire(size, 0x11);
            std::copy_n(std::array{static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second)}.begin(),
                        std::min<std::size_t>(size, 2), wire.begin());
            FrameReader reader;
            std::span<std::uint8_t> rest(wire);
            const Status status = reader.read(rest, rules, messageOpen);
            const FrameHeader& header = reader.header();
            const bool isText = header.firstByte == firstByteOf(Opcode::Text, true);
            const bool isSmallMessage = status == Status::Complete && header.length < kLength16 &&
                                        rest.size() >= header.length &&
                                        (isText || header.firstByte == firstByteOf(Opcode::Binary, true));

            FrameHeader read;
            std::span<std::uint8_t> input(wire);
            ASSERT_EQ(FrameReader().readSmallMessage(input, rules, messageOpen, read), isSmallMessage)
                << first << ' ' << second << ' ' << size;
            ASSERT_EQ(input.size(), isSmallMessage ? rest.size() : size);
            if (isSmallMessage) {
              ++accepted;
              ASSERT_EQ(read.firstByte, header.firstByte);
              ASSERT_EQ(read.length, header.length);
              ASSERT_EQ(read.masked, header.masked);
              ASSERT_EQ(read.key, header.key);
            }
          }
        }
      }
    }
  }
  EXPECT_GT(accepted, 100U);
}

TEST(FrameReader, LeavesASmallMessageWhoseHeaderHasBegunToTheNextStep) {
  FrameReader reader;
  std::vector<std::uint8_t> wire = bytesOf("\x82\x01x"s);
  std::span<std::uint8_t> begun = std::span(wire).first(1);
  ASSERT_EQ(reader.read(begun, {}, false), Status::NeedMore);
  std::vector<std::uint8_t> next = bytesOf("\x81\x00"s);  // looks like a message, and is a length and a payload
  std::span<std::uint8_t> input(next);
  FrameHeader header;
  EXPECT_FALSE(reader.readSmallMessage(input, {}, false, header));
  EXPECT_EQ(input.size(), 2U);
}

}  // namespace
}  // namespace websocket
