# support_old_glibc(<target>): the target runs with glibc 2.28, the oldest that Node 20 runs with, although it is linked
# with a newer one. Does nothing with other C libraries. test/package checks the result.
include(CheckSymbolExists)
check_symbol_exists(__GLIBC__ features.h HAS_GLIBC)

# The version that the first glibc of the processor gave all its functions.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64)$")
  set(OLDEST_GLIBC GLIBC_2.2.5)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(OLDEST_GLIBC GLIBC_2.17)
endif()

function(support_old_glibc target)
  if(NOT HAS_GLIBC OR NOT OLDEST_GLIBC)
    return()
  endif()
  set(folder ${PROJECT_SOURCE_DIR}/cmake/old_glibc)
  set(versions ${CMAKE_CURRENT_BINARY_DIR}/old_glibc.map)
  file(CONFIGURE OUTPUT ${versions} CONTENT "@OLDEST_GLIBC@ { global: *; };\n" @ONLY)
  foreach(library IN ITEMS libpthread.so.0 libdl.so.2)
    string(REGEX REPLACE "[.]so.*" "" name ${library})
    string(TOUPPER ${name} upper_name)
    add_library(${name}_stub SHARED ${folder}/stub.c)
    set_target_properties(${name}_stub PROPERTIES C_VISIBILITY_PRESET default NO_SONAME ON)
    target_compile_options(${name}_stub PRIVATE -ffreestanding -D${upper_name})
    target_link_options(${name}_stub PRIVATE -nostdlib -Wl,-soname,${library} -Wl,--version-script=${versions})
    target_link_libraries(${target} PRIVATE ${name}_stub)
  endforeach()
  set_target_properties(${target} PROPERTIES SKIP_BUILD_RPATH ON)
  target_sources(${target} PRIVATE ${folder}/definitions.c)
  # Versions of symbols get lost in link-time optimization.
  set_property(SOURCE ${folder}/definitions.c PROPERTY COMPILE_OPTIONS -fno-lto)
  set_property(SOURCE ${folder}/definitions.c PROPERTY COMPILE_DEFINITIONS OLDEST_GLIBC="${OLDEST_GLIBC}")
endfunction()
