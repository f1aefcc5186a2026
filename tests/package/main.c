/* A program of somebody else's in C. */
#include <llmroute.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  const char config[] = "{\"nodes\":[{\"url\":\"http://127.0.0.1:9\"}]}";
  llmroute_router *router = NULL;
  llmroute_status status = llmroute_router_new(config, strlen(config), &router, NULL);
  printf("llmroute %s, %s\n", llmroute_version(), llmroute_status_name(status));
  llmroute_router_free(router);
  return 0;
}
