# `cmake --install`: the protocol component for C and C++ programs. Headers, the static library, a CMake package
# (find_package(websocket_component), target websocket_component::websocket_component) and a pkg-config file.
#
# The package describes the library itself instead of exporting our target: what that one links is found on the
# machine that uses the package.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(library_file ${CMAKE_STATIC_LIBRARY_PREFIX}websocket_component${CMAKE_STATIC_LIBRARY_SUFFIX})
# The library is C++ inside; a C program links the runtime by name.
if(MSVC)
  set(cxx_runtime "")
elseif("c++" IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  set(cxx_runtime c++)
else()
  set(cxx_runtime stdc++)
endif()

install(TARGETS websocket_component ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT websocket_component)
install(FILES src/component/websocket.h src/component/websocket_ext.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT websocket_component)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/websocket_component)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/websocket_component-config.cmake.in
  ${PROJECT_BINARY_DIR}/websocket_component-config.cmake
  INSTALL_DESTINATION ${package_folder}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Until 1.0.0 a minor version may break.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/websocket_component-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/websocket_component-config.cmake
              ${PROJECT_BINARY_DIR}/websocket_component-config-version.cmake
        DESTINATION ${package_folder} COMPONENT websocket_component)

configure_file(${CMAKE_CURRENT_LIST_DIR}/websocket_component.pc.in ${PROJECT_BINARY_DIR}/websocket_component.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/websocket_component.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT websocket_component)
