# llmroute_instrument(target): sanitizers and coverage as the options ask, for one target.
function(llmroute_instrument target)
  if(LLMROUTE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${LLMROUTE_SANITIZE} -fno-sanitize-recover=all
      -fno-omit-frame-pointer
      # Under sanitizers g++ 12 sees uninitialised values in std::regex, std::optional and std::variant that are none.
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_link_options(${target} PUBLIC -fsanitize=${LLMROUTE_SANITIZE})
  endif()
  if(LLMROUTE_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -fno-inline -fprofile-update=atomic)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()
