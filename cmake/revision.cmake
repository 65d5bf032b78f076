# Writes OUTPUT, a header with the git revision of SOURCE, when it changed.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --match=v*
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE code)
if(code)
  set(revision unknown)
endif()
set(text "/// Git revision of this build. Generated at build time.\n#pragma once\n\n#define LIBSOLVE_GIT_REVISION \"${revision}\"\n")
set(old)
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
