// The C face: checks arguments, takes the handle's lock, calls Session, and lets no exception out.
#include "websocket.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <vector>

#include "global_property.h"
#include "handle.h"
#include "properties.h"
#include "session.h"

using namespace websocket;

namespace {

static_assert(sizeof(ULONG) == 4 && sizeof(BOOL) == 4 && sizeof(HRESULT) == 4 && sizeof(USHORT) == 2);
static_assert(offsetof(WEB_SOCKET_BUFFER, Data.ulBufferLength) ==
              offsetof(WEB_SOCKET_BUFFER, CloseStatus.ulReasonLength));
static_assert(static_cast<std::uint32_t>(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE) ==
              static_cast<std::uint32_t>(BufferType::Utf8Message));
static_assert(static_cast<std::uint32_t>(WEB_SOCKET_UNSOLICITED_PONG_BUFFER_TYPE) ==
              static_cast<std::uint32_t>(BufferType::UnsolicitedPong));
static_assert(WEB_SOCKET_INDICATE_RECEIVE_COMPLETE_ACTION == static_cast<int>(ActionKind::IndicateReceiveComplete));
static_assert(WEB_SOCKET_ALL_ACTION_QUEUE == static_cast<int>(ActionQueue::All));
static_assert(E_INVALID_PROTOCOL_OPERATION == static_cast<HRESULT>(Result::InvalidOperation));
static_assert(E_INVALID_PROTOCOL_FORMAT == static_cast<HRESULT>(Result::InvalidFormat));
static_assert(E_PROTOCOL_VERSION_NOT_SUPPORTED == static_cast<HRESULT>(Result::VersionNotSupported));
static_assert(E_INVALIDARG == static_cast<HRESULT>(Result::InvalidArgument));
static_assert(E_OUTOFMEMORY == static_cast<HRESULT>(Result::OutOfMemory));
static_assert(WEB_SOCKET_MAX_CLOSE_REASON_LENGTH == kMaxCloseReason);

HRESULT createHandle(Role role, const WEB_SOCKET_PROPERTY* properties, ULONG count,
                     WEB_SOCKET_HANDLE* handle) noexcept {
  if (handle == nullptr) {
    return E_INVALIDARG;
  }
  *handle = nullptr;
  if (properties == nullptr && count != 0) {
    return E_INVALIDARG;
  }
  try {
    auto options = std::make_shared<SessionOptions>();
    SharedReceivePool* pool = nullptr;
    const Result result = readProperties(role, {properties, count}, *options, pool);
    if (result == Result::Ok) {
      *handle = std::make_unique<Handle>(role, std::move(options), pool).release();
    }
    return toHresult(result);
  } catch (const std::bad_alloc&) {
    return E_OUTOFMEMORY;
  } catch (...) {
    return E_FAIL;
  }
}

bool readStrings(const PCSTR* strings, ULONG count, std::vector<std::string_view>& views) {
  if (strings == nullptr && count != 0) {
    return false;
  }
  for (const PCSTR string : std::span(strings, count)) {
    if (string == nullptr) {
      return false;
    }
    views.emplace_back(string);
  }
  return true;
}

bool readHeaders(const WEB_SOCKET_HTTP_HEADER* headers, ULONG count, std::vector<HeaderView>& views) {
  if (headers == nullptr && count != 0) {
    return false;
  }
  views.reserve(count);
  for (const WEB_SOCKET_HTTP_HEADER& header : std::span(headers, count)) {
    if ((header.pcName == nullptr && header.ulNameLength != 0) ||
        (header.pcValue == nullptr && header.ulValueLength != 0)) {
      return false;
    }
    views.push_back({{header.pcName, header.ulNameLength}, {header.pcValue, header.ulValueLength}});
  }
  return true;
}

// The callers of the API only read what these point at, but the struct's members are not const.
PCHAR mutableText(std::string_view text) { return const_cast<PCHAR>(text.data()); }

void returnHeaders(Handle& handle, std::span<const HeaderView> views, PWEB_SOCKET_HTTP_HEADER* headers, ULONG* count) {
  for (const HeaderView& view : views) {
    handle.headers.push_back({mutableText(view.name), static_cast<ULONG>(view.name.size()), mutableText(view.value),
                              static_cast<ULONG>(view.value.size())});
  }
  *headers = handle.headers.data();
  *count = static_cast<ULONG>(handle.headers.size());
}

constexpr std::size_t kMaxHandshakeHeaders = 6;

// Data frames: the buffer is required, and its memory when it has a length.
bool readData(const WEB_SOCKET_BUFFER* buffer, std::span<const std::uint8_t>& bytes) {
  if (buffer == nullptr || (buffer->Data.pbBuffer == nullptr && buffer->Data.ulBufferLength != 0)) {
    return false;
  }
  bytes = {buffer->Data.pbBuffer, buffer->Data.ulBufferLength};
  return true;
}

constexpr std::size_t kMaxGatherBuffers = 64;  // more segments than one system call takes well

// Session::getAction, and what the C face adds: handshake memory ends, references to pool buffers are counted.
template <std::size_t kCapacity>
Result getAction(Handle& handle, ActionQueue queue, std::span<WEB_SOCKET_BUFFER> out, Action& action) {
  std::array<Buffer, kCapacity> buffers;
  const std::size_t usable = std::min(out.size(), buffers.size());
  const Result result = handle.session.getAction(queue, std::span(buffers).first(usable), action);
  for (std::uint32_t i = 0; i < action.count; ++i) {
    out[i].CloseStatus = {buffers[i].data, buffers[i].length, buffers[i].closeStatus};
  }
  if (!handle.headers.empty() && handle.session.state() != State::Handshaking) {
    handle.headers = {};  // the first data function ended a server's handshake
  }
  if (handle.pool != nullptr) {
    if (action.kind == ActionKind::IndicateReceiveComplete && action.count != 0) {
      handle.pool->retain(buffers[0].data);
    }
    handle.session.endReceiveLease();
  }
  return result;
}

Result sendClose(Session& session, const WEB_SOCKET_BUFFER* buffer, PVOID context) {
  if (buffer == nullptr) {
    return session.sendClose(0, {}, context);
  }
  const auto& close = buffer->CloseStatus;
  if (close.pbReason == nullptr && close.ulReasonLength != 0) {
    return Result::InvalidArgument;
  }
  return session.sendClose(close.usStatus, {close.pbReason, close.ulReasonLength}, context);
}

}  // namespace

