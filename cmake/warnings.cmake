# llmroute_warnings(target): the warnings every target of ours is built with, and no one else's.
function(llmroute_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
    $<$<BOOL:${LLMROUTE_WERROR}>:-Werror>
    # g++ 12 takes a promise's own operator new for a mismatch with the global one.
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-mismatched-new-delete>)
endfunction()
