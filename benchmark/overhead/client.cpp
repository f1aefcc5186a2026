#include "client.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bench {

Client read_client(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s PORT plain|stream CALLS [IN_FLIGHT]\n", argv[0]);
    std::exit(2);
  }
  Client client{.port = std::atoi(argv[1]),
                .stream = std::string_view(argv[2]) == "stream",
                .calls = std::atol(argv[3])};
  if (argc > 4) client.in_flight = std::atoi(argv[4]);
  client.in_flight = static_cast<int>(std::min<long>(client.in_flight, client.calls));
  return client;
}

}  // namespace bench