HRESULT WINAPI WebSocketCreateClientHandle(const WEB_SOCKET_PROPERTY* pProperties, ULONG ulPropertyCount,
                                           WEB_SOCKET_HANDLE* phWebSocket) {
  return createHandle(Role::Client, pProperties, ulPropertyCount, phWebSocket);
}

HRESULT WINAPI WebSocketCreateServerHandle(const WEB_SOCKET_PROPERTY* pProperties, ULONG ulPropertyCount,
                                           WEB_SOCKET_HANDLE* phWebSocket) {
  return createHandle(Role::Server, pProperties, ulPropertyCount, phWebSocket);
}

HRESULT WINAPI WebSocketBeginClientHandshake(WEB_SOCKET_HANDLE hWebSocket, PCSTR* pszSubprotocols,
                                             ULONG ulSubprotocolCount, PCSTR* pszExtensions, ULONG ulExtensionCount,
                                             const WEB_SOCKET_HTTP_HEADER* pInitialHeaders, ULONG ulInitialHeaderCount,
                                             PWEB_SOCKET_HTTP_HEADER* pAdditionalHeaders,
                                             ULONG* pulAdditionalHeaderCount) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::vector<std::string_view> subprotocols;
    std::vector<std::string_view> extensions;
    std::vector<HeaderView> initial;
    if (pAdditionalHeaders == nullptr || pulAdditionalHeaderCount == nullptr ||
        !readStrings(pszSubprotocols, ulSubprotocolCount, subprotocols) ||
        !readStrings(pszExtensions, ulExtensionCount, extensions) ||
        !readHeaders(pInitialHeaders, ulInitialHeaderCount, initial)) {
      return Result::InvalidArgument;
    }
    handle.headers.reserve(kMaxHandshakeHeaders);
    std::span<const HeaderView> headers;
    const Result result = handle.session.beginClientHandshake(subprotocols, extensions, headers);
    if (result == Result::Ok) {
      returnHeaders(handle, headers, pAdditionalHeaders, pulAdditionalHeaderCount);
    }
    return result;
  });
}

