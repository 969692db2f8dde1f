# add_room(NAME SOURCES ... USES ...): one static library per folder.
#
# Sources are listed by name. USES names the rooms and packages that this one
# may include; nothing else is linked, so a forbidden arrow does not build.
function(add_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ROOM_USES} Threads::Threads m)
endfunction()
