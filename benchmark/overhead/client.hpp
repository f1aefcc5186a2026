/// What every client here is asked to do, from its command line.
#pragma once

#include <string>

namespace bench {

struct Client {
  int port = 0;
  bool stream = false;
  long calls = 0;
  int in_flight = 32;

  std::string node() const { return "http://127.0.0.1:" + std::to_string(port); }
};

/// PORT plain|stream CALLS [IN_FLIGHT]; a usage line and exit 2 otherwise.
Client read_client(int argc, char** argv);

}  // namespace bench
