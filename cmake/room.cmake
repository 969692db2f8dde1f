# add_room(NAME SOURCES ... USES ...): one static library per folder.
#
# Sources are listed by name. USES names the rooms and packages that this one may
# include. Nothing else is linked, so a forbidden dependency does not build.
function(add_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ROOM_USES} Threads::Threads m)
endfunction()

# list_sources(OUT FILE MACRO FOLDER): lists FOLDER<name>.c for every line
# MACRO(..., <name>) of FILE, which is a list that C includes as well.
function(list_sources out file macro folder)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^${macro}\\(")
  list(TRANSFORM lines REPLACE "^${macro}\\((.*, *)?([a-z0-9_]+)\\)$"
       "${folder}\\2.c")
  set(${out} ${lines} PARENT_SCOPE)
endfunction()