HRESULT WINAPI WebSocketEndClientHandshake(WEB_SOCKET_HANDLE hWebSocket, const WEB_SOCKET_HTTP_HEADER* pResponseHeaders,
                                           ULONG ulReponseHeaderCount, ULONG* pulSelectedExtensions,
                                           ULONG* pulSelectedExtensionCount, ULONG* pulSelectedSubprotocol) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::vector<HeaderView> response;
    if (!readHeaders(pResponseHeaders, ulReponseHeaderCount, response) ||
        (pulSelectedExtensions == nullptr) != (pulSelectedExtensionCount == nullptr) ||
        (pulSelectedExtensionCount != nullptr && *pulSelectedExtensionCount < handle.session.offeredExtensionCount())) {
      return Result::InvalidArgument;
    }
    ClientSelection selection;
    const Result result = handle.session.endClientHandshake(response, selection);
    if (result != Result::Ok) {
      return result;
    }
    handle.headers = {};
    if (pulSelectedExtensions != nullptr) {
      std::ranges::copy(selection.extensions, pulSelectedExtensions);
      *pulSelectedExtensionCount = static_cast<ULONG>(selection.extensions.size());
    }
    if (pulSelectedSubprotocol != nullptr && selection.subprotocol.has_value()) {
      *pulSelectedSubprotocol = *selection.subprotocol;
    }
    return result;
  });
}

HRESULT WINAPI WebSocketBeginServerHandshake(WEB_SOCKET_HANDLE hWebSocket, PCSTR pszSubprotocolSelected,
                                             PCSTR* pszExtensionSelected, ULONG ulExtensionSelectedCount,
                                             const WEB_SOCKET_HTTP_HEADER* pRequestHeaders, ULONG ulRequestHeaderCount,
                                             PWEB_SOCKET_HTTP_HEADER* pResponseHeaders, ULONG* pulResponseHeaderCount) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::vector<std::string_view> extensions;
    std::vector<HeaderView> request;
    if (pResponseHeaders == nullptr || pulResponseHeaderCount == nullptr || pRequestHeaders == nullptr ||
        !readStrings(pszExtensionSelected, ulExtensionSelectedCount, extensions) ||
        !readHeaders(pRequestHeaders, ulRequestHeaderCount, request)) {
      return Result::InvalidArgument;
    }
    handle.headers.reserve(kMaxHandshakeHeaders);
    std::span<const HeaderView> headers;
    const std::string_view subprotocol = pszSubprotocolSelected == nullptr ? "" : pszSubprotocolSelected;
    const Result result = handle.session.beginServerHandshake(subprotocol, extensions, request, headers);
    if (result == Result::Ok) {
      returnHeaders(handle, headers, pResponseHeaders, pulResponseHeaderCount);
    }
    return result;
  });
}

HRESULT WINAPI WebSocketEndServerHandshake(WEB_SOCKET_HANDLE hWebSocket) {
  return withHandle(hWebSocket, [](Handle& handle) {
    const Result result = handle.session.endServerHandshake();
    if (result == Result::Ok) {
      handle.headers = {};
    }
    return result;
  });
}

HRESULT WINAPI WebSocketSend(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER_TYPE BufferType,
                             WEB_SOCKET_BUFFER* pBuffer, PVOID Context) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    const auto type = static_cast<enum BufferType>(BufferType);
    switch (type) {
      case BufferType::PingPong:
      case BufferType::UnsolicitedPong:
        return pBuffer != nullptr ? Result::InvalidArgument : handle.session.sendControl(type, {}, Context);
      case BufferType::Close:
        return sendClose(handle.session, pBuffer, Context);
      default: {
        std::span<const std::uint8_t> payload;
        return readData(pBuffer, payload) ? handle.session.send(type, payload, Context, Payload::Reference, nullptr,
                                                                Compression::FromThreshold)
                                          : Result::InvalidArgument;
      }
    }
  });
}

