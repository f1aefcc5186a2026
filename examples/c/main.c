/* llmroute from C: example_c http://gpu-1:8000 ...
 *
 * A plain call, a stream to pull from, a call that is cancelled from its callback, and a strategy of one's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "llmroute.h"

static const char question[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

static int fail(llmroute_error *error) {
  fprintf(stderr, "%s: %s\n", llmroute_error_name(error), llmroute_error_message(error, NULL));
  llmroute_error_free(error);
  return 1;
}

static int chat(llmroute_router *router) {
  llmroute_reply *reply;
  llmroute_error *error;
  if (llmroute_route(router, question, strlen(question), NULL, &reply, &error) != LLMROUTE_OK) return fail(error);
  printf("chat: %s answered\n", llmroute_reply_node(reply, NULL));
  llmroute_reply_free(reply);
  return 0;
}

static int stream(llmroute_router *router) {
  llmroute_stream *stream;
  const llmroute_event *event;
  llmroute_error *error;
  if (llmroute_stream_open(router, question, strlen(question), NULL, &stream, &error) != LLMROUTE_OK) return fail(error);
  printf("stream: ");
  while (llmroute_stream_next(stream, &event, &error) == LLMROUTE_OK && event != NULL) {
    char *text;
    if (llmroute_chunk_text(event->data, event->data_len, &text, NULL) == LLMROUTE_OK) fputs(text, stdout);
    llmroute_text_free(text);
  }
  printf("\n");
  llmroute_stream_free(stream);
  return error == NULL ? 0 : fail(error); /* the node died in mid-answer: llmroute_error_partial has what it said */
}

/* What the callbacks of a call share. */
struct progress {
  int events;
  llmroute_status status;
};

/* On the router's thread. Anything but 0 cancels. */
static int32_t stop_at_once(void *user_data, const llmroute_event *event) {
  (void)event;
  ((struct progress *)user_data)->events++;
  return 1;
}

static void note_end(void *user_data, llmroute_status status, llmroute_reply *reply, llmroute_error *error) {
  ((struct progress *)user_data)->status = status;
  llmroute_reply_free(reply);
  llmroute_error_free(error);
}

static int cancel(llmroute_router *router) {
  struct progress progress = {0, LLMROUTE_OK};
  llmroute_callbacks callbacks = {sizeof callbacks, &progress, NULL, stop_at_once, note_end};
  llmroute_call *call;
  llmroute_error *error;
  if (llmroute_call_start(router, question, strlen(question), NULL, &callbacks, &call, &error) != LLMROUTE_OK)
    return fail(error);
  llmroute_call_wait(call);
  llmroute_call_free(call);
  printf("cancel: %s after %d event\n", llmroute_status_name(progress.status), progress.events);
  return 0;
}

/* The fewest calls in flight; of equals the last. */
static uint32_t last_idle(void *user_data, const llmroute_pick *pick) {
  uint32_t best = 0, i;
  (void)user_data;
  for (i = 1; i < llmroute_pick_count(pick); ++i) {
    if (llmroute_pick_in_flight(pick, i) <= llmroute_pick_in_flight(pick, best)) best = i;
  }
  return best;
}

static int own_strategy(llmroute_router *router) {
  llmroute_strategy strategy = {sizeof strategy, NULL, last_idle, NULL, NULL};
  llmroute_reply *reply;
  llmroute_error *error;
  if (llmroute_router_use_strategy(router, &strategy, &error) != LLMROUTE_OK) return fail(error);
  if (llmroute_route(router, question, strlen(question), NULL, &reply, &error) != LLMROUTE_OK) return fail(error);
  printf("strategy: %s\n", llmroute_reply_node(reply, NULL));
  llmroute_reply_free(reply);
  return 0;
}

/* {"nodes":[{"url":"..."},...]}; to be freed. */
static char *config_for(char **urls, int count) {
  size_t size = 32;
  char *config;
  int i;
  for (i = 0; i < count; ++i) size += strlen(urls[i]) + 16;
  config = malloc(size);
  if (config == NULL) exit(1);
  strcpy(config, "{\"nodes\":[");
  for (i = 0; i < count; ++i) sprintf(config + strlen(config), "%s{\"url\":\"%s\"}", i > 0 ? "," : "", urls[i]);
  strcat(config, "]}");
  return config;
}

/* A router for each part: a strategy is set before the first call. */
static int with_router(const char *config, int (*part)(llmroute_router *)) {
  llmroute_router *router;
  llmroute_error *error;
  int code;
  if (llmroute_router_new(config, strlen(config), &router, &error) != LLMROUTE_OK) return fail(error) + 1;
  code = part(router);
  llmroute_router_free(router);
  return code;
}

int main(int argc, char **argv) {
  int (*const parts[])(llmroute_router *) = {chat, stream, cancel, own_strategy};
  int code = 0;
  size_t i;
  char *config;
  if (argc < 2) {
    fprintf(stderr, "usage: %s NODE_URL...\n", argv[0]);
    return 2;
  }
  config = config_for(argv + 1, argc - 1);
  for (i = 0; i < sizeof parts / sizeof *parts && code == 0; ++i) code = with_router(config, parts[i]);
  free(config);
  return code;
}
