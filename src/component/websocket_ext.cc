// The C face of the additions.
#include "websocket_ext.h"

#include <memory>
#include <new>
#include <span>

#include "extension/deflate_pool.h"
#include "handle.h"
#include "shared_receive_pool.h"

using namespace websocket;

static_assert(static_cast<std::uint32_t>(WEB_SOCKET_PING_BUFFER_TYPE) == static_cast<std::uint32_t>(BufferType::Ping));

namespace {

constexpr ULONG kMinPoolBufferSize = 256;  // as the smallest receive buffer

bool readBytes(const BYTE* bytes, ULONG length, std::span<const std::uint8_t>& view) {
  view = {bytes, bytes == nullptr ? 0 : length};
  return bytes != nullptr || length == 0;
}

}  // namespace

HRESULT WINAPI WebSocketOpenWithoutHandshake(WEB_SOCKET_HANDLE hWebSocket) {
  return withHandle(hWebSocket, [](Handle& handle) { return handle.session.open(); });
}

HRESULT WINAPI WebSocketInjectReceivedBytes(WEB_SOCKET_HANDLE hWebSocket, const BYTE* pbBuffer, ULONG ulBufferLength) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::span<const std::uint8_t> bytes;
    return readBytes(pbBuffer, ulBufferLength, bytes) ? handle.session.injectReceived(bytes) : Result::InvalidArgument;
  });
}

HRESULT WINAPI WebSocketSendControl(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER_TYPE BufferType,
                                    const BYTE* pbPayload, ULONG ulPayloadLength, PVOID pvContext) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::span<const std::uint8_t> payload;
    return readBytes(pbPayload, ulPayloadLength, payload)
               ? handle.session.sendControl(static_cast<enum BufferType>(BufferType), payload, pvContext)
               : Result::InvalidArgument;
  });
}

HRESULT WINAPI WebSocketGetFault(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_FAULT* pFault) {
  return withHandle(hWebSocket, [&](Handle& handle) {
    if (pFault == nullptr) {
      return Result::InvalidArgument;
    }
    const Fault& fault = handle.session.fault();
    *pFault = {toHresult(fault.result), fault.closeStatus, fault.reason};
    return Result::Ok;
  });
}

HRESULT WINAPI WebSocketCreateReceivePool(ULONG ulBufferSize, ULONG ulMaxBuffers, WEB_SOCKET_RECEIVE_POOL* phPool) {
  if (phPool == nullptr) {
    return E_INVALIDARG;
  }
  *phPool = nullptr;
  if (ulBufferSize < kMinPoolBufferSize) {
    return E_INVALIDARG;
  }
  *phPool = new (std::nothrow) SharedReceivePool(ulBufferSize, ulMaxBuffers);
  return *phPool == nullptr ? E_OUTOFMEMORY : S_OK;
}

VOID WINAPI WebSocketReleasePoolPayload(WEB_SOCKET_RECEIVE_POOL hPool, const BYTE* pbBuffer) {
  if (hPool != nullptr && pbBuffer != nullptr) {
    static_cast<SharedReceivePool*>(hPool)->release(pbBuffer);
  }
}

ULONGLONG WINAPI WebSocketReceivePoolBytesInUse(WEB_SOCKET_RECEIVE_POOL hPool) {
  return hPool == nullptr ? 0 : static_cast<SharedReceivePool*>(hPool)->bytesInUse();
}

VOID WINAPI WebSocketDeleteReceivePool(WEB_SOCKET_RECEIVE_POOL hPool) {
  const std::unique_ptr<SharedReceivePool> owned(static_cast<SharedReceivePool*>(hPool));
}

HRESULT WINAPI WebSocketSendCompressed(WEB_SOCKET_HANDLE hWebSocket, WEB_SOCKET_BUFFER_TYPE BufferType,
                                       WEB_SOCKET_BUFFER* pBuffer, PVOID pvContext, BOOL fCompress) {
  const auto type = static_cast<enum BufferType>(BufferType);
  if (type == BufferType::PingPong || type == BufferType::UnsolicitedPong || type == BufferType::Close) {
    return WebSocketSend(hWebSocket, BufferType, pBuffer, pvContext);
  }
  return withHandle(hWebSocket, [&](Handle& handle) {
    std::span<const std::uint8_t> payload;
    return pBuffer != nullptr && readBytes(pBuffer->Data.pbBuffer, pBuffer->Data.ulBufferLength, payload)
               ? handle.session.send(type, payload, pvContext, Payload::Reference, nullptr,
                                     fCompress != FALSE ? Compression::On : Compression::Off)
               : Result::InvalidArgument;
  });
}

VOID WINAPI WebSocketShrinkDeflate(WEB_SOCKET_HANDLE hWebSocket) {
  withHandle(hWebSocket, [](Handle& handle) {
    handle.session.shrinkDeflate();
    return Result::Ok;
  });
}

// A pool is shared by its handles and by the application; what the application holds is a pointer to its share.
HRESULT WINAPI WebSocketCreateDeflatePool(WEB_SOCKET_DEFLATE_POOL* phPool) {
  if (phPool == nullptr) {
    return E_INVALIDARG;
  }
  *phPool = nullptr;
  try {
    *phPool = std::make_unique<std::shared_ptr<DeflatePool>>(std::make_shared<DeflatePool>()).release();
    return S_OK;
  } catch (const std::bad_alloc&) {
    return E_OUTOFMEMORY;
  }
}

ULONGLONG WINAPI WebSocketDeflatePoolBytesInUse(WEB_SOCKET_DEFLATE_POOL hPool) {
  return hPool == nullptr ? 0 : (*static_cast<const std::shared_ptr<DeflatePool>*>(hPool))->bytesInUse();
}

VOID WINAPI WebSocketDeleteDeflatePool(WEB_SOCKET_DEFLATE_POOL hPool) {
  const std::unique_ptr<std::shared_ptr<DeflatePool>> owned(static_cast<std::shared_ptr<DeflatePool>*>(hPool));
}
