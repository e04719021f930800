// Out of memory at every place: a handshake, an exchange of messages and pings, and both Close frames through the C
// face, again and again, and in run k the k-th allocation of the component fails, alone or with all that follow. Each
// call then works, or says E_OUTOFMEMORY and may be repeated, or the handle is faulted; nothing leaks, and the handle
// can be aborted, drained and deleted. A program of its own, because it replaces operator new.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "session.h"
#include "websocket_ext.h"

namespace {

struct Allocator {
  bool watching = false;  // only what the component allocates counts
  long left = 0;          // allocations until the one that fails
  bool failOn = false;    // and all after it
  long live = 0;          // allocated and not freed
  long failures = 0;
};
Allocator allocator;

void* allocate(std::size_t size) {
  if (allocator.watching) {
    const long left = allocator.left--;
    if (left == 0 || (left < 0 && allocator.failOn)) {
      ++allocator.failures;
      return nullptr;
    }
  }
  ++allocator.live;
  return std::malloc(size == 0 ? 1 : size);
}

void* allocateOrThrow(std::size_t size) {
  void* const memory = allocate(size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

void deallocate(void* memory) noexcept {
  allocator.live -= memory != nullptr ? 1 : 0;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocateOrThrow(size); }
void* operator new[](std::size_t size) { return allocateOrThrow(size); }
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { deallocate(memory); }
void operator delete[](void* memory) noexcept { deallocate(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { deallocate(memory); }
void operator delete[](void* memory, std::size_t /*size*/) noexcept { deallocate(memory); }
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept { deallocate(memory); }
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept { deallocate(memory); }

namespace {

struct OutOfMemory {};  // the scenario cannot go on

template <typename Function>
auto watched(Function&& function) {
  struct Watch {
    Watch() { allocator.watching = true; }
    ~Watch() { allocator.watching = false; }
  };
  const Watch watch;
  return function();
}

// One call into the component. E_OUTOFMEMORY: once more, because nothing was changed.
template <typename Function>
HRESULT call(Function&& function) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const HRESULT result = watched(function);
    if (result != E_OUTOFMEMORY) {
      return result;
    }
    EXPECT_GT(allocator.failures, 0);
  }
  throw OutOfMemory();
}

enum class Mode { Documented, Additions };

struct Action {
  WEB_SOCKET_ACTION kind = WEB_SOCKET_NO_ACTION;
  WEB_SOCKET_BUFFER_TYPE type{};
  std::array<WEB_SOCKET_BUFFER, 4> buffers{};
  ULONG count = 4;
  PVOID context = nullptr;
  PVOID id = nullptr;

  std::string bytes() const {
    std::string all;
    for (ULONG i = 0; i < count; ++i) {
      all.append(reinterpret_cast<const char*>(buffers[i].Data.pbBuffer), buffers[i].Data.ulBufferLength);
    }
    return all;
  }
};

class Side {
 public:
  Side(bool server, Mode mode, WEB_SOCKET_RECEIVE_POOL pool) : pool_(pool) {
    BOOL on = TRUE;
    std::vector<WEB_SOCKET_PROPERTY> properties;
    const auto add = [&](int type, void* value, ULONG size) {
      properties.push_back({static_cast<WEB_SOCKET_PROPERTY_TYPE>(type), value, size});
    };
    if (mode == Mode::Additions) {
      for (const int type : {WEB_SOCKET_GATHER_PROPERTY_TYPE, WEB_SOCKET_AUTO_CLOSE_ECHO_PROPERTY_TYPE,
                             WEB_SOCKET_INDICATE_PINGS_PROPERTY_TYPE}) {
        add(type, &on, sizeof on);
      }
      add(WEB_SOCKET_RECEIVE_POOL_PROPERTY_TYPE, static_cast<void*>(&pool_), sizeof pool_);
    }
    const auto create = server ? WebSocketCreateServerHandle : WebSocketCreateClientHandle;
    EXPECT_EQ(call([&] { return create(properties.data(), static_cast<ULONG>(properties.size()), &handle); }), S_OK);
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side() {
    watched([this] { WebSocketAbortHandle(handle); });
    for (const auto queue : {WEB_SOCKET_SEND_ACTION_QUEUE, WEB_SOCKET_RECEIVE_ACTION_QUEUE}) {
      while (isOpen) {
        Action action;
        EXPECT_EQ(watched([&] { return getAction(queue, action); }), S_OK) << "draining cannot fail";
        if (action.kind == WEB_SOCKET_NO_ACTION) {
          break;
        }
        complete(action, 0);
      }
    }
    watched([this] { WebSocketDeleteHandle(handle); });
  }

  // The next action; a pool without memory says NO_ACTION once.
  Action take(WEB_SOCKET_ACTION_QUEUE queue) {
    Action action;
    for (int attempt = 0; attempt < 2; ++attempt) {
      const long before = allocator.failures;
      EXPECT_EQ(call([&] {
                  action = {};
                  return getAction(queue, action);
                }),
                S_OK);
      if (action.kind != WEB_SOCKET_NO_ACTION || allocator.failures == before) {
        break;
      }
    }
    return action;
  }
  void complete(const Action& action, std::size_t bytes) {
    watched([&] { WebSocketCompleteAction(handle, action.id, static_cast<ULONG>(bytes)); });
  }
  void send(WEB_SOCKET_BUFFER_TYPE type, std::string_view payload, USHORT status = 0) {
    WEB_SOCKET_BUFFER buffer{};
    buffer.CloseStatus = {reinterpret_cast<PBYTE>(const_cast<char*>(payload.data())),
                          static_cast<ULONG>(payload.size()), status};
    EXPECT_EQ(call([&] { return WebSocketSend(handle, type, &buffer, &buffer_); }), S_OK);
  }
  void ping(std::string_view payload) {
    EXPECT_EQ(call([&] {
                return WebSocketSendControl(handle, WEB_SOCKET_PING_PONG_BUFFER_TYPE,
                                            reinterpret_cast<const BYTE*>(payload.data()),
                                            static_cast<ULONG>(payload.size()), &buffer_);
              }),
              S_OK);
  }
  // Everything there is to write.
  std::string flush() {
    std::string wire;
    while (true) {
      const Action action = take(WEB_SOCKET_SEND_ACTION_QUEUE);
      if (action.kind == WEB_SOCKET_NO_ACTION) {
        return wire;
      }
      const std::string bytes = action.bytes();
      wire += bytes;
      complete(action, bytes.size());
    }
  }
  // Receives until an indication; its payload. Replies to pings go to `replies`.
  std::string receive(std::string_view wire, WEB_SOCKET_BUFFER_TYPE expected, std::string* replies = nullptr) {
    EXPECT_EQ(call([&] { return WebSocketReceive(handle, nullptr, &buffer_); }), S_OK);
    while (true) {
      Action action = take(WEB_SOCKET_RECEIVE_ACTION_QUEUE);
      if (action.kind == WEB_SOCKET_NO_ACTION) {
        throw OutOfMemory();  // no buffer from the pool, and there will be none
      }
      const std::string bytes = action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION ? "" : action.bytes();
      if (action.kind == WEB_SOCKET_RECEIVE_FROM_NETWORK_ACTION) {
        const std::size_t size = std::min<std::size_t>(wire.size(), action.buffers[0].Data.ulBufferLength);
        std::memcpy(action.buffers[0].Data.pbBuffer, wire.data(), size);
        wire.remove_prefix(size);
        complete(action, size);
        continue;
      }
      complete(action, bytes.size());
      if (action.kind == WEB_SOCKET_SEND_TO_NETWORK_ACTION) {
        if (replies != nullptr) {
          *replies += bytes;
        }
        continue;
      }
      EXPECT_EQ(static_cast<unsigned>(action.type), static_cast<unsigned>(expected));
      if (action.count != 0 && action.buffers[0].Data.pbBuffer != nullptr) {
        WebSocketReleasePoolPayload(pool_, action.buffers[0].Data.pbBuffer);
      }
      return bytes;
    }
  }

  WEB_SOCKET_HANDLE handle = nullptr;
  bool isOpen = false;

 private:
  HRESULT getAction(WEB_SOCKET_ACTION_QUEUE queue, Action& action) {
    return WebSocketGetAction(handle, queue, action.buffers.data(), &action.count, &action.kind, &action.type,
                              &action.context, &action.id);
  }

  WEB_SOCKET_RECEIVE_POOL pool_;
  int buffer_ = 0;  // its address is the application context
};

class Pool {
 public:
  Pool() {
    EXPECT_EQ(call([this] { return WebSocketCreateReceivePool(1024, 0, &handle); }), S_OK);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    EXPECT_EQ(WebSocketReceivePoolBytesInUse(handle), 0U);
    WebSocketDeleteReceivePool(handle);
  }
  WEB_SOCKET_RECEIVE_POOL handle = nullptr;
};

void shakeHands(Side& client, Side& server) {
  std::array<PCSTR, 2> subprotocols = {"a-subprotocol-that-does-not-fit-into-a-short-string", "chat"};
  std::array<PCSTR, 1> extensions = {"x-extension-that-does-not-fit-into-a-short-string; a=1"};
  PWEB_SOCKET_HTTP_HEADER headers = nullptr;
  ULONG count = 0;
  EXPECT_EQ(call([&] {
              return WebSocketBeginClientHandshake(client.handle, subprotocols.data(), 2, extensions.data(), 1, nullptr,
                                                   0, &headers, &count);
            }),
            S_OK);
  std::vector<WEB_SOCKET_HTTP_HEADER> request(headers, headers + count);
  std::string host = "Host";
  request.push_back({host.data(), 4, host.data(), 4});
  EXPECT_EQ(call([&] {
              return WebSocketBeginServerHandshake(server.handle, subprotocols[0], extensions.data(), 1, request.data(),
                                                   static_cast<ULONG>(request.size()), &headers, &count);
            }),
            S_OK);
  ULONG index = 0;
  ULONG indexCount = 1;
  ULONG subprotocol = 7;
  EXPECT_EQ(call([&] {
              return WebSocketEndClientHandshake(client.handle, headers, count, &index, &indexCount, &subprotocol);
            }),
            S_OK);
  client.isOpen = true;
  EXPECT_EQ(subprotocol, 0U);
  EXPECT_EQ(indexCount, 1U);
  EXPECT_EQ(call([&] { return WebSocketEndServerHandshake(server.handle); }), S_OK);
  server.isOpen = true;
}

void exchange(Side& client, Side& server, Mode mode) {
  const std::string text(300, 't');
  client.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, text);
  EXPECT_EQ(server.receive(client.flush(), WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE), text);
  server.send(WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, text);
  EXPECT_EQ(client.receive(server.flush(), WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE), text);

  client.ping("are you there");
  std::string ping = client.flush();
  std::string pong;
  if (mode == Mode::Additions) {
    EXPECT_EQ(server.receive(ping, WEB_SOCKET_PING_BUFFER_TYPE), "are you there");
    pong = server.flush();
    if (WEB_SOCKET_FAULT fault{}; WebSocketGetFault(server.handle, &fault) == S_OK && fault.hrResult != S_OK) {
      EXPECT_EQ(fault.hrResult, E_OUTOFMEMORY) << "no memory for the reply";
      throw OutOfMemory();
    }
  } else {
    client.send(WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, text);
    EXPECT_EQ(server.receive(ping + client.flush(), WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &pong), text);
  }
  EXPECT_EQ(client.receive(pong, WEB_SOCKET_PING_PONG_BUFFER_TYPE), "are you there");
}

void close(Side& client, Side& server, Mode mode) {
  client.send(WEB_SOCKET_CLOSE_BUFFER_TYPE, "bye", 1000);
  EXPECT_EQ(server.receive(client.flush(), WEB_SOCKET_CLOSE_BUFFER_TYPE), "bye");
  if (mode == Mode::Documented) {
    server.send(WEB_SOCKET_CLOSE_BUFFER_TYPE, "bye", 1000);
  }
  EXPECT_EQ(client.receive(server.flush(), WEB_SOCKET_CLOSE_BUFFER_TYPE), "bye");
}

// True when nothing failed on the way.
bool runScenario(Mode mode) {
  try {
    const Pool pool;
    Side client(false, mode, pool.handle);
    Side server(true, mode, pool.handle);
    shakeHands(client, server);
    exchange(client, server, mode);
    close(client, server, mode);
    return true;
  } catch (const OutOfMemory&) {
    return false;
  }
}

class AllocationFailure : public testing::TestWithParam<Mode> {
 protected:
  // Runs the scenario with the k-th allocation failing.
  static bool run(long k, bool andAllAfter) {
    allocator.left = k;
    allocator.failOn = andAllAfter;
    allocator.failures = 0;
    const long before = allocator.live;
    const bool completed = runScenario(GetParam());
    EXPECT_EQ(allocator.live, before) << "a leak";
    return completed;
  }
  // How many allocations the scenario makes.
  static long countAllocations() {
    constexpr long kNever = std::numeric_limits<long>::max();
    run(kNever, false);  // whatever is made once in a process is made now
    EXPECT_TRUE(run(kNever, false));
    return kNever - allocator.left;
  }
};

TEST_P(AllocationFailure, OfOneAllocationIsSaidAndTheCallMayBeRepeatedOrTheHandleIsFaulted) {
  const long count = countAllocations();
  EXPECT_GT(count, 20);
  long completed = 0;
  for (long k = 0; k < count && !HasFailure(); ++k) {
    SCOPED_TRACE("allocation " + std::to_string(k));
    completed += run(k, false) ? 1 : 0;
    EXPECT_EQ(allocator.failures, 1);
  }
  EXPECT_GT(completed, count / 2) << "most failures are over when the call is repeated";
}

TEST_P(AllocationFailure, OfEveryAllocationFromOneOnEndsTheScenarioCleanly) {
  const long count = countAllocations();
  for (long k = 0; k < count && !HasFailure(); ++k) {
    SCOPED_TRACE("from allocation " + std::to_string(k) + " on");
    EXPECT_FALSE(run(k, true));
    EXPECT_GE(allocator.failures, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, AllocationFailure, testing::Values(Mode::Documented, Mode::Additions),
                         [](const auto& info) {
                           return info.param == Mode::Documented ? "Documented" : "GatherAndPool";
                         });

// Raw bytes, which the C face does not have.
TEST(AllocationFailureOfRawBytes, ChangesNothing) {
  using websocket::Result;
  constexpr std::array<std::uint8_t, 3> kBytes = {'r', 'a', 'w'};
  int context = 0;
  long failures = 0;
  bool isDone = false;
  while (!isDone) {
    auto options = std::make_shared<websocket::SessionOptions>();
    options->gather = true;
    websocket::Session session(websocket::Role::Server, options);
    ASSERT_EQ(session.open(), Result::Ok);
    allocator.left = failures;
    allocator.failOn = false;
    try {
      ASSERT_EQ(watched([&] { return session.sendRaw(kBytes, &context); }), Result::Ok);
      isDone = true;
    } catch (const std::bad_alloc&) {
      ++failures;
      EXPECT_FALSE(session.hasOutput());
      EXPECT_EQ(session.bufferedAmount() + session.bufferedWireBytes(), 0U);
      ASSERT_EQ(session.sendRaw(kBytes, &context), Result::Ok);
    }
    websocket::Action action;
    std::array<websocket::Buffer, 2> buffers{};
    ASSERT_EQ(session.getAction(websocket::ActionQueue::Send, buffers, action), Result::Ok);
    ASSERT_EQ(action.count, 1U);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffers[0].data), buffers[0].length), "raw");
    session.completeAction(action.id, buffers[0].length);
    ASSERT_EQ(session.getAction(websocket::ActionQueue::Send, buffers, action), Result::Ok);
    EXPECT_EQ(action.context, &context);
    session.completeAction(action.id, 0);
    EXPECT_FALSE(session.hasOutput());
  }
  EXPECT_GE(failures, 4) << "a queue, its completions, its frames, its segments";
}

}  // namespace
