# project_options: what every target of ours is compiled with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
if(PROJECT_IS_TOP_LEVEL)
  include(CTest)
else()
  set(BUILD_TESTING OFF)  # Of this project alone.
endif()

set(PGWEIR_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=<this>")
option(PGWEIR_COVERAGE "Measure coverage" OFF)
option(PGWEIR_FUZZ "Build the libFuzzer binaries (clang)" OFF)

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(project_options INTERFACE PGWEIR_VERSION="${PROJECT_VERSION}")
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast
  -Wswitch-enum -Wnon-virtual-dtor -Woverloaded-virtual -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees uninitialised members in the unused alternatives of a std::variant.
  target_compile_options(project_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(PGWEIR_SANITIZE)
  target_compile_options(project_options INTERFACE -fsanitize=${PGWEIR_SANITIZE}
                                                   -fno-sanitize-recover=all)
  target_link_options(project_options INTERFACE -fsanitize=${PGWEIR_SANITIZE})
endif()
if(PGWEIR_COVERAGE)
  target_compile_options(project_options INTERFACE --coverage)
  target_link_options(project_options INTERFACE --coverage)
endif()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths relative to the tree, so that a fresh clone finds what another one has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
                                  CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
