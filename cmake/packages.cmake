# The libraries, all from the distribution (docs/decisions/0001-libraries.md).

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.74)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml>=0.7)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.70)

# Finds msgpack-c by its CMake package, since the pkg-config file of version 6
# names a relative folder `include`, and relative to what is unclear. The
# library is called msgpackc up to version 4 and msgpack-c since then. Some
# systems package version 4 without the CMake files; there pkg-config is right.
find_package(msgpack-c CONFIG QUIET)
if(NOT msgpack-c_FOUND)
  find_package(msgpack CONFIG QUIET)
endif()
if(TARGET msgpack-c)
  set(MSGPACK_LIBRARY msgpack-c)
elseif(TARGET msgpackc)
  set(MSGPACK_LIBRARY msgpackc)
elseif(TARGET msgpack-c-static)
  set(MSGPACK_LIBRARY msgpack-c-static)
else()
  pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack)
  set(MSGPACK_LIBRARY PkgConfig::MSGPACK)
endif()
