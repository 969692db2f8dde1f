# cmake -DOUT=FILE.c -DFOLDERS="name=folder,name=folder" -P templates.cmake
#
# Writes the files of folders as arrays of a C source (cli/templates.h).
set(arrays "")
set(rows "")
set(n 0)
string(REPLACE "," ";" pairs "${FOLDERS}")
foreach(pair IN LISTS pairs)
  string(REGEX MATCH "^([^=]+)=(.*)$" _ "${pair}")
  set(name "${CMAKE_MATCH_1}")
  file(GLOB files LIST_DIRECTORIES false
       "${CMAKE_MATCH_2}/*.yaml" "${CMAKE_MATCH_2}/*.jsonl")
  list(SORT files)
  foreach(path IN LISTS files)
    get_filename_component(base "${path}" NAME)
    # Files that a run left beside the job do not belong to it.
    if(base MATCHES "^(compiled|promptcc)")
      continue()
    endif()
    file(READ "${path}" hex HEX)
    string(LENGTH "${hex}" len)
    math(EXPR len "${len} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE
           "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
           "\\1\n    " bytes "${bytes}")
    string(APPEND arrays
           "static const unsigned char file_${n}[] = {\n    ${bytes}0};\n\n")
    string(APPEND rows "    {\"${name}\", \"${base}\", file_${n}, ${len}},\n")
    math(EXPR n "${n} + 1")
  endforeach()
endforeach()
file(WRITE "${OUT}"
     "// Made by cmake/templates.cmake.\n#include \"cli/templates.h\"\n\n${arrays}"
     "const struct template_file template_files[] = {\n${rows}};\n"
     "const size_t n_template_files = ${n};\n")
