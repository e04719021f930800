# Node's headers (node_api.h, uv.h) and node-addon-api's, as the targets node_headers and node_addon_api.
#
# They are never downloaded: npm's `nodedir` setting names the folder, else they lie beside the node binary. Node's
# folder holds openssl/ and zlib.h too, so only the driver and the binding may see it.
find_program(NODE_EXECUTABLE NAMES node nodejs)
if(DEFINED ENV{npm_config_nodedir})
  set(node_include $ENV{npm_config_nodedir}/include/node)
elseif(NODE_EXECUTABLE)
  # process.execPath is the real path, also where `node` is a shim.
  execute_process(COMMAND ${NODE_EXECUTABLE} -p "require('node:fs').realpathSync(process.execPath)"
                  OUTPUT_VARIABLE node_binary OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  cmake_path(GET node_binary PARENT_PATH node_folder)
  cmake_path(SET node_include NORMALIZE ${node_folder}/../include/node)
  if(WIN32 AND NOT EXISTS ${node_include})
    cmake_path(SET node_include NORMALIZE ${node_folder}/include/node)
  endif()
endif()
if(NOT node_include OR NOT EXISTS ${node_include}/node_api.h OR NOT EXISTS ${node_include}/uv.h)
  missing("Node's headers ${node_include}/node_api.h and uv.h (Node from nodejs.org has them; for another Node run `npm config set nodedir FOLDER`, where FOLDER/include/node has them)")
endif()
add_library(node_headers INTERFACE)
target_include_directories(node_headers SYSTEM INTERFACE ${node_include})

# Installers put it into any node_modules folder above this one.
execute_process(COMMAND ${NODE_EXECUTABLE} -p "path.dirname(require.resolve('node-addon-api/package.json'))"
                WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE node_addon_api_include
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT EXISTS ${node_addon_api_include}/napi.h)
  message(FATAL_ERROR "node-addon-api was not found: run `npm ci` first.")
endif()
add_library(node_addon_api INTERFACE)
target_include_directories(node_addon_api SYSTEM INTERFACE ${node_addon_api_include})
target_compile_definitions(node_addon_api INTERFACE NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS
                                                    NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS NAPI_VERSION=9)
target_link_libraries(node_addon_api INTERFACE node_headers)
# As Electron's headers are used: without the functions for memory that is not JavaScript's (src/binding/external_buffer.h).
option(NO_EXTERNAL_BUFFERS "Build the addon without external Buffers" OFF)
if(NO_EXTERNAL_BUFFERS)
  target_compile_definitions(node_addon_api INTERFACE NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED)
endif()
