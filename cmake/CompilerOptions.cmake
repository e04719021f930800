# Warnings and sanitizers: the options of every target of ours.
set(SANITIZE "" CACHE STRING "Sanitizers to build with, for example address,undefined")
option(COVERAGE "Instrument for llvm-cov (clang only)" OFF)

add_library(compiler_options INTERFACE)

if(MSVC)
  target_compile_options(compiler_options INTERFACE /W4 /WX /utf-8 /Zc:__cplusplus)
  target_compile_definitions(compiler_options INTERFACE NOMINMAX WIN32_LEAN_AND_MEAN)
else()
  target_compile_options(compiler_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Werror)
endif()

if(SANITIZE)
  target_compile_options(compiler_options INTERFACE -fsanitize=${SANITIZE} -fno-sanitize-recover=all
                                                    -fno-omit-frame-pointer)
  target_link_options(compiler_options INTERFACE -fsanitize=${SANITIZE})
endif()

if(COVERAGE)
  target_compile_options(compiler_options INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(compiler_options INTERFACE -fprofile-instr-generate)
endif()
