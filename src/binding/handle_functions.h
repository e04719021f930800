// The functions behind the methods of a WebSocketHandle: their names, and what an error tells its reader is allowed.
#pragma once

namespace websocket::binding {

struct Function {
  const char* name;
  const char* arguments;  // said with E_INVALIDARG
  const char* states;     // said with E_INVALID_PROTOCOL_OPERATION
};

inline constexpr const char* kAnyState = "not allowed in this state";
inline constexpr const char* kProperties =
    "properties are RECEIVE_BUFFER_SIZE (256 to 2147483647), SEND_BUFFER_SIZE (16 to 2147483647), DISABLE_MASKING, "
    "DISABLE_UTF8_VERIFICATION and those of websocket_ext.h";

inline constexpr Function kCreateClientHandle = {"WebSocketCreateClientHandle", kProperties, kAnyState};
inline constexpr Function kCreateServerHandle = {"WebSocketCreateServerHandle", kProperties, kAnyState};
inline constexpr Function kBeginClientHandshake = {
    "WebSocketBeginClientHandshake",
    "a client handle is needed; subprotocols are tokens that differ, and extensions begin with a token",
    "a handshake can be begun once, on a new handle"};
inline constexpr Function kEndClientHandshake = {"WebSocketEndClientHandshake", "a client handle is needed",
                                                 "beginClientHandshake comes first, and the handshake ends once"};
inline constexpr Function kBeginServerHandshake = {"WebSocketBeginServerHandshake", "a server handle is needed",
                                                   "a handshake can be begun once, on a new handle"};
inline constexpr Function kEndServerHandshake = {
    "WebSocketEndServerHandshake", "a server handle is needed",
    "beginServerHandshake comes first, and the handle must not be aborted"};
inline constexpr Function kOpenWithoutHandshake = {"WebSocketOpenWithoutHandshake", "a new handle is needed",
                                                   "allowed on a new handle only"};
inline constexpr Function kSend = {
    "WebSocketSend",
    "type is one of WEB_SOCKET_BUFFER_TYPE (PING is for receiving only) or a custom frame type; data needs a buffer, "
    "PING_PONG and UNSOLICITED_PONG take none (sendControl has a payload); a CLOSE has a status of 1000 to 65535 "
    "except 1004, 1006 and 1015 (strict: 1000 to 1003, 1007 to 1014, 3000 to 4999), or 0 or 1005 without a reason, and "
    "a reason of at most 123 bytes",
    "the handle must be open and not aborted; after a CLOSE only pings and pongs can be sent; all fragments of a "
    "message "
    "have its type; custom frame types with RSV bits need a negotiated extension"};
inline constexpr Function kSendControl = {"WebSocketSendControl",
                                          "type is PING_PONG or UNSOLICITED_PONG, and a payload has at most 125 bytes",
                                          "the handle must be open and not aborted"};
inline constexpr Function kReceive = {
    "WebSocketReceive", "a buffer must not be empty",
    "the handle must be open and not aborted, its peer must not have broken the protocol, and no CLOSE was received"};
inline constexpr Function kInjectReceivedBytes = {"WebSocketInjectReceivedBytes", "bytes are needed",
                                                  "the handle must be open"};
inline constexpr Function kGetAction = {
    "WebSocketGetAction", "queue is SEND_ACTION_QUEUE (1), RECEIVE_ACTION_QUEUE (2) or ALL_ACTION_QUEUE (3)",
    "the handle must be open: end its handshake first"};
inline constexpr Function kGetFault = {"WebSocketGetFault", "a handle is needed", kAnyState};
inline constexpr Function kGetGlobalProperty = {
    "WebSocketGetGlobalProperty",
    "the global properties are KEEPALIVE_INTERVAL_PROPERTY_TYPE (5) and SUPPORTED_VERSIONS_PROPERTY_TYPE (6)",
    kAnyState};

}  // namespace websocket::binding
