# The target pgweir::pqxx, where pgweir::pgweir is defined already: what a program links that
# includes <pgweir/interop/pqxx.hpp>. Says in pgweir_pqxx_FOUND whether there is one.
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(PGWEIR_PQXX QUIET IMPORTED_TARGET libpqxx libpq)
endif()
set(pgweir_pqxx_FOUND FALSE)
if(PGWEIR_PQXX_FOUND)
  set(pgweir_pqxx_FOUND TRUE)
  if(NOT TARGET pgweir::pqxx)
    add_library(pgweir::pqxx INTERFACE IMPORTED)
    target_link_libraries(pgweir::pqxx INTERFACE pgweir::pgweir PkgConfig::PGWEIR_PQXX)
  endif()
else()
  set(pgweir_pqxx_MISSING
    "pgweir's component pqxx needs pkg-config, and libpqxx and libpq with their headers (Debian: libpqxx-dev)")
endif()
