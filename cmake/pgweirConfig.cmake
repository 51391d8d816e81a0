# find_package(pgweir): the target pgweir::pgweir. It needs no other package: libpq is its own matter.
# find_package(pgweir COMPONENTS pqxx): pgweir::pqxx besides, for <pgweir/interop/pqxx.hpp>. It
# brings libpqxx and libpq, as pkg-config finds them.
# find_package(pgweir COMPONENTS asio): pgweir::asio besides, for <pgweir/asio.hpp>. It brings the
# headers of Boost.
include(${CMAKE_CURRENT_LIST_DIR}/pgweirTargets.cmake)
foreach(component ${pgweir_FIND_COMPONENTS})
  set(pgweir_${component}_FOUND FALSE)
  if(component STREQUAL "pqxx")
    include(${CMAKE_CURRENT_LIST_DIR}/pgweirPqxx.cmake)
  elseif(component STREQUAL "asio")
    include(${CMAKE_CURRENT_LIST_DIR}/pgweirAsio.cmake)
  endif()
  if(pgweir_FIND_REQUIRED_${component} AND NOT pgweir_${component}_FOUND)
    set(pgweir_FOUND FALSE)
    set(pgweir_NOT_FOUND_MESSAGE "${pgweir_${component}_MISSING}")
    if(NOT pgweir_NOT_FOUND_MESSAGE)
      set(pgweir_NOT_FOUND_MESSAGE "pgweir has no component \"${component}\"")
    endif()
  endif()
endforeach()
