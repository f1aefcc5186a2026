#include "plain_c.h"

#include <stdio.h>
#include <string.h>

#include "llmroute.h"

static const char body[] = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

static int is_n1(const llmroute_reply *reply) { return strcmp(llmroute_reply_node(reply, NULL), "n1") == 0; }

static int plain(llmroute_router *router) {
  llmroute_reply *reply = NULL;
  int good = llmroute_route(router, body, strlen(body), NULL, &reply, NULL) == LLMROUTE_OK && is_n1(reply);
  llmroute_reply_free(reply);
  return good;
}

static int streamed(llmroute_router *router) {
  llmroute_stream *stream = NULL;
  const llmroute_event *event = NULL;
  int good = 0;
  if (llmroute_stream_open(router, body, strlen(body), NULL, &stream, NULL) == LLMROUTE_OK) {
    do {
      good = llmroute_stream_next(stream, &event, NULL) == LLMROUTE_OK;
    } while (good && event != NULL);
    good = good && is_n1(llmroute_stream_reply(stream));
  }
  llmroute_stream_free(stream);
  return good;
}

static void on_done(void *user_data, llmroute_status status, llmroute_reply *reply, llmroute_error *error) {
  *(int *)user_data = status == LLMROUTE_OK && is_n1(reply);
  llmroute_reply_free(reply);
  llmroute_error_free(error);
}

static int called_back(llmroute_router *router) {
  llmroute_callbacks callbacks = {0};
  llmroute_call *call = NULL;
  int good = 0;
  callbacks.struct_size = sizeof callbacks;
  callbacks.user_data = &good;
  callbacks.on_done = on_done;
  if (llmroute_call_start(router, body, strlen(body), NULL, &callbacks, &call, NULL) == LLMROUTE_OK) {
    llmroute_call_wait(call);
  }
  llmroute_call_free(call);
  return good;
}

int plain_c_calls(const char *url) {
  char config[256];
  llmroute_router *router = NULL;
  int good = 0;
  snprintf(config, sizeof config, "{\"nodes\":[{\"name\":\"n1\",\"url\":\"%s\",\"models\":[\"m\"]}]}", url);
  if (llmroute_router_new(config, strlen(config), &router, NULL) == LLMROUTE_OK) {
    good = plain(router) + streamed(router) + called_back(router);
  }
  llmroute_router_free(router);
  return good;
}
