// The lookup algorithm of Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2021), written
// once for all instruction sets. A file includes it after it has defined `Vector`, a register of bytes, and switched
// its instruction set on; everything here is local to that file.
//
// The idea: whether a byte may follow another depends on three half bytes only, both of the first and the upper of the
// second. Each kind of error has a bit; three tables of sixteen entries say which errors each half byte allows, and the
// AND of the three lookups leaves those that happened. Which bytes must be third and fourth of a code point is not seen
// from pairs; those come out as "two continuations" and are compared with what the leads before ask for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "utf8_kernels.h"

namespace websocket::utf8 {
namespace {

using Table = std::array<std::uint8_t, 16>;

// The values of a half byte for which an error is possible: bit n for value n.
using HalfBytes = std::uint16_t;

constexpr HalfBytes range(int first, int last) {
  return static_cast<HalfBytes>(((1U << (last + 1)) - 1) & ~((1U << first) - 1));
}

constexpr HalfBytes kAny = range(0x0, 0xF);
constexpr HalfBytes kAscii = range(0x0, 0x7);         // upper half of 0xxxxxxx
constexpr HalfBytes kContinuation = range(0x8, 0xB);  // of 10xxxxxx
constexpr HalfBytes kLead = range(0xC, 0xF);          // of 11xxxxxx

struct PairError {
  HalfBytes firstUpper;
  HalfBytes firstLower;
  HalfBytes secondUpper;
};

// Index: the bit of the error. The last one, 0x80, is no error where a third or fourth byte is due.
constexpr std::array<PairError, 8> kPairErrors = {{
    {kLead, kAny, kAscii | kLead},                                          // code point cut short
    {kAscii, kAny, kContinuation},                                          // continuation without a lead
    {range(0xC, 0xC), range(0x0, 0x1), kContinuation},                      // C0, C1: overlong form of two bytes
    {range(0xE, 0xE), range(0x0, 0x0), range(0x8, 0x9)},                    // E0 80 to E0 9F: overlong form of three
    {range(0xE, 0xE), range(0xD, 0xD), range(0xA, 0xB)},                    // ED A0 to ED BF: surrogate
    {range(0xF, 0xF), range(0x4, 0xF), range(0x9, 0xB)},                    // F4 90 and up: above U+10FFFF
    {range(0xF, 0xF), range(0x0, 0x0) | range(0x5, 0xF), range(0x8, 0x8)},  // F0 8x: overlong; F5 and up: too large
    {kContinuation, kAny, kContinuation},                                   // two continuations
}};

constexpr Table tableOf(HalfBytes PairError::*half) {
  Table table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    unsigned errors = 0;
    for (std::size_t bit = 0; bit < kPairErrors.size(); ++bit) {
      errors |= ((kPairErrors[bit].*half >> value) & 1U) << bit;
    }
    table[value] = static_cast<std::uint8_t>(errors);
  }
  return table;
}

constexpr Table kFirstUpper = tableOf(&PairError::firstUpper);
constexpr Table kFirstLower = tableOf(&PairError::firstLower);
constexpr Table kSecondUpper = tableOf(&PairError::secondUpper);

// A non-zero byte for each error of `bytes`, which follow `before`.
Vector errorsOf(Vector bytes, Vector before) {
  const Vector one = bytes.shiftedIn<1>(before);  // at each place the byte before it
  const Vector two = bytes.shiftedIn<2>(before);
  const Vector three = bytes.shiftedIn<3>(before);
  const Vector pairs = one.upperHalves().lookup(kFirstUpper) & one.lowerHalves().lookup(kFirstLower) &
                       bytes.upperHalves().lookup(kSecondUpper);
  // The top bit where a lead two or three places before asks for a continuation here.
  const Vector due = (two.minusSaturated(0xE0 - 0x80) | three.minusSaturated(0xF0 - 0x80)) & Vector::filled(0x80);
  return pairs ^ due;
}

constexpr std::size_t kVectors = kBlockSize / Vector::kSize;

bool validateBlocks(const std::uint8_t* text, std::size_t blocks) {
  Vector errors = Vector::filled(0);
  Vector before = Vector::filled(0);  // the last vector of the block before
  for (; blocks > 0; --blocks, text += kBlockSize) {
    std::array<Vector, kVectors> vectors;
    Vector all = Vector::filled(0);
    for (std::size_t i = 0; i < kVectors; ++i) {
      vectors[i] = Vector::load(text + i * Vector::kSize);
      all = all | vectors[i];
    }
    if (all.isAscii()) {
      // Only the first bytes can be wrong: when a code point of the block before is unfinished.
      if (!before.isAscii()) errors = errors | errorsOf(vectors[0], before);
    } else {
      for (std::size_t i = 0; i < kVectors; ++i) {
        errors = errors | errorsOf(vectors[i], before);
        before = vectors[i];
      }
    }
    before = vectors[kVectors - 1];
  }
  return errors.isZero();
}

}  // namespace
}  // namespace websocket::utf8
