# `cmake --install`: headers, library, programs, and what find_package(llmroute) and pkg-config need to find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS llmroute EXPORT llmroute-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/llmroute DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# The C interface is an export set of its own: who wants only that needs none of the C++ library's dependencies.
install(TARGETS llmroute_c EXPORT llmroute-capi-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES capi/llmroute.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(program llmroute-gateway llmroute-mock-node)
  if(TARGET ${program})
    install(TARGETS ${program} DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/llmroute)
install(EXPORT llmroute-targets NAMESPACE llmroute:: DESTINATION ${package_folder})
install(EXPORT llmroute-capi-targets NAMESPACE llmroute:: DESTINATION ${package_folder})
set(llmroute_is_shared 0)
if(BUILD_SHARED_LIBS)
  set(llmroute_is_shared 1)
endif()
configure_package_config_file(cmake/llmroute-config.cmake.in llmroute-config.cmake INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(llmroute-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/llmroute-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/llmroute-config-version.cmake
  DESTINATION ${package_folder})

# A static library leaves its dependencies to the program's link line, a shared one has linked them itself.
if(llmroute_is_shared)
  set(llmroute_requires_private "libcurl simdjson")
else()
  set(llmroute_requires "libcurl simdjson")
endif()
file(RELATIVE_PATH llmroute_up_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)  # so that an installed tree can be moved
configure_file(cmake/llmroute.pc.in llmroute.pc @ONLY)
configure_file(cmake/llmroute-c.pc.in llmroute-c.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/llmroute.pc ${CMAKE_CURRENT_BINARY_DIR}/llmroute-c.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
