# llmroute_warnings(target): the warnings every target of ours is built with, and no one else's.
function(llmroute_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
    $<$<BOOL:${LLMROUTE_WERROR}>:-Werror>
    # Of files compiled as one, names of the one stand in the way of names of the other.
    $<$<BOOL:${CMAKE_UNITY_BUILD}>:-Wno-shadow>
    $<$<AND:$<BOOL:${CMAKE_UNITY_BUILD}>,$<COMPILE_LANG_AND_ID:CXX,GNU>>:-Wno-subobject-linkage>
    # Once more is inlined, g++ 12 follows a variant into the alternative that it does not hold.
    $<$<AND:$<BOOL:${CMAKE_UNITY_BUILD}>,$<COMPILE_LANG_AND_ID:CXX,GNU>>:-Wno-maybe-uninitialized>
    # g++ 12 takes a promise's own operator new for a mismatch with the global one.
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-mismatched-new-delete>)
endfunction()
