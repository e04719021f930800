#define ZLIB_CONST  // zlib's input is const

#include "extension/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace websocket {
namespace {

constexpr std::array<std::uint8_t, 4> kTail = {0x00, 0x00, 0xFF, 0xFF};

// z_stream::data_type after inflate(): this bit alone means that a block has ended at the end of a byte.
constexpr int kBetweenBlocks = 128;

constexpr std::size_t kMostBytes = std::numeric_limits<uInt>::max();

}  // namespace

Inflater::Inflater(std::uint8_t windowBits, ZlibMemory& memory)
    : stream_(std::make_unique<z_stream_s>()), windowBits_(windowBits) {
  stream_->zalloc = &ZlibMemory::allocate;
  stream_->zfree = &ZlibMemory::release;
  stream_->opaque = &memory;
  if (inflateInit2(stream_.get(), -static_cast<int>(windowBits)) != Z_OK) {
    throw std::bad_alloc();
  }
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

void Inflater::reset() {
  inflateReset(stream_.get());
  betweenBlocks_ = true;
  tailTaken_ = 0;
}

// Every round takes input, or gives output, or ends.
inline InflateStatus Inflater::run(std::span<const std::uint8_t>& input, std::span<std::uint8_t>& output) {
  while (true) {
    const std::size_t available = std::min(input.size(), kMostBytes);
    const std::size_t space = std::min(output.size(), kMostBytes);
    stream_->next_in = input.data();
    stream_->avail_in = static_cast<uInt>(available);
    stream_->next_out = output.data();
    stream_->avail_out = static_cast<uInt>(space);
    const int result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    input = input.subspan(available - stream_->avail_in);
    output = output.subspan(space - stream_->avail_out);
    stream_->next_in = nullptr;
    switch (result) {
      case Z_STREAM_END:
        inflateReset(stream_.get());
        betweenBlocks_ = true;
        break;
      case Z_OK:
      case Z_BUF_ERROR:  // nothing to take, or no space
        betweenBlocks_ = stream_->data_type == kBetweenBlocks;
        break;
      case Z_MEM_ERROR:
        return InflateStatus::OutOfMemory;
      default:
        return InflateStatus::Corrupt;
    }
    if (output.empty()) {
      return InflateStatus::OutputFull;
    }
    if (input.empty()) {
      return InflateStatus::Done;
    }
  }
}

InflateStatus Inflater::inflate(std::span<const std::uint8_t>& input, std::span<std::uint8_t>& output) {
  return input.empty() && betweenBlocks_ ? InflateStatus::Done : run(input, output);
}

// A message that ends between two blocks has nothing left out: it is empty, its last block was a final one with nothing
// behind it, or its sender forgot to leave the bytes out. There the four bytes would be the beginning of something
// else.
InflateStatus Inflater::finish(std::span<std::uint8_t>& output) {
  if (tailTaken_ == 0 && betweenBlocks_) {
    return InflateStatus::Done;
  }
  std::span<const std::uint8_t> rest = std::span(kTail).subspan(tailTaken_);
  const InflateStatus status = inflate(rest, output);
  tailTaken_ = static_cast<std::uint8_t>(kTail.size() - rest.size());
  if (status != InflateStatus::Done) {
    return status;
  }
  tailTaken_ = 0;
  return betweenBlocks_ ? InflateStatus::Done : InflateStatus::Corrupt;
}

std::size_t Inflater::copyWindow(std::span<std::uint8_t> memory) const {
  uInt length = 0;
  inflateGetDictionary(stream_.get(), memory.data(), &length);
  return length;
}

bool Inflater::restoreWindow(std::span<const std::uint8_t> window) {
  return window.empty() || inflateSetDictionary(stream_.get(), window.data(), static_cast<uInt>(window.size())) == Z_OK;
}

}  // namespace websocket
