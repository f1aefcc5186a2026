/// The least a call can cost on libcurl, driven by curl_multi_poll.
#include "curl_calls.hpp"

int main(int argc, char** argv) {
  bench::CurlCalls calls(bench::read_client(argc, argv));
  calls.start();
  for (;;) {
    int running = 0;
    curl_multi_perform(calls.multi(), &running);
    calls.turn();
    if (calls.meter().finished()) return calls.meter().report();
    curl_multi_poll(calls.multi(), nullptr, 0, 1000, nullptr);
  }
}
