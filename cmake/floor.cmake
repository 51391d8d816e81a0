# add_floor(<name> [DEPENDS floors…] [OPTIONS floors…] [LIBRARIES names…] [TESTS_TOGETHER])
#
# Makes the static library <name> of src/<name>/*.cc and the test <name>_test of src/<name>/*_test.cc.
# DEPENDS: floors that it may include, and all that those may. OPTIONS: floors of which it may include
# `options.h` and nothing else. LIBRARIES: names of cmake/dependencies.cmake. TESTS_TOGETHER: ctest
# runs its tests in one process, and counts one, since they share what takes long to start.
function(add_floor name)
  cmake_parse_arguments(ARG "TESTS_TOGETHER" "" "DEPENDS;OPTIONS;LIBRARIES" ${ARGN})
  set(folder ${PROJECT_SOURCE_DIR}/src/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM ARG_LIBRARIES PREPEND pgweir_dep_)
  if(sources)
    add_library(${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src
                                  FILES ${headers})
  target_link_libraries(${name} ${scope} ${ARG_DEPENDS} ${ARG_LIBRARIES} project_options)
  if(tests AND BUILD_TESTING)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gmock GTest::gtest_main)
    # What takes long about tests is compiling them; optimising them makes that half as long again.
    target_compile_options(${name}_test PRIVATE -O0)
    if(ARG_TESTS_TOGETHER)
      add_test(NAME ${name}_test COMMAND ${name}_test)
      set_property(TEST ${name}_test PROPERTY LABELS unit)
    else()
      gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit)
    endif()
  endif()
endfunction()

# add_program(<name> <folder> …): the executable <name> of src/<folder>/*.cc; arguments as above.
function(add_program name folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES" ${ARGN})
  add_floor(${folder} DEPENDS ${ARG_DEPENDS} LIBRARIES ${ARG_LIBRARIES})
  add_executable(${name} ${PROJECT_SOURCE_DIR}/src/${folder}/main/main.cc)
  target_link_libraries(${name} PRIVATE ${folder})
  install(TARGETS ${name} RUNTIME)
endfunction()
