# The target pgweir::asio, where pgweir::pgweir is defined already: what a program links that
# includes <pgweir/asio.hpp> over Boost.Asio. With PGWEIR_ASIO_STANDALONE defined pgweir::pgweir will
# do, beside an Asio of its own. Says in pgweir_asio_FOUND whether there is one.
find_package(Boost 1.81 QUIET)
find_package(Threads QUIET)
set(pgweir_asio_FOUND FALSE)
if(Boost_FOUND AND Threads_FOUND)
  set(pgweir_asio_FOUND TRUE)
  if(NOT TARGET pgweir::asio)
    add_library(pgweir::asio INTERFACE IMPORTED)
    target_link_libraries(pgweir::asio INTERFACE pgweir::pgweir Boost::headers Threads::Threads)
  endif()
else()
  set(pgweir_asio_MISSING
    "pgweir's component asio needs the headers of Boost 1.81 or later (Debian: libboost1.81-dev)")
endif()
