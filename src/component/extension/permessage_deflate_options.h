// The settings of permessage-deflate, shared by the sessions of one server or of one kind of client.
#pragma once

#include <cstdint>
#include <memory>

#include "extension/deflate_pool.h"
#include "extension/deflater.h"
#include "extension/permessage_deflate.h"

namespace websocket {

struct PermessageDeflateOptions {
  DeflateNegotiation negotiation;
  DeflaterSettings deflater;          // of what is sent; windowBits is replaced by what was agreed
  std::shared_ptr<DeflatePool> pool;  // never null
  std::uint32_t threshold = 0;        // bytes; see Compression::FromThreshold
};

}  // namespace websocket