HRESULT WINAPI WebSocketReceive(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER* pBuffer, PVOID pvContext) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::span<std::uint8_t> memory;
    if (pBuffer != nullptr) {
      if (pBuffer->Data.pbBuffer == nullptr || pBuffer->Data.ulBufferLength == 0) {
        return Result::InvalidArgument;
      }
      memory = {pBuffer->Data.pbBuffer, pBuffer->Data.ulBufferLength};
    }
    return handle.session.receive(memory, pvContext);
  });
}

HRESULT WINAPI WebSocketGetAction(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_ACTION_QUEUE eActionQueue,
                                  WEB_SOCKET_BUFFER* pDataBuffers, ULONG* pulDataBufferCount,
                                  WEB_SOCKET_ACTION* pAction, WEB_SOCKET_BUFFER_TYPE* pBufferType,
                                  PVOID* pvApplicationContext, PVOID* pvActionContext) {
  const bool queueIsValid = eActionQueue >= WEB_SOCKET_SEND_ACTION_QUEUE && eActionQueue <= WEB_SOCKET_ALL_ACTION_QUEUE;
  const ULONG capacity = pulDataBufferCount == nullptr ? 0 : *pulDataBufferCount;
  Action action;
  const HRESULT result = withHandle(hWebSocket, [&](Handle& handle) {
    if (!queueIsValid || pDataBuffers == nullptr || capacity == 0 || pAction == nullptr || pBufferType == nullptr ||
        pvActionContext == nullptr) {
      return Result::InvalidArgument;
    }
    const auto queue = static_cast<ActionQueue>(eActionQueue);
    return capacity <= 2 ? getAction<2>(handle, queue, {pDataBuffers, capacity}, action)
                         : getAction<kMaxGatherBuffers>(handle, queue, {pDataBuffers, capacity}, action);
  });
  if (FAILED(result)) {
    action = {};  // drivers look at the outputs even then
  }
  if (pulDataBufferCount != nullptr) {
    *pulDataBufferCount = action.count;
  }
  if (pAction != nullptr) {
    *pAction = static_cast<WEB_SOCKET_ACTION>(action.kind);
  }
  if (pBufferType != nullptr) {
    *pBufferType = static_cast<WEB_SOCKET_BUFFER_TYPE>(action.type);
  }
  if (pvApplicationContext != nullptr) {
    *pvApplicationContext = action.context;
  }
  if (pvActionContext != nullptr) {
    *pvActionContext = reinterpret_cast<PVOID>(action.id);
  }
  return result;
}

VOID WINAPI WebSocketCompleteAction(WEB_SOCKET_HANDLE hWebSocket, PVOID pvActionContext, ULONG ulBytesTransferred) {
  withHandle(hWebSocket, [&](Handle& handle) {
    handle.session.completeAction(reinterpret_cast<ActionId>(pvActionContext), ulBytesTransferred);
    handle.session.endReceiveLease();
    return Result::Ok;
  });
}

VOID WINAPI WebSocketAbortHandle(WEB_SOCKET_HANDLE hWebSocket) {
  withHandle(hWebSocket, [](Handle& handle) {
    handle.session.abort();
    return Result::Ok;
  });
}

VOID WINAPI WebSocketDeleteHandle(WEB_SOCKET_HANDLE hWebSocket) {
  const std::unique_ptr<Handle> owned(static_cast<Handle*>(hWebSocket));
}

HRESULT WINAPI WebSocketGetGlobalProperty(WEB_SOCKET_PROPERTY_TYPE eType, PVOID pvValue, ULONG* ulSize) {
  return ulSize == nullptr ? E_INVALIDARG : toHresult(readGlobalProperty(eType, pvValue, *ulSize));
}
