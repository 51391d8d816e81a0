# find_package(pgweir): the target pgweir::pgweir. It needs no other package: libpq is its own matter.
include(${CMAKE_CURRENT_LIST_DIR}/pgweirTargets.cmake)
