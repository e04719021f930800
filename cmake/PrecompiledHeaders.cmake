# What most files of a layer include is read once for each layer, in the builds that nobody ships: reading it is half
# of the time that they take. The release build does without, so that each file has to include what it uses.
set(common_headers <algorithm> <array> <cstdint> <cstring> <functional> <limits> <memory> <new> <optional> <span>
                   <string> <string_view> <utility> <vector>)

function(precompile_headers target)
  if(TARGET ${target} AND (SANITIZE OR COVERAGE))
    set(headers ${common_headers} ${ARGN})
    list(TRANSFORM headers REPLACE ">$" "$<ANGLE-R>")
    target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${headers}>") # the addon has a C file too
  endif()
endfunction()

precompile_headers(websocket_component)
precompile_headers(websocket_driver <uv.h>)
precompile_headers(websocket_driver_libuv <uv.h>)
precompile_headers(addon <napi.h>)
precompile_headers(fuzz_endpoint)
