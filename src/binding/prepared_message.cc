#include "prepared_message.h"

#include <algorithm>
#include <memory>

#include "arguments.h"

namespace websocket::binding {
namespace {

// Tells our objects from others that wrap something; random.
constexpr napi_type_tag kTag = {0x9b1f0c7a52d84e31, 0x8d06a4f3e7c25b90};

using Prepared = std::shared_ptr<driver::SharedMessage>;

std::int64_t externalSize(const driver::SharedMessage& message) {
  return static_cast<std::int64_t>(message.payload().size());
}

void finalize(napi_env env, void* data, void* /*hint*/) {
  const std::unique_ptr<Prepared> message(static_cast<Prepared*>(data));
  std::int64_t total = 0;
  napi_adjust_external_memory(env, -externalSize(**message), &total);
}

}  // namespace

bool prepareMessage(napi_env env, napi_value object, std::span<const std::uint8_t> bytes) {
  std::shared_ptr<std::uint8_t[]> memory = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
  std::ranges::copy(bytes, memory.get());
  const std::span<const std::uint8_t> payload(memory.get(), bytes.size());
  auto message = std::make_unique<Prepared>(std::make_shared<driver::SharedMessage>(payload, std::move(memory)));
  if (napi_type_tag_object(env, object, &kTag) != napi_ok ||
      napi_wrap(env, object, message.get(), &finalize, nullptr, nullptr) != napi_ok) {
    return throwTypeError(env, "target must be an object that was not prepared before");
  }
  std::int64_t total = 0;
  napi_adjust_external_memory(env, externalSize(**message), &total);
  static_cast<void>(message.release());  // the object's now
  return true;
}

Prepared preparedMessage(napi_env env, napi_value object) {
  bool isTagged = false;
  void* message = nullptr;
  if (napi_check_object_type_tag(env, object, &kTag, &isTagged) != napi_ok || !isTagged ||
      napi_unwrap(env, object, &message) != napi_ok) {
    return nullptr;
  }
  return *static_cast<Prepared*>(message);
}

}  // namespace websocket::binding
