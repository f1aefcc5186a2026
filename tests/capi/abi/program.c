/* A program of the day when the header beside it was the newest. It has to run against every later library. */
#include <stdio.h>
#include <string.h>

#include LLMROUTE_HEADER

static const char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

static uint32_t pick_last(void *user_data, const llmroute_pick *pick) {
  ++*(int *)user_data;
  return llmroute_pick_count(pick) - 1;
}

static void count_call(void *user_data, const llmroute_call_event *event) {
  if (event->status == LLMROUTE_OK && event->usage.total_tokens >= 0) ++*(int *)user_data;
}

static int32_t on_event(void *user_data, const llmroute_event *event) {
  *(size_t *)user_data += event->raw_len;
  return 0;
}

static void on_done(void *user_data, llmroute_status status, llmroute_reply *reply, llmroute_error *error) {
  (void)user_data;
  printf("%s by %s\n", llmroute_status_name(status), llmroute_reply_node(reply, NULL));
  llmroute_reply_free(reply);
  llmroute_error_free(error);
}

static int fail(const char *what, llmroute_error *error) {
  fprintf(stderr, "%s: %s\n", what, llmroute_error_message(error, NULL));
  llmroute_error_free(error);
  return 1;
}

int main(int argc, char **argv) {
  char config[512];
  int picks = 0, calls = 0;
  size_t bytes = 0;
  llmroute_router *router = NULL;
  llmroute_reply *reply = NULL;
  llmroute_call *call = NULL;
  llmroute_error *error = NULL;
  llmroute_strategy strategy = {0};
  llmroute_observer observer = {0};
  llmroute_callbacks callbacks = {0};
  llmroute_call_options options = {0};
  if (argc < 2 || llmroute_abi() != LLMROUTE_ABI) return 2;

  snprintf(config, sizeof config, "{\"nodes\":[{\"name\":\"a\",\"url\":\"%s\"}]}", argv[1]);
  if (llmroute_router_new(config, strlen(config), &router, &error) != LLMROUTE_OK) return fail("router", error);
  strategy.struct_size = sizeof strategy;
  strategy.user_data = &picks;
  strategy.pick = pick_last;
  observer.struct_size = sizeof observer;
  observer.user_data = &calls;
  observer.on_call = count_call;
  if (llmroute_router_use_strategy(router, &strategy, &error) != LLMROUTE_OK) return fail("strategy", error);
  if (llmroute_router_use_observer(router, &observer, &error) != LLMROUTE_OK) return fail("observer", error);

  options.struct_size = sizeof options;
  options.max_attempts = 2;
  options.priority = 1;
  if (llmroute_route(router, body, strlen(body), &options, &reply, &error) != LLMROUTE_OK) return fail("route", error);
  printf("ok by %s\n", llmroute_reply_node(reply, NULL));
  llmroute_reply_free(reply);

  callbacks.struct_size = sizeof callbacks;
  callbacks.user_data = &bytes;
  callbacks.on_event = on_event;
  callbacks.on_done = on_done;
  if (llmroute_call_start(router, body, strlen(body), &options, &callbacks, &call, &error) != LLMROUTE_OK)
    return fail("start", error);
  llmroute_call_wait(call);
  llmroute_call_free(call);
  llmroute_router_free(router);
  printf("%d picks, %d calls, %s\n", picks, calls, bytes > 0 ? "streamed" : "silent");
  return 0;
}
