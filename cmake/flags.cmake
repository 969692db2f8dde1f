# Compiler flags for everything that we build.

include(CheckCCompilerFlag)

add_compile_definitions(_POSIX_C_SOURCE=200809L _XOPEN_SOURCE=700
                        PROMPTCC_VERSION="${PROJECT_VERSION}")
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith -Wundef
  # Rows of tables name only the members that they set; the rest is zero on
  # purpose.
  -Wno-missing-field-initializers
  # A long string in a table may span two lines (clang only; gcc ignores it).
  -Wno-string-concatenation
  # Rooms are position-independent for the shared library. Nobody replaces our
  # functions at run time, so calls within a file may still be inlined.
  -fno-semantic-interposition
  # Scores are sums of doubles, which must have the same bytes on every machine.
  -ffp-contract=off)
# Our constants are enumerators, and some are multiplied with doubles, which
# newer clangs warn about (21 does, 14 does not).
check_c_compiler_flag(-Wenum-float-conversion KNOWS_ENUM_FLOAT_CONVERSION)
if(KNOWS_ENUM_FLOAT_CONVERSION)
  add_compile_options(-Wno-enum-float-conversion)
endif()
add_link_options(-Wl,--as-needed)

if(PROMPTCC_SANITIZE)
  add_compile_options(-fsanitize=${PROMPTCC_SANITIZE}
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PROMPTCC_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
