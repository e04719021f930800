// Functions of the language, taken when the module is loaded. A program that replaces them later, or adds setters to
// built-in prototypes, cannot make native code run its own or trust a wrong answer.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace websocket::binding {

class Intrinsics {
 public:
  // False: the language lacks something, or an exception is pending, or the environment is ending. (Then every call
  // that may run JavaScript fails, with no exception to show for it, and a chain of node-addon-api's calls ends the
  // process.)
  [[nodiscard]] bool load(napi_env env);

  // Nullopt: there is no memory, or the environment is ending (napi_create_arraybuffer ends the process instead).
  std::optional<Napi::ArrayBuffer> makeArrayBuffer(Napi::Env env, std::size_t size) const;

  // Whether the memory of the buffer can move or shrink while it is in use.
  bool isResizable(const Napi::ArrayBuffer& buffer) const;

  // An empty object without a prototype that lives as long as `owner`, and that may refer to it: both are collected
  // together. Nullopt: the environment is ending.
  std::optional<Napi::Object> makeCompanion(Napi::Env env, const Napi::Object& owner) const;
  void dropCompanion(const Napi::Object& owner) const;

 private:
  Napi::FunctionReference arrayBuffer_;
  Napi::FunctionReference resizable_;  // getter of ArrayBuffer.prototype; empty where the language has none
  Napi::FunctionReference objectCreate_;
  Napi::ObjectReference companions_;  // a WeakMap
  Napi::FunctionReference weakMapSet_;
  Napi::FunctionReference weakMapDelete_;
};

// JavaScript values that belong to an object, in numbered slots. They are held by a companion and not by references of
// their own, which would keep a cycle through the object alive for ever.
class KeptValues {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  bool open(Napi::Env env, const Intrinsics& intrinsics, const Napi::Object& owner);
  void close(const Intrinsics& intrinsics, const Napi::Object& owner);

  // The slot of the value; nullopt when it cannot be kept (the environment is ending). Throws std::bad_alloc.
  std::optional<std::uint32_t> add(Napi::Value value);
  // kNone: undefined.
  Napi::Value get(Napi::Env env, std::uint32_t slot) const;
  void remove(Napi::Env env, std::uint32_t slot);

 private:
  Napi::ObjectReference companion_;  // weak
  std::vector<std::uint32_t> free_;
  std::uint32_t count_ = 0;
};

}  // namespace websocket::binding
