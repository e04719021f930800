// The settings of a session: the documented properties (contract, section 6), then the additions, each off by default.
// Set before the session is made and shared by many sessions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace websocket {

struct PermessageDeflateOptions;
class RandomSource;
class ReceivePool;

// Whether send() keeps a reference to the payload or copies it.
enum class Payload : std::uint8_t { Reference, Copy };

// Whether send() compresses a message, when permessage-deflate was negotiated. A message's first frame decides.
enum class Compression : std::uint8_t {
  Off,
  On,
  FromThreshold,  // with context takeover; else messages whose first frame has PermessageDeflateOptions::threshold
                  // bytes
  Done,           // the payload is a whole message that a DeflateJob compressed; see Session
};

// Bytes that an allocated buffer must have beyond the two buffer sizes (contract 6.2): room for one ping reply.
inline constexpr std::uint32_t kBufferOverhead = 144;

struct SessionOptions {
  std::uint32_t receiveBufferSize = 4096;   // bytes, at least 256
  std::uint32_t sendBufferSize = 4096;      // bytes, at least 16; a server's default is 16
  bool disableMasking = false;              // client: zero key; server: unmasked frames pass
  bool disableUtf8Verification = false;     // received text and close reasons
  std::span<std::uint8_t> allocatedBuffer;  // the application's; used until the session is gone

  // Additions.
  std::uint64_t maxMessageSize = 0;           // payload bytes of a received message; 0: no limit; fault 1009
  std::uint64_t maxFrameSize = 0;             // payload bytes of a received frame; 0: no limit; fault 1009
  std::uint32_t maxFragments = 0;             // frames of a received message; 0: no limit; fault 1008
  bool gather = false;                        // one send action carries many frames; control frames overtake data (R7)
  bool autoCloseEcho = false;                 // answer a Close frame with its own status and reason
  bool autoPong = true;                       // answer pings
  bool indicatePings = false;                 // a received ping completes a receive (R9)
  bool indicateUnsolicitedPongs = false;      // a pong without a ping completes a receive
  bool strictCloseCodes = false;              // only 1000-1003, 1007-1014, 3000-4999, in both directions
  bool controlFirst = false;                  // pings and pongs go before data frames that have not started
  bool coalesceSends = false;                 // a server's small sends share an action in the send buffer (R8)
  ReceivePool* pool = nullptr;                // network reads go to buffers shared by many sessions (R6)
  RandomSource* random = nullptr;             // nullptr: OpenSSL's generator
  std::shared_ptr<RandomSource> ownedRandom;  // what random points at, when the options have to keep it
  // Negotiates permessage-deflate (R10); null: off. Not with an allocated buffer.
  std::shared_ptr<const PermessageDeflateOptions> permessageDeflate;
};

}  // namespace websocket
