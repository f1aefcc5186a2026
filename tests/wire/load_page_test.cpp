// How loaded a node is, from its page of metrics.
#include <catch2/catch.hpp>
#include <llmroute/wire/load_page.hpp>

#include "wire/captures.hpp"

using namespace llmroute;
using namespace llmroute::test;
using wire::read_load_page;

namespace {

struct Page {
  const char* engine;
  const char* text;
  std::optional<double> running;
  std::optional<double> waiting;
  std::optional<double> usage;
};

}  // namespace

TEST_CASE("every engine's own names are read", "[wire][load]") {
  const Page page = GENERATE(
      Page{"vLLM V1",
           "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"
           "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 2.0\n"
           "vllm:num_requests_waiting_by_reason{engine=\"0\",reason=\"capacity\"} 9.0\n"
           "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.25\n",
           3, 2, 0.25},
      Page{"vLLM V0",
           "vllm:num_requests_running{model_name=\"m\"} 1\n"
           "vllm:gpu_cache_usage_perc{model_name=\"m\"} 0.5\n",
           1, std::nullopt, 0.5},
      Page{"vLLM with both names of the cache",
           "vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc 0.25\n", std::nullopt,
           std::nullopt, 0.25},
      Page{"SGLang",
           "sglang:num_running_reqs{model_name=\"m\"} 4\nsglang:num_queue_reqs 5\n"
           "sglang:token_usage 0.75\n",
           4, 5, 0.75},
      Page{"SGLang, for whom a colon is no part of a name",
           "sglang_num_running_reqs 4\nsglang_num_queue_reqs 5\nsglang_token_usage 0.75\n", 4, 5,
           0.75},
      Page{"TGI", "tgi_batch_current_size 6\ntgi_queue_size 7\n", 6, 7, std::nullopt},
      Page{"llama.cpp",
           "llamacpp:requests_processing 2\nllamacpp:requests_deferred 1\n"
           "llamacpp:kv_cache_usage_ratio 0.125\n",
           2, 1, 0.125},
      Page{"Triton",
           "nv_trt_llm_request_metrics{model=\"m\",request_type=\"waiting\",version=\"1\"} 8\n"
           "nv_trt_llm_request_metrics{model=\"m\",request_type=\"scheduled\",version=\"1\"} 7\n"
           "nv_trt_llm_request_metrics{model=\"m\",request_type=\"max\",version=\"1\"} 512\n"
           "nv_trt_llm_request_metrics{model=\"m\",request_type=\"active\",version=\"1\"} 15\n"
           "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"fraction\",model=\"m\"} 0.5\n"
           "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"used\",model=\"m\"} 99\n",
           7, 8, 0.5},
      Page{"Triton that has no figure for those who wait",
           "nv_trt_llm_request_metrics{request_type=\"scheduled\"} 7\n"
           "nv_trt_llm_request_metrics{request_type=\"active\"} 9\n",
           7, 2, std::nullopt},
      Page{"TensorRT-LLM",
           "trtllm_num_requests_running 1\ntrtllm_num_requests_waiting 2\n"
           "trtllm_kv_cache_utilization 0.5\n",
           1, 2, 0.5},
      Page{"TensorRT-LLM behind another's page",
           "trtllm:num_requests_running 1\ntrtllm:num_requests_waiting 2\n"
           "trtllm:kv_cache_utilization 0.5\n",
           1, 2, 0.5});
  CAPTURE(page.engine);
  const LoadReport report = read_load_page(page.text);
  CHECK(report.running == page.running);
  CHECK(report.waiting == page.waiting);
  CHECK(report.kv_cache_usage == page.usage);
}

TEST_CASE("a recorded page is read", "[wire][load]") {
  const LoadReport report = read_load_page(capture("llamacpp_metrics"));
  CHECK(report.running == 0);
  CHECK(report.waiting == 0);
  CHECK_FALSE(report.max_fds);
}

TEST_CASE("a page without a known name tells nothing, which is not zero", "[wire][load]") {
  const char* page = GENERATE(
      "", "\n\n", "# HELP vllm:num_requests_running Requests.\n", "{\"detail\":\"Not Found\"}",
      "vllm:requests_running 3\n", "vllm:num_requests_running\n", "vllm:num_requests_running \n",
      "vllm:num_requests_running{model=\"m\" 3\n", "vllm:num_requests_running_total 3\n",
      "nv_trt_llm_request_metrics{other_request_type=\"scheduled\"} 3\n", "<html>3</html>");
  CAPTURE(page);
  CHECK(read_load_page(page).empty());
}

TEST_CASE("what is no number of requests tells nothing", "[wire][load]") {
  const char* value = GENERATE("NaN", "nan", "+Inf", "-Inf", "inf", "-1", "3x", "0x10", "three",
                               "1e999", "--1", "+");
  CAPTURE(value);
  CHECK(read_load_page(std::string("tgi_queue_size ") + value + "\n").empty());
}

TEST_CASE("numbers are read as they are written", "[wire][load]") {
  const auto [text, value] = GENERATE(table<const char*, double>({{"2e1", 20},
                                                                  {"2.5E-1", 0.25},
                                                                  {"+4", 4},
                                                                  {"7 1700000000000", 7},
                                                                  {"8\t", 8},
                                                                  {"9\r", 9},
                                                                  {"5 # {trace_id=\"x\"} 1", 5}}));
  CAPTURE(text);
  CHECK(read_load_page(std::string("tgi_queue_size ") + text + "\n").waiting == value);
}

TEST_CASE("the engines and models of one node count together", "[wire][load]") {
  const LoadReport report = read_load_page(
      "vllm:num_requests_running{engine=\"0\",model_name=\"a\"} 3\n"
      "vllm:num_requests_running{engine=\"1\",model_name=\"a\"} 4\n"
      "vllm:num_requests_running{engine=\"1\",model_name=\"b \\\"}} 9\\\\\"} 5\n"
      "vllm:num_requests_running{engine=\"2\",model_name=\"a\"} NaN\n"
      "vllm:kv_cache_usage_perc{engine=\"0\"} 0.9\n"
      "vllm:kv_cache_usage_perc{engine=\"1\"} 0.1\n"
      "process_max_fds 65536");
  CHECK(report.running == 12);
  CHECK(report.kv_cache_usage == 0.9);  // the fullest
  CHECK(report.max_fds == 65536);
}

TEST_CASE("a page that is one long line is read at once", "[wire][load]") {
  const std::string labels = "tgi_queue_size{x=\"" + std::string(4 << 20, '\\');
  CHECK(read_load_page(labels).empty());
  CHECK(read_load_page(std::string(4 << 20, '{')).empty());
}
