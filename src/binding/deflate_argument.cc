#include "deflate_argument.h"

#include <string>

#include "arguments.h"

namespace websocket::binding {
namespace {

// Reads the properties of one object; the first that is wrong throws.
class Settings {
 public:
  Settings(napi_env env, napi_value object) : env_(env), object_(object) {}

  // undefined: open; true: demanded; false: refused.
  bool preference(const char* name, Preference& out) const {
    const napi_value value = get(name);
    bool demanded = false;
    if (isNullish(env_, value)) {
      return true;
    }
    if (!toBoolean(env_, value, fullName(name).c_str(), demanded)) {
      return false;
    }
    out = demanded ? Preference::Demand : Preference::Refuse;
    return true;
  }

  // undefined or true: no wish; false: the parameter is refused; else 8 to 15.
  bool windowBits(const char* name, std::uint8_t& bits, bool& refused) const {
    const napi_value value = get(name);
    napi_valuetype type = napi_undefined;
    napi_typeof(env_, value, &type);
    if (type == napi_boolean) {
      bool wanted = false;
      napi_get_value_bool(env_, value, &wanted);
      refused = !wanted;
      return true;
    }
    return isNullish(env_, value) || integer(name, value, kMinWindowBits, kMaxWindowBits, bits);
  }

  // undefined: stays as it is.
  template <typename T>
  bool integer(const char* name, double minimum, double maximum, T& out) const {
    const napi_value value = get(name);
    return isNullish(env_, value) || integer(name, value, minimum, maximum, out);
  }

 private:
  template <typename T>
  bool integer(const char* name, napi_value value, double minimum, double maximum, T& out) const {
    double number = 0;
    if (!toInteger(env_, value, fullName(name).c_str(), minimum, maximum, number)) {
      return false;
    }
    out = static_cast<T>(number);
    return true;
  }

  napi_value get(const char* name) const {
    napi_value value = nullptr;
    return napi_get_named_property(env_, object_, name, &value) == napi_ok ? value : nullptr;
  }

  static std::string fullName(const char* name) { return std::string("limits.deflate.") + name; }

  napi_env env_;
  napi_value object_;
};

}  // namespace

bool toDeflateLimits(napi_env env, napi_value value, std::optional<driver::DeflateLimits>& out) {
  out.reset();
  if (isNullish(env, value)) {
    return true;
  }
  napi_valuetype type = napi_undefined;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) {
    return throwTypeError(env, "limits.deflate must be an object");
  }
  const Settings settings(env, value);
  driver::DeflateLimits limits;
  DeflateNegotiation& wanted = limits.negotiation;
  DeflaterSettings& deflater = limits.deflater;
  if (!settings.preference("serverNoContextTakeover", wanted.serverNoContextTakeover) ||
      !settings.preference("clientNoContextTakeover", wanted.clientNoContextTakeover) ||
      !settings.windowBits("serverMaxWindowBits", wanted.serverMaxWindowBits, wanted.refuseServerMaxWindowBits) ||
      !settings.windowBits("clientMaxWindowBits", wanted.clientMaxWindowBits, wanted.refuseClientMaxWindowBits) ||
      !settings.integer("threshold", 0, UINT32_MAX, limits.threshold) ||
      !settings.integer("concurrencyLimit", 1, UINT32_MAX, limits.jobs) ||
      !settings.integer("level", -1, 9, deflater.level) || !settings.integer("memLevel", 1, 9, deflater.memLevel) ||
      !settings.integer("strategy", 0, 4, deflater.strategy)) {
    return false;
  }
  out = limits;
  return true;
}

}  // namespace websocket::binding
