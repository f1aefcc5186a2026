/// The version of the headers a program was compiled with. The build reads the number from here
/// too.
#pragma once

#define LLMROUTE_VERSION_MAJOR 0
#define LLMROUTE_VERSION_MINOR 1
#define LLMROUTE_VERSION_PATCH 0

namespace llmroute {

/// The version of the library that runs, as "major.minor.patch". Thread safe, never freed.
const char* version() noexcept;

}  // namespace llmroute
