#include "reference_reader.h"

#include "reference_utf8.h"

namespace websocket::fuzz {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kInvalidPayload = 1007;
constexpr std::uint16_t kPolicyViolation = 1008;
constexpr std::uint16_t kTooBig = 1009;

void unmask(Bytes& payload, const std::uint8_t* key) {
  std::size_t i = 0;
  for (std::uint8_t& byte : payload) {
    byte = static_cast<std::uint8_t>(byte ^ key[i++ % 4]);
  }
}

struct Header {
  unsigned firstByte = 0;
  bool masked = false;
  std::uint64_t length = 0;
  std::uint8_t key[4] = {};
  std::size_t size = 0;  // bytes of the header; 0: the stream ends in it

  unsigned opcode() const { return firstByte & 15; }
  bool fin() const { return firstByte >= 128; }
  bool control() const { return opcode() >= 8; }
};

class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, const ReaderRules& rules) : bytes_(bytes), rules_(rules) {}

  ReadStream run() {
    while (out_.fault == S_OK && !closed_ && readFrame()) {
    }
    return std::move(out_);
  }

 private:
  void fail(HRESULT result, std::uint16_t status) {
    out_.fault = result;
    out_.faultStatus = status;
  }
  void malformed() { fail(E_INVALID_PROTOCOL_FORMAT, kProtocolError); }

  // Judges as much of a header as there is.
  Header readHeader() {
    Header header;
    if (bytes_.empty()) {
      return header;
    }
    header.firstByte = bytes_[0];
    const unsigned opcode = header.opcode();
    const bool rsv = (header.firstByte & 0x70) != 0;
    if (rsv && (!rules_.rsvAllowed || header.control())) {
      malformed();
    } else if ((opcode > 2 && opcode < 8) || opcode > 10) {
      malformed();
    } else if (header.control() ? !header.fin() : false) {
      malformed();
    } else if (!header.control() && (opcode == 0) != open_) {
      fail(E_INVALID_PROTOCOL_OPERATION, kProtocolError);
    }
    if (out_.fault != S_OK || bytes_.size() < 2) {
      return header;
    }
    header.masked = bytes_[1] >= 128;
    const unsigned shortLength = bytes_[1] & 127;
    if (rules_.server ? (!header.masked && !rules_.unmaskedAllowed) : header.masked) {
      malformed();
    } else if (header.control() && shortLength > 125) {
      malformed();
    }
    const std::size_t extra = shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0;
    if (out_.fault != S_OK || bytes_.size() < 2 + extra) {
      return header;
    }
    header.length = extra == 0 ? shortLength : 0;
    for (std::size_t i = 0; i < extra; ++i) {
      header.length = header.length * 256 + bytes_[2 + i];
    }
    const std::uint64_t smallest = extra == 2 ? 126 : extra == 8 ? 65536 : 0;
    if (header.length < smallest || header.length > 0x7FFFFFFFFFFFFFFF) {
      malformed();
    } else if (!header.control() && rules_.maxFrameSize != 0 && header.length > rules_.maxFrameSize) {
      fail(E_INVALID_PROTOCOL_FORMAT, kTooBig);
    }
    const std::size_t size = 2 + extra + (header.masked ? 4 : 0);
    if (out_.fault != S_OK || bytes_.size() < size) {
      return header;
    }
    for (std::size_t i = 0; header.masked && i < 4; ++i) {
      header.key[i] = bytes_[2 + extra + i];
    }
    header.size = size;
    return header;
  }

  // False: the stream ends in this frame.
  bool readFrame() {
    const Header header = readHeader();
    if (out_.fault != S_OK || header.size == 0) {
      return false;
    }
    if (!header.control() && !beginDataFrame(header)) {
      return false;
    }
    bytes_ = bytes_.subspan(header.size);
    Bytes payload;
    const bool whole = bytes_.size() >= header.length;
    const std::size_t count = whole ? static_cast<std::size_t>(header.length) : bytes_.size();
    payload.assign(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count));
    unmask(payload, header.key);
    bytes_ = bytes_.subspan(count);
    if (header.control()) {
      if (whole) {
        endControlFrame(header, payload);
      }
      return whole;
    }
    out_.partial.insert(out_.partial.end(), payload.begin(), payload.end());
    const bool verify = text_ && rules_.verifyUtf8;
    if (verify && !utf8_.feed(payload)) {
      fail(E_INVALID_PROTOCOL_FORMAT, kInvalidPayload);
      return false;
    }
    if (whole && header.fin()) {
      if (verify && !utf8_.complete()) {
        fail(E_INVALID_PROTOCOL_FORMAT, kInvalidPayload);
        return false;
      }
      out_.events.push_back({EventKind::Message, type_, std::move(out_.partial), 0});
      out_.partial.clear();
    }
    return whole;
  }

  bool beginDataFrame(const Header& header) {
    if (header.opcode() != 0) {
      const bool custom = (header.firstByte & 0x70) != 0;
      text_ = header.opcode() == 1 && !custom;
      type_ = custom                 ? (header.firstByte | 0x80U) << 1
              : header.opcode() == 1 ? static_cast<std::uint32_t>(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE)
                                     : static_cast<std::uint32_t>(WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE);
      fragments_ = 0;
      messageSize_ = 0;
      utf8_ = {};
    }
    open_ = !header.fin();
    ++fragments_;
    if (rules_.maxFragments != 0 && fragments_ > rules_.maxFragments) {
      fail(E_INVALID_PROTOCOL_FORMAT, kPolicyViolation);
      return false;
    }
    messageSize_ += header.length;  // cannot overflow: a frame before this one ended, and its bytes were there
    if (rules_.maxMessageSize != 0 && messageSize_ > rules_.maxMessageSize) {
      fail(E_INVALID_PROTOCOL_FORMAT, kTooBig);
      return false;
    }
    return true;
  }

  void endControlFrame(const Header& header, Bytes& payload) {
    if (header.opcode() != 8) {
      out_.events.push_back({header.opcode() == 9 ? EventKind::Ping : EventKind::Pong, 0, std::move(payload), 0});
      return;
    }
    if (payload.empty()) {
      out_.events.push_back({EventKind::Close, 0, {}, 1005});
      closed_ = true;
      return;
    }
    const unsigned status = payload.size() < 2 ? 0 : payload[0] * 256U + payload[1];
    const bool registered = (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014);
    if (!registered && (status < 3000 || (rules_.strictCloseCodes && status > 4999))) {
      malformed();
      return;
    }
    payload.erase(payload.begin(), payload.begin() + 2);
    ReferenceUtf8 reason;
    reason.feed(payload);
    if (rules_.verifyUtf8 && !reason.complete()) {
      fail(E_INVALID_PROTOCOL_FORMAT, kInvalidPayload);
      return;
    }
    out_.events.push_back({EventKind::Close, 0, std::move(payload), static_cast<std::uint16_t>(status)});
    closed_ = true;
  }

  std::span<const std::uint8_t> bytes_;
  const ReaderRules& rules_;
  ReadStream out_;
  bool open_ = false;
  bool text_ = false;
  bool closed_ = false;
  std::uint32_t type_ = 0;
  std::uint32_t fragments_ = 0;
  std::uint64_t messageSize_ = 0;
  ReferenceUtf8 utf8_;
};

}  // namespace

ReadStream readStream(std::span<const std::uint8_t> bytes, const ReaderRules& rules) {
  return Reader(bytes, rules).run();
}

std::optional<Frame> takeFrame(std::span<const std::uint8_t>& bytes) {
  if (bytes.size() < 2) {
    return std::nullopt;
  }
  Frame frame{bytes[0], bytes[1] >= 128, {}};
  std::uint64_t length = bytes[1] & 127;
  std::size_t size = 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U);
  const std::size_t keyAt = size;
  size += frame.masked ? 4 : 0;
  if (bytes.size() < size) {
    return std::nullopt;
  }
  if (keyAt > 2) {
    length = 0;
    for (std::size_t i = 2; i < keyAt; ++i) {
      length = length * 256 + bytes[i];
    }
  }
  if (bytes.size() - size < length) {
    return std::nullopt;
  }
  frame.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(size),
                       bytes.begin() + static_cast<std::ptrdiff_t>(size + length));
  if (frame.masked) {
    unmask(frame.payload, &bytes[keyAt]);
  }
  bytes = bytes.subspan(size + static_cast<std::size_t>(length));
  return frame;
}

}  // namespace websocket::fuzz
