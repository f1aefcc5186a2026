# llmroute_example(name): one main.cpp on the library's public headers.
function(llmroute_example name)
  add_executable(example_${name} ${CMAKE_CURRENT_SOURCE_DIR}/main.cpp)
  target_link_libraries(example_${name} PRIVATE llmroute::llmroute)
  llmroute_warnings(example_${name})
  llmroute_instrument(example_${name})
endfunction()
