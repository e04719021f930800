# missing(<what>): stops with one message that says what to install. scripts/build.mjs prints it without CMake's frame.
function(missing what)
  file(READ ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/install_hint.txt hint)
  message(FATAL_ERROR "websocket-component cannot be built. Not found: ${what}.\nInstall what is missing:\n${hint}")
endfunction()
