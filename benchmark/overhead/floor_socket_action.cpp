/// The least a call can cost on libcurl, driven by epoll and curl_multi_socket_action.
#include "curl_calls.hpp"
#include "multi_driver.hpp"

int main(int argc, char** argv) {
  bench::CurlCalls calls(bench::read_client(argc, argv));
  bench::MultiDriver driver(calls.multi());
  calls.start();
  while (!calls.meter().finished()) {
    driver.turn();
    calls.turn();
  }
  return calls.meter().report();
}
