# Toolchain of the preset release-arm64: Linux on arm64, built on another Linux with Debian's g++-aarch64-linux-gnu. The
# static libraries are those of the packages libssl-dev:arm64 and zlib1g-dev:arm64, installed beside the system's own, or
# unpacked into the folder that the environment variable ARM64_ROOT names. Programs run with qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)

if(DEFINED ENV{ARM64_ROOT})
  set(CMAKE_FIND_ROOT_PATH $ENV{ARM64_ROOT})
  set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
  set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH) # Node's headers are where they are
  set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
  # Where Debian puts the headers that differ between processors.
  add_compile_options(-isystem $ENV{ARM64_ROOT}/usr/include/aarch64-linux-gnu)
endif()
