# Run by embed_text: writes SOURCE as a C string named SYMBOL into OUTPUT. It
# writes character constants, since a byte above 127 does not fit into a signed
# char.
file(READ ${SOURCE} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1', " bytes "${hex}")
string(REGEX REPLACE
  "('.x..', '.x..', '.x..', '.x..', '.x..', '.x..', '.x..', '.x..', )"
  "\\1\n    " bytes "${bytes}")
get_filename_component(name ${SOURCE} NAME)
file(WRITE ${OUTPUT}
  "// Made from ${name}.\n\n"
  "extern const char ${SYMBOL}[];\n"
  "const char ${SYMBOL}[] = {\n    ${bytes}0x00};\n")
