// The JavaScript object `WebSocketHandle` of types/native.d.ts: the thirteen functions of websocket.h, and of
// websocket_ext.h those that make sense without pointers.
//
// The component works inside a JavaScript ArrayBuffer (its ALLOCATED_BUFFER property), so that every buffer of an
// action is a view of that, or of the caller's own memory: nothing is copied, and nothing can be freed while JavaScript
// sees it. What can happen is that JavaScript detaches such an ArrayBuffer; the functions that let the component touch
// memory check for that first. Arguments may be objects whose getters run any JavaScript, even `delete` of this handle:
// a method reads all of them before it looks at the handle.
#pragma once

#include <napi.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "handle_functions.h"
#include "intrinsics.h"
#include "websocket.h"

namespace websocket::binding {

class CProperties;
class HandleObject;

// What the module keeps for an environment.
struct AddonData {
  AddonData();
  AddonData(const AddonData&) = delete;
  AddonData& operator=(const AddonData&) = delete;
  ~AddonData();

  Napi::FunctionReference handleConstructor;
  bool constructing = false;  // by create(); nobody else makes a WebSocketHandle
  Intrinsics intrinsics;
  std::uint64_t lastAction = 0;  // the number of an action names it among those of all handles
  // Handles that no object in JavaScript owns, because the thread was being terminated while they were made.
  std::vector<std::unique_ptr<HandleObject>> unwrapped;
};

class HandleObject final : public Napi::ObjectWrap<HandleObject> {
 public:
  // Makes the constructor, with its static methods, and puts it and what it needs into the environment's AddonData.
  // False: as Intrinsics::load().
  [[nodiscard]] static bool define(Napi::Env env, AddonData& data);

  // Called by create() only. Arguments: whether it is a server, the properties.
  explicit HandleObject(const Napi::CallbackInfo& info);
  HandleObject(const HandleObject&) = delete;
  HandleObject& operator=(const HandleObject&) = delete;
  ~HandleObject() override { WebSocketDeleteHandle(handle_); }

 private:
  // A queued send or receive, until it is indicated. Its address is the operation's context in the component.
  struct Operation {
    std::uint32_t context = KeptValues::kNone;  // slot of what the caller passed
    std::uint32_t buffer = KeptValues::kNone;   // slot of the ArrayBuffer that holds the memory below
    std::uint8_t* data = nullptr;
    std::size_t length = 0;
    std::size_t offset = 0;  // of data in its ArrayBuffer
  };
  // An action that was handed out and not completed.
  struct Outstanding {
    std::uint64_t number;  // its actionContext in JavaScript
    PVOID context;         // its action context in the component
    WEB_SOCKET_ACTION kind;
    std::uint64_t length;  // bytes of its buffers
  };
  using Operations = std::deque<std::unique_ptr<Operation>>;

  static Napi::Value createClientHandle(const Napi::CallbackInfo& info) { return create(info, false); }
  static Napi::Value createServerHandle(const Napi::CallbackInfo& info) { return create(info, true); }
  static Napi::Value create(const Napi::CallbackInfo& info, bool server);
  static Napi::Value getGlobalProperty(const Napi::CallbackInfo& info);

  Napi::Value beginClientHandshake(const Napi::CallbackInfo& info);
  Napi::Value endClientHandshake(const Napi::CallbackInfo& info);
  Napi::Value beginServerHandshake(const Napi::CallbackInfo& info);
  Napi::Value endServerHandshake(const Napi::CallbackInfo& info);
  Napi::Value openWithoutHandshake(const Napi::CallbackInfo& info);
  Napi::Value injectReceivedBytes(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value sendControl(const Napi::CallbackInfo& info);
  Napi::Value receive(const Napi::CallbackInfo& info);
  Napi::Value getAction(const Napi::CallbackInfo& info);
  Napi::Value completeAction(const Napi::CallbackInfo& info);
  Napi::Value getFault(const Napi::CallbackInfo& info);
  Napi::Value abort(const Napi::CallbackInfo& info);
  Napi::Value remove(const Napi::CallbackInfo& info);

  // Calls a method, unless the handle was deleted, and lets no C++ exception out.
  template <Napi::Value (HandleObject::*Method)(const Napi::CallbackInfo&)>
  Napi::Value invoke(const Napi::CallbackInfo& info);

  bool open(const Napi::CallbackInfo& info, bool server, CProperties& properties);
  // Throws the error of a result that is one.
  bool failed(Napi::Env env, HRESULT result, const Function& function) const;

  bool isDetached(Napi::Env env, std::uint32_t slot) const;
  bool memoryIsSafe(Napi::Env env) const;
  bool keep(Napi::Env env, Napi::Value value, const Function& function, std::uint32_t& slot);
  bool takeBytes(Napi::Env env, Napi::Value value, const char* name, bool mayCopy, const Function& function,
                 Operation& operation);
  void queue(Napi::Env env, Operations& operations, const Operation& operation, const Function& function,
             const std::function<HRESULT(Operation* context)>& call);
  static const Operation* find(const Operations& operations, const void* context);
  void forget(Napi::Env env, Operations& operations, const Operation* operation);
  void release(Napi::Env env, const Operation& operation);
  Napi::Uint8Array view(Napi::Env env, const WEB_SOCKET_BUFFER& buffer, const Operation* operation) const;

  WEB_SOCKET_HANDLE handle_ = nullptr;  // null once deleted
  ULONG offeredExtensions_ = 0;
  bool coalescing_ = false;  // one action may read the memory of several sends
  bool aborted_ = false;     // with operations queued: from then on the component touches no memory
  KeptValues kept_;
  std::uint32_t memory_ = KeptValues::kNone;  // slot of the component's ArrayBuffer
  std::uint8_t* memoryData_ = nullptr;
  std::size_t memorySize_ = 0;
  Operations sends_;
  Operations receives_;
  std::vector<Outstanding> outstanding_;
};

}  // namespace websocket::binding
