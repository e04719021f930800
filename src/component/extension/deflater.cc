#define ZLIB_CONST  // zlib's input is const

#include "extension/deflater.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace websocket {
namespace {

// What a sync flush ends with and a message leaves out (RFC 7692, 7.2.1): length and complement of an empty stored
// block.
constexpr std::size_t kTailSize = 4;
// An empty stored block without those four bytes: an empty message (RFC 7692, 7.2.3.6).
constexpr std::uint8_t kEmptyBlock = 0;
// A first guess at the output of large input; deflate() goes on in further slices.
constexpr std::size_t kSlice = std::size_t{16} * 1024;
// zlib wants more space than this for a flush, else it writes the marker twice (zlib.h, deflate).
constexpr std::size_t kFlushSpace = 16;

// zlib takes 8 in the header of a zlib stream only, where it silently uses 9 instead. A window of 9 is legal for a
// receiver with one of 8: zlib refers to at most the window less 262 bytes (MIN_LOOKAHEAD), 250, and 256 are allowed.
int internalWindowBits(std::uint8_t windowBits) { return std::max<int>(windowBits, 9); }

// Half of the default's hash table to clear, and enough for a message of one block (deflate.c: hash_bits, lit_bufsize).
// From 6 down the hash takes in less of three bytes, and the search costs what is saved.
constexpr std::uint8_t kSmallMemLevel = 7;
constexpr std::size_t kSmallMessage = (std::size_t{1} << (kSmallMemLevel + 6)) - 1;

}  // namespace

DeflaterSettings DeflaterSettings::forMessage(std::size_t size) const {
  DeflaterSettings settings = *this;
  if (size <= kSmallMessage) {
    settings.memLevel = std::min(memLevel, kSmallMemLevel);
  }
  return settings;
}

void ByteBuffer::reserve(std::size_t capacity) {
  if (capacity <= capacity_) {
    return;
  }
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  if (size_ != 0) {
    std::memcpy(bytes.get(), bytes_.get(), size_);
  }
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void ByteBuffer::append(std::span<const std::uint8_t> bytes) {
  if (capacity_ - size_ < bytes.size()) {
    reserve(std::max(size_ + bytes.size(), 2 * capacity_));
  }
  std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

Deflater::Deflater(const DeflaterSettings& settings, ZlibMemory& memory)
    : settings_(settings), stream_(std::make_unique<z_stream_s>()) {
  stream_->zalloc = &ZlibMemory::allocate;
  stream_->zfree = &ZlibMemory::release;
  stream_->opaque = &memory;
  if (deflateInit2(stream_.get(), settings.level, Z_DEFLATED, -internalWindowBits(settings.windowBits),
                   settings.memLevel, settings.strategy) != Z_OK) {
    throw std::bad_alloc();  // the settings are valid, so that nothing else can be wrong
  }
}

Deflater::~Deflater() { deflateEnd(stream_.get()); }

void Deflater::deflate(std::span<const std::uint8_t> input, bool last, ByteBuffer& output) {
  output.resize(0);
  if (input.empty()) {  // zlib would refuse to flush twice
    if (last) {
      output.reserve(1);
      output.data()[0] = kEmptyBlock;
      output.resize(1);
    }
    return;
  }
  output.reserve(std::min(input.size() + kFlushSpace, kSlice));
  stream_->next_in = input.data();
  stream_->avail_in = static_cast<uInt>(input.size());
  do {
    if (output.capacity() - output.size() < kFlushSpace) {
      output.reserve(2 * output.capacity() + kFlushSpace);
    }
    const std::size_t space = std::min<std::size_t>(output.capacity() - output.size(), std::size_t{1} << 30);
    stream_->next_out = output.data() + output.size();
    stream_->avail_out = static_cast<uInt>(space);
    ::deflate(stream_.get(), Z_SYNC_FLUSH);  // cannot fail but for want of space
    output.resize(output.size() + space - stream_->avail_out);
  } while (stream_->avail_out == 0);
  stream_->next_in = nullptr;
  if (last) {
    output.resize(output.size() - kTailSize);
  }
}

void Deflater::reset() { deflateReset(stream_.get()); }

}  // namespace websocket
