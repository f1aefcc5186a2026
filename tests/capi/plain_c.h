/* A caller in plain C99, compiled with -pedantic -Werror. */
#ifndef LLMROUTE_TESTS_PLAIN_C_H
#define LLMROUTE_TESTS_PLAIN_C_H

#ifdef __cplusplus
extern "C" {
#endif

/* Asks the node once plain, once as a stream, once with callbacks. How many of the three gave the
   node's name and no error. */
int plain_c_calls(const char *url);

#ifdef __cplusplus
}
#endif

#endif
