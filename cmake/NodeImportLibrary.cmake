# Windows only. link_node(<target>): imports Node's functions from whatever program loads the addon: node.exe, or one
# that contains Node under another name (Electron), for which the delay-load hook stands in.
cmake_path(SET node_root NORMALIZE ${node_include}/../..)
find_library(NODE_LIBRARY NAMES node libnode HINTS ${node_root} ${node_root}/Release ${node_root}/x64 ${node_root}/lib)
if(NOT NODE_LIBRARY)
  missing("Node's import library node.lib (run `npm config set nodedir FOLDER` with the folder of Node's headers and node.lib)")
endif()

function(link_node target)
  target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/windows_delay_load_hook.cc)
  target_link_libraries(${target} PRIVATE ${NODE_LIBRARY} delayimp)
  target_link_options(${target} PRIVATE /DELAYLOAD:node.exe)
endfunction()
