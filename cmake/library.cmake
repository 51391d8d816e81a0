# libpgweir: the floor `client` and what is below it as one shared library, with what others need to
# use it: headers, a CMake package (pgweir::pgweir; pgweir::pqxx and pgweir::asio where they are asked
# for) and a pkg-config file. The version's first two numbers are the ABI's until 1.0.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(library_floors base wire obs pool insight budget config loop client)
set_target_properties(${library_floors} PROPERTIES
  POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)

add_library(pgweir_library SHARED $<TARGET_OBJECTS:client>)
add_library(pgweir::pgweir ALIAS pgweir_library)
target_link_libraries(pgweir_library PRIVATE client)
target_link_options(pgweir_library PRIVATE -Wl,--no-undefined -Wl,--exclude-libs,ALL)
target_compile_features(pgweir_library PUBLIC cxx_std_20)
target_sources(pgweir_library PUBLIC FILE_SET public_headers TYPE HEADERS BASE_DIRS include
                                     FILES ${public_headers})
set_target_properties(pgweir_library PROPERTIES
  OUTPUT_NAME pgweir EXPORT_NAME pgweir VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  VERIFY_INTERFACE_HEADER_SETS OFF) # Those of the floor are verified.

install(TARGETS pgweir_library EXPORT pgweirTargets COMPONENT library
  FILE_SET public_headers COMPONENT library)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/pgweir)
install(EXPORT pgweirTargets NAMESPACE pgweir:: DESTINATION ${package_folder} COMPONENT library)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pgweirConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
configure_file(cmake/pgweir.pc.in ${PROJECT_BINARY_DIR}/pgweir.pc @ONLY)
install(FILES cmake/pgweirConfig.cmake cmake/pgweirAsio.cmake cmake/pgweirPqxx.cmake
  ${PROJECT_BINARY_DIR}/pgweirConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/pgweir.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
