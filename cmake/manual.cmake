# Writes manual pages and completions with the program that was just built.
#
#   cmake -DPROGRAM=... -DOUT=... "-DCOMMANDS=run,eval,..." "-DEMULATOR=..."
#         -P manual.cmake
#
# OUT/man1 gets one page per command, OUT/completions one file per shell. EMULATOR
# runs a program of another machine, with its arguments after commas; it is empty
# for a program of this machine.
string(REPLACE "," ";" EMULATOR "${EMULATOR}")

function(write file)
  execute_process(COMMAND ${EMULATOR} ${PROGRAM} ${ARGN} OUTPUT_FILE ${file}
                  RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "${PROGRAM} ${ARGN} failed (${failed}). A program that was "
      "built for another machine is run by CMAKE_CROSSCOMPILING_EMULATOR.")
  endif()
endfunction()

# Removes the pages of commands that no longer exist.
file(REMOVE_RECURSE ${OUT}/man1 ${OUT}/completions)
file(MAKE_DIRECTORY ${OUT}/man1 ${OUT}/completions)
write(${OUT}/man1/promptcc.1 man)
string(REPLACE "," ";" COMMANDS "${COMMANDS}")
foreach(name IN LISTS COMMANDS)
  write(${OUT}/man1/promptcc-${name}.1 man ${name})
endforeach()
write(${OUT}/completions/promptcc completion bash)
write(${OUT}/completions/_promptcc completion zsh)
write(${OUT}/completions/promptcc.fish completion fish)
