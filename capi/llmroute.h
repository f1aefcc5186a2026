/* llmroute: the load balancer for LLM inference that lives inside your process. C interface.
 *
 *   llmroute_router *router = NULL;
 *   llmroute_reply *reply = NULL;
 *   llmroute_error *error = NULL;
 *   if (llmroute_router_new(config, strlen(config), &router, &error) == LLMROUTE_OK &&
 *       llmroute_route(router, body, strlen(body), NULL, &reply, &error) == LLMROUTE_OK)
 *     puts(llmroute_reply_body(reply, NULL));
 *   else
 *     fputs(llmroute_error_message(error, NULL), stderr);
 *   llmroute_reply_free(reply);
 *   llmroute_error_free(error);
 *   llmroute_router_free(router);
 *
 * What holds for every function, unless it says otherwise:
 *
 * Text      is UTF-8, given as pointer and length; NULL with length 0 is text that was not given.
 *           What is given is borrowed until the function returns. What an accessor gives is
 *           borrowed from its object and lives as long, ends with a NUL that its length does not
 *           count, and is "" where there is none; its length goes to *len, which may be NULL.
 * Objects   are opaque. Who is given one through an `_out` parameter owns it and ends it with its
 *           `_free`, which takes NULL, and may be called from inside a callback: then the object
 *           goes when the function that called back returns.
 * Errors    A function that can fail returns LLMROUTE_OK (0) or one of the numbers below. With
 *           error_out not NULL, *error_out becomes an error of the caller's, else NULL. Other
 *           outputs are written only on success, NULL before. Want of memory is LLMROUTE_INTERNAL.
 * Misuse    NULL where something is needed, an object of another kind, text longer than memory can
 *           be: LLMROUTE_INVALID_ARGUMENT, or for accessors 0, "" or NULL. An object that was freed
 *           lately is recognised too, as a help and not to be relied on.
 * Threads   Any, at once, but for what is said at loops, streams and callbacks. No object is freed
 *           while another thread reads from it.
 * Callbacks get their `user_data`, say which thread calls them, and must not unwind or longjmp out
 *           of themselves. What they are given is borrowed until they return.
 * Structs   that the caller fills begin with struct_size = sizeof(the struct); the rest is zero
 *           where nothing is wanted. They grow at the end: a field that the caller's header had not
 *           yet is zero, one that this library does not know must be zero.
 * Since     version 0.1, all of it. Numbers are never reused, signatures never change: LLMROUTE_ABI
 *           is the number in the shared library's name.
 */
#ifndef LLMROUTE_H
#define LLMROUTE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define LLMROUTE_API __attribute__((visibility("default")))
#else
#define LLMROUTE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version -------------------------------------------------------------------------------- */

#define LLMROUTE_VERSION_MAJOR 0
#define LLMROUTE_VERSION_MINOR 1
#define LLMROUTE_VERSION_PATCH 0
#define LLMROUTE_ABI 0

/* The version of the library that runs, "0.1.0". Static. */
LLMROUTE_API const char *llmroute_version(void);

/* LLMROUTE_ABI of the library that runs: the same number, the same interface. */
LLMROUTE_API int32_t llmroute_abi(void);

/* ---- Status --------------------------------------------------------------------------------- */

typedef int32_t llmroute_status;

#define LLMROUTE_OK 0
#define LLMROUTE_INVALID_ARGUMENT 1    /* the request cannot be sent, or the call is misuse */
#define LLMROUTE_INVALID_CONFIG 2      /* the message names place, key and the nearest right one */
#define LLMROUTE_MODEL_NOT_FOUND 3     /* no node serves the model */
#define LLMROUTE_NODE_REJECTED 4       /* a node refused the request: its status and body */
#define LLMROUTE_RATE_LIMITED 5        /* the nodes' own limits: see retry_after */
#define LLMROUTE_QUEUE_FULL 6          /* too many calls wait already */
#define LLMROUTE_QUEUE_TIMEOUT 7       /* the call waited too long for its turn */
#define LLMROUTE_NO_HEALTHY_NODE 8     /* no node may be asked now */
#define LLMROUTE_CONNECT_FAILED 9      /* no connection to a node */
#define LLMROUTE_TLS_FAILED 10         /* handshake or certificate */
#define LLMROUTE_UPSTREAM_TIMEOUT 11   /* a node was silent for too long */
#define LLMROUTE_UPSTREAM_ERROR 12     /* a node answered with a failure of its own */
#define LLMROUTE_BAD_UPSTREAM 13       /* what came is not an answer */
#define LLMROUTE_STREAM_INTERRUPTED 14 /* died after its first content: see partial */
#define LLMROUTE_DEADLINE_EXCEEDED 15  /* the call's own deadline */
#define LLMROUTE_CANCELLED 16          /* by the caller */
#define LLMROUTE_FORKED 17             /* forked under the call: this is the child process */
#define LLMROUTE_SHUTTING_DOWN 18      /* the router was freed under the call */
#define LLMROUTE_INTERNAL 19           /* this side's fault, or no memory */

/* "queue_full" for LLMROUTE_QUEUE_FULL, "ok" for LLMROUTE_OK, "unknown" for no status. Static. */
LLMROUTE_API const char *llmroute_status_name(llmroute_status status);

/* ---- Objects -------------------------------------------------------------------------------- */

typedef struct llmroute_router llmroute_router;   /* chooses nodes and makes calls */
typedef struct llmroute_reply llmroute_reply;     /* a whole answer, or a stream's end */
typedef struct llmroute_error llmroute_error;     /* why there is none */
typedef struct llmroute_stream llmroute_stream;   /* a stream to pull from */
typedef struct llmroute_call llmroute_call;       /* a call with callbacks */
typedef struct llmroute_loop llmroute_loop;       /* an event loop of the application's */
typedef struct llmroute_headers llmroute_headers; /* HTTP fields; borrowed, never freed */
typedef struct llmroute_pick llmroute_pick;       /* what a strategy chooses from; borrowed */
typedef struct llmroute_head llmroute_head;       /* how a stream begins; borrowed */

/* Text that a function gave through a char **: to be freed with this. */
LLMROUTE_API void llmroute_text_free(char *text);

/* ---- Router --------------------------------------------------------------------------------- */

/* Makes a router of a configuration in JSON, the tree that the guide's configuration page lists:
   {"nodes":[{"url":"http://gpu-1:8000"},{"url":"http://gpu-2:8000"}]}. Starts no thread yet. */
LLMROUTE_API llmroute_status llmroute_router_new(const char *config_json, size_t config_len,
                                                 llmroute_router **router_out,
                                                 llmroute_error **error_out);

/* Ends the router: calls of llmroute_call_start end with LLMROUTE_SHUTTING_DOWN, streams and calls
   on loops go on. When this returns those on_done have returned, with two exceptions. From a
   callback of the router's own thread nothing is waited for. And while a function is under way that
   was given this router (on another thread, or the one whose callback calls this), the router is
   only marked: no function takes it any more, and the last one that returns does the rest. */
LLMROUTE_API void llmroute_router_free(llmroute_router *router);

/* Adds a node, given as one entry of "nodes" in the configuration. A name that is taken is an
   LLMROUTE_INVALID_ARGUMENT. */
LLMROUTE_API llmroute_status llmroute_router_add_node(llmroute_router *router,
                                                      const char *node_json, size_t node_len,
                                                      llmroute_error **error_out);

/* Gives the node of that name a new configuration, whole; what is known of the node stays. */
LLMROUTE_API llmroute_status llmroute_router_update_node(llmroute_router *router,
                                                         const char *node_json, size_t node_len,
                                                         llmroute_error **error_out);

/* Removes a node. Calls on it go on to their end. */
LLMROUTE_API llmroute_status llmroute_router_remove_node(llmroute_router *router, const char *name,
                                                         size_t name_len,
                                                         llmroute_error **error_out);

/* With drain not 0 the node takes no new calls, with 0 it does again. */
LLMROUTE_API llmroute_status llmroute_router_drain_node(llmroute_router *router, const char *name,
                                                        size_t name_len, int32_t drain,
                                                        llmroute_error **error_out);

/* Takes over another configuration while calls run, all or nothing: nodes (what is known of those
   that stay is kept), models, limits, timeouts, and of "router" what concerns single calls. Calls
   under way go on with what they began with. *json_out, which may not be asked for (NULL), becomes a
   list of what differs and holds from the next start only: ["health","router.seed"]. */
LLMROUTE_API llmroute_status llmroute_router_reload(llmroute_router *router,
                                                    const char *config_json, size_t config_len,
                                                    char **json_out, size_t *len_out,
                                                    llmroute_error **error_out);

/* What is known of every node, as JSON: {"nodes":[{"name","url","healthy","draining","weight",
   "capacity","in_flight","requests","failures","connect_errors","timeout_errors","status_errors",
   "protocol_errors","latency_ewma_seconds","first_content_ewma_seconds",
   "latency_p50_seconds","latency_p95_seconds","first_content_p50_seconds",
   "first_content_p95_seconds","breaker","breaker_opened","breaker_retry_in_seconds","models":[],"keys","keys_resting",
   "reported":{"running","waiting","kv_cache_usage","max_fds","age_seconds"}}],
   "models":[],"queue_depth","in_flight"}. "reported" is what the node says of its load, or null;
   what it does not say is null in it. */
LLMROUTE_API llmroute_status llmroute_router_snapshot(llmroute_router *router, char **json_out,
                                                      size_t *len_out, llmroute_error **error_out);

/* ---- Calls: what all forms take ------------------------------------------------------------- */

/* One HTTP field. */
typedef struct llmroute_field {
  const char *name;
  size_t name_len;
  const char *value;
  size_t value_len;
} llmroute_field;

#define LLMROUTE_RESUME_DEFAULT 0     /* as configured */
#define LLMROUTE_RESUME_OFF 1         /* a stream that dies after its first content is over */
#define LLMROUTE_RESUME_SAFE 2        /* goes on elsewhere where that equals the uncut stream */
#define LLMROUTE_RESUME_BEST_EFFORT 3 /* also where it is only plausible */

/* What one call wants that differs from the configuration. NULL: nothing. */
typedef struct llmroute_call_options {
  size_t struct_size;
  uint32_t timeout_ms;     /* of the whole call; 0: as configured */
  uint32_t max_attempts;   /* of the whole call, 1: no retry; 0: as configured */
  const char *path;        /* not given: /v1/chat/completions */
  size_t path_len;
  const char *tenant;      /* who pays: fair queueing, metrics */
  size_t tenant_len;
  const char *session_key; /* keeps a conversation together, for strategies that care */
  size_t session_key_len;
  const char *request_id;  /* sent as X-Request-ID; not given: the router makes one */
  size_t request_id_len;
  const llmroute_field *headers; /* sent to the node beside the router's own */
  size_t header_count;
  int32_t priority;        /* in the queue: higher first */
  int32_t resume;          /* LLMROUTE_RESUME_... */
  const char *method;      /* "GET", ...; not given: POST. Anything but JSON posted to a path on
                              which a model answers goes as it is to the first node that serves it:
                              for llmroute_route and calls without on_event */
  size_t method_len;
  /* For llmroute_route and streams to pull from: asked some twenty times a second while one of them
     waits, on the waiting thread. Anything but 0 ends it with LLMROUTE_CANCELLED. With a stream it
     and its user_data are needed until that is freed. May be NULL. */
  int32_t (*interrupted)(void *user_data);
  void *interrupted_user_data;
  const char *model;       /* of a request whose body does not say it where the router reads: of JSON
                              that names none, of a form; limits count for it */
  size_t model_len;
} llmroute_call_options;

/* One piece of a stream. */
typedef struct llmroute_event {
  const char *data; /* the JSON of one chunk, with no NUL behind it; of a comment "", length 0 */
  size_t data_len;
  const char *raw;  /* the whole event as bytes to forward, blank line included */
  size_t raw_len;
} llmroute_event;

/* The text that a chunk (an event's data) of a chat or completion carries for choice 0, unescaped:
   "" when it carries none, or is no such chunk. *text_out is for llmroute_text_free. */
LLMROUTE_API llmroute_status llmroute_chunk_text(const char *data, size_t data_len, char **text_out,
                                                 size_t *len_out);

/* What the router would do with the request now, as JSON: {"model","strategy","nodes":[{"node",
   "admissible","reason","score","picked","keys","keys_resting"}]}. Asks no node and counts
   nowhere, but from now on the strategy stays, as after a call. */
LLMROUTE_API llmroute_status llmroute_router_explain(llmroute_router *router,
                                                     const char *request_json, size_t request_len,
                                                     const llmroute_call_options *options,
                                                     char **json_out, size_t *len_out,
                                                     llmroute_error **error_out);

/* ---- Calls: blocking ------------------------------------------------------------------------ */

/* Blocks until the whole answer is there; the work is done on the calling thread. The request is
   forwarded byte for byte but for "model"; "stream":true in it is an LLMROUTE_INVALID_ARGUMENT. */
LLMROUTE_API llmroute_status llmroute_route(llmroute_router *router, const char *request_json,
                                            size_t request_len,
                                            const llmroute_call_options *options,
                                            llmroute_reply **reply_out,
                                            llmroute_error **error_out);

/* ---- Calls: a stream to pull from ----------------------------------------------------------- */

/* Opens a stream and returns with its first content there, or with the error that kept it from
   that. "stream":true is put into the request when it is missing. */
LLMROUTE_API llmroute_status llmroute_stream_open(llmroute_router *router, const char *request_json,
                                                  size_t request_len,
                                                  const llmroute_call_options *options,
                                                  llmroute_stream **stream_out,
                                                  llmroute_error **error_out);

/* Blocks until the next event; *event_out is borrowed until the next call with this stream, and
   NULL at the whole and proper end. After an error or the end it gives the same again. Threads: one
   at a time, which one may change; another at the same time gets LLMROUTE_INVALID_ARGUMENT. */
LLMROUTE_API llmroute_status llmroute_stream_next(llmroute_stream *stream,
                                                  const llmroute_event **event_out,
                                                  llmroute_error **error_out);

/* Node and header fields once it is open; attempts, usage and times once it is over. Borrowed from
   the stream, with what accessors give of it until the next llmroute_stream_next. */
LLMROUTE_API const llmroute_reply *llmroute_stream_reply(const llmroute_stream *stream);

/* Before the end it cancels: the node's socket is closed when this returns. */
LLMROUTE_API void llmroute_stream_free(llmroute_stream *stream);

/* ---- Calls: with callbacks ------------------------------------------------------------------ */

/* What on_event returns to keep an event, borrowed until llmroute_call_drained. Meanwhile no other
   comes and, once 64 KiB wait, the node is not read from. A number that is not returned by
   accident. */
#define LLMROUTE_KEEP 0x4b454550

/* All run on the thread that turns the call's loop, one at a time. With on_event the call is a
   stream, without it a plain one. */
typedef struct llmroute_callbacks {
  size_t struct_size;
  void *user_data;
  /* Before the first event; may be NULL. 0: go on; anything else cancels. */
  int32_t (*on_head)(void *user_data, const llmroute_head *head);
  /* 0: done with the event; LLMROUTE_KEEP: see there; anything else cancels. */
  int32_t (*on_event)(void *user_data, const llmroute_event *event);
  /* Exactly once and last, never from inside the function that starts the call. The reply
     (LLMROUTE_OK) or else the error is the callback's to free, the other is NULL. Not NULL. */
  void (*on_done)(void *user_data, llmroute_status status, llmroute_reply *reply,
                  llmroute_error *error);
} llmroute_callbacks;

/* Starts a call on the router's background thread, which starts with the first. The request is
   copied. *call_out is written before any callback runs. On failure none runs. */
LLMROUTE_API llmroute_status llmroute_call_start(llmroute_router *router, const char *request_json,
                                                 size_t request_len,
                                                 const llmroute_call_options *options,
                                                 const llmroute_callbacks *callbacks,
                                                 llmroute_call **call_out,
                                                 llmroute_error **error_out);

/* The same on an application's loop: no thread. Thread: the one that turns the loop. From inside
   `pick` or on_node, which come in the middle of a choice between nodes, it is an
   LLMROUTE_INVALID_ARGUMENT. */
LLMROUTE_API llmroute_status llmroute_call_start_on(llmroute_router *router, llmroute_loop *loop,
                                                    const char *request_json, size_t request_len,
                                                    const llmroute_call_options *options,
                                                    const llmroute_callbacks *callbacks,
                                                    llmroute_call **call_out,
                                                    llmroute_error **error_out);

/* Ends the call with LLMROUTE_CANCELLED, soon; one that is over is left as it is. */
LLMROUTE_API llmroute_status llmroute_call_cancel(llmroute_call *call);

/* The event that on_event kept is done with. Also from inside on_event, before it returns
   LLMROUTE_KEEP: it counts for the event on_event was called with last, and for no later one. */
LLMROUTE_API llmroute_status llmroute_call_drained(llmroute_call *call);

/* Blocks until on_done has returned. Only for llmroute_call_start, and not from inside a callback:
   else LLMROUTE_INVALID_ARGUMENT. In a forked child a call of the parent's gives
   LLMROUTE_FORKED. */
LLMROUTE_API llmroute_status llmroute_call_wait(llmroute_call *call);

/* Lets go of the call. One that is not over is cancelled, and on_done still comes: user_data has to
   live until then. */
LLMROUTE_API void llmroute_call_free(llmroute_call *call);

/* How the stream begins, for on_head. */
LLMROUTE_API int32_t llmroute_head_http_status(const llmroute_head *head);
LLMROUTE_API int32_t llmroute_head_attempts(const llmroute_head *head);
LLMROUTE_API const char *llmroute_head_node(const llmroute_head *head, size_t *len);
LLMROUTE_API const char *llmroute_head_request_id(const llmroute_head *head, size_t *len);
LLMROUTE_API const llmroute_headers *llmroute_head_headers(const llmroute_head *head);

/* ---- Loop: calls without a thread ----------------------------------------------------------- */

/* A loop of the application's own. One thread at a time turns it and starts calls on it; turning it
   twice at once, also from inside a callback that turning it or starting a call brings, is an
   LLMROUTE_INVALID_ARGUMENT. In a forked child a loop of the parent's is left alone: turning it and
   giving it work are LLMROUTE_FORKED, its descriptor is -1, freeing it calls nobody back. */
LLMROUTE_API llmroute_status llmroute_loop_new(llmroute_loop **loop_out,
                                               llmroute_error **error_out);

/* Cancels the calls on the loop, whose on_done come before this returns, and ends it. Thread: the
   one that turns it, while no other is inside llmroute_loop_post or llmroute_loop_fd: else it all
   happens there, on the other thread. From inside a callback of the loop's it happens when the
   function that called back returns. */
LLMROUTE_API void llmroute_loop_free(llmroute_loop *loop);

/* A descriptor that is readable (level-triggered) whenever there is work: for poll, epoll, libuv,
   GLib, asyncio. The loop's, and valid as long. -1 for no loop. */
LLMROUTE_API int32_t llmroute_loop_fd(llmroute_loop *loop);

/* Does what is ready and never blocks; after 256 events it leaves the rest, and fd readable. */
LLMROUTE_API llmroute_status llmroute_loop_run_ready(llmroute_loop *loop);

/* Waits for work, at most so long, and does it. For a program that has nothing else to wait for. */
LLMROUTE_API llmroute_status llmroute_loop_run_for(llmroute_loop *loop, uint32_t timeout_ms);

/* Runs work(user_data) on the thread that turns the loop, soon and in order. Any thread. */
LLMROUTE_API llmroute_status llmroute_loop_post(llmroute_loop *loop, void (*work)(void *user_data),
                                                void *user_data);

/* Probes of nodes and discovery of models run on this loop instead of a thread of the router's.
   Once, after strategy and observers were given, before the router's first call and
   llmroute_router_explain: else LLMROUTE_INVALID_ARGUMENT. Thread: the one that turns the loop,
   also for llmroute_router_free afterwards. */
LLMROUTE_API llmroute_status llmroute_router_maintain(llmroute_router *router, llmroute_loop *loop,
                                                      llmroute_error **error_out);

/* ---- Reply ---------------------------------------------------------------------------------- */

typedef struct llmroute_usage {
  int64_t prompt_tokens;
  int64_t completion_tokens;
  int64_t total_tokens;
  int64_t cached_tokens; /* part of prompt_tokens that a prefix cache answered */
} llmroute_usage;

LLMROUTE_API int32_t llmroute_reply_http_status(const llmroute_reply *reply);

/* The node's answer, byte for byte but for "model"; "" for a stream. */
LLMROUTE_API const char *llmroute_reply_body(const llmroute_reply *reply, size_t *len);
LLMROUTE_API const char *llmroute_reply_node(const llmroute_reply *reply, size_t *len);

/* The model that answered, by the name callers use: as asked, or a fallback. */
LLMROUTE_API const char *llmroute_reply_model(const llmroute_reply *reply, size_t *len);
LLMROUTE_API const char *llmroute_reply_request_id(const llmroute_reply *reply, size_t *len);
LLMROUTE_API const llmroute_headers *llmroute_reply_headers(const llmroute_reply *reply);

/* As the node counted; all zero when it said nothing. */
LLMROUTE_API void llmroute_reply_usage(const llmroute_reply *reply, llmroute_usage *usage_out);

/* The call in all, and for a stream the time to its first content (-1: none), in microseconds. */
LLMROUTE_API int64_t llmroute_reply_time_us(const llmroute_reply *reply);
LLMROUTE_API int64_t llmroute_reply_first_content_us(const llmroute_reply *reply);

/* Every try of a node in order, as JSON: [{"node","error","http_status","reason","time_us","rung",
   "key","usage":{"prompt_tokens","completion_tokens","total_tokens","cached_tokens"}}], with error
   null where it answered. */
LLMROUTE_API llmroute_status llmroute_reply_attempts(const llmroute_reply *reply, char **json_out,
                                                     size_t *len_out);
LLMROUTE_API void llmroute_reply_free(llmroute_reply *reply);

/* ---- Error ---------------------------------------------------------------------------------- */

LLMROUTE_API llmroute_status llmroute_error_code(const llmroute_error *error);
LLMROUTE_API const char *llmroute_error_name(const llmroute_error *error);

/* What was tried, where, and what came of it; never a key or a prompt. */
LLMROUTE_API const char *llmroute_error_message(const llmroute_error *error, size_t *len);

/* As the node sent it, 0 without a node's answer; and what an OpenAI client should see. */
LLMROUTE_API int32_t llmroute_error_http_status(const llmroute_error *error);
LLMROUTE_API int32_t llmroute_error_client_status(const llmroute_error *error);

/* The last node asked. */
LLMROUTE_API const char *llmroute_error_node(const llmroute_error *error, size_t *len);

/* When asking again makes sense, in milliseconds from the error on; -1: unknown. */
LLMROUTE_API int64_t llmroute_error_retry_after_ms(const llmroute_error *error);

/* The field or parameter at fault, for LLMROUTE_INVALID_ARGUMENT and LLMROUTE_INVALID_CONFIG. */
LLMROUTE_API const char *llmroute_error_param(const llmroute_error *error, size_t *len);

/* The text that was delivered before a stream died. */
LLMROUTE_API const char *llmroute_error_partial(const llmroute_error *error, size_t *len);

/* The call's X-Request-ID: as asked for, or the router's own. "" when no call began. */
LLMROUTE_API const char *llmroute_error_request_id(const llmroute_error *error, size_t *len);

/* The node's own error body, byte for byte, and its fields. */
LLMROUTE_API const char *llmroute_error_body(const llmroute_error *error, size_t *len);
LLMROUTE_API const llmroute_headers *llmroute_error_headers(const llmroute_error *error);

/* What had been used when it ended, as far as known. */
LLMROUTE_API void llmroute_error_usage(const llmroute_error *error, llmroute_usage *usage_out);

/* As llmroute_reply_attempts. */
LLMROUTE_API llmroute_status llmroute_error_attempts(const llmroute_error *error, char **json_out,
                                                     size_t *len_out);

/* The body an OpenAI server would send: the node's own where it refused the request with a JSON
   object, else {"error":{"message","type","param","code"}}. */
LLMROUTE_API llmroute_status llmroute_error_openai(const llmroute_error *error, char **json_out,
                                                   size_t *len_out);
LLMROUTE_API void llmroute_error_free(llmroute_error *error);

/* ---- Header fields -------------------------------------------------------------------------- */

LLMROUTE_API size_t llmroute_headers_count(const llmroute_headers *headers);

/* The field at a position: its name and its value; "" behind the last. */
LLMROUTE_API const char *llmroute_headers_name(const llmroute_headers *headers, size_t index,
                                               size_t *len);
LLMROUTE_API const char *llmroute_headers_value(const llmroute_headers *headers, size_t index,
                                                size_t *len);

/* The value of the first field of that name, in whatever case; NULL: there is none. */
LLMROUTE_API const char *llmroute_headers_find(const llmroute_headers *headers, const char *name,
                                               size_t name_len, size_t *len);

/* ---- Strategy: choosing the node yourself --------------------------------------------------- */

/* Called by whatever thread turns a call's loop, several at once. Who may be asked at all (health,
   breakers, caps) is settled before. */
typedef struct llmroute_strategy {
  size_t struct_size;
  void *user_data;
  /* The position of the chosen node, from 0. Any number that is none: the router draws one. */
  uint32_t (*pick)(void *user_data, const llmroute_pick *pick);
  /* For llmroute_router_explain: what the strategy compares of the one node in `pick`, the least
     the best. May be NULL. */
  double (*score)(void *user_data, const llmroute_pick *pick);
  /* The user_data is needed no more. Any thread. May be NULL. */
  void (*free_user_data)(void *user_data);
} llmroute_strategy;

/* Replaces the configured strategy. The struct is copied. Before the router's first call,
   llmroute_router_explain or llmroute_router_maintain, else LLMROUTE_INVALID_ARGUMENT.
   free_user_data is called once: when neither the router nor a call of it remains, when another
   strategy replaces this one, or when this function fails (not when the struct cannot be read). */
LLMROUTE_API llmroute_status llmroute_router_use_strategy(llmroute_router *router,
                                                          const llmroute_strategy *strategy,
                                                          llmroute_error **error_out);

/* How many nodes there are, at least one, and what is known of the one at a position. */
LLMROUTE_API uint32_t llmroute_pick_count(const llmroute_pick *pick);
LLMROUTE_API const char *llmroute_pick_node(const llmroute_pick *pick, uint32_t index, size_t *len);

/* A label of the node's configuration; NULL: it has not got that one. */
LLMROUTE_API const char *llmroute_pick_label(const llmroute_pick *pick, uint32_t index,
                                             const char *label, size_t label_len, size_t *len);
LLMROUTE_API double llmroute_pick_weight(const llmroute_pick *pick, uint32_t index);

/* The divisor of load scores, > 0. */
LLMROUTE_API double llmroute_pick_capacity(const llmroute_pick *pick, uint32_t index);

/* Lower first. */
LLMROUTE_API int32_t llmroute_pick_priority(const llmroute_pick *pick, uint32_t index);
LLMROUTE_API int32_t llmroute_pick_in_flight(const llmroute_pick *pick, uint32_t index);
LLMROUTE_API uint64_t llmroute_pick_requests(const llmroute_pick *pick, uint32_t index);
LLMROUTE_API uint64_t llmroute_pick_failures(const llmroute_pick *pick, uint32_t index);

/* Moving averages in seconds; 0: nothing has come yet. Of whole plain answers, and of the time to a
   stream's first content. */
LLMROUTE_API double llmroute_pick_latency_seconds(const llmroute_pick *pick, uint32_t index);
LLMROUTE_API double llmroute_pick_first_content_seconds(const llmroute_pick *pick, uint32_t index);

/* What is asked. These two texts end with no NUL. */
LLMROUTE_API const char *llmroute_pick_model(const llmroute_pick *pick, size_t *len);
LLMROUTE_API const char *llmroute_pick_session_key(const llmroute_pick *pick, size_t *len);

/* An estimate; and max_tokens. 0: unknown. */
LLMROUTE_API uint32_t llmroute_pick_prompt_tokens(const llmroute_pick *pick);
LLMROUTE_API uint32_t llmroute_pick_output_tokens(const llmroute_pick *pick);

/* 1 for a stream, 0 for a plain call. */
LLMROUTE_API int32_t llmroute_pick_is_stream(const llmroute_pick *pick);

/* A random number, seeded as the configuration says. 0 in score. */
LLMROUTE_API uint64_t llmroute_pick_random(const llmroute_pick *pick);

/* ---- Observer: told of every attempt and call ----------------------------------------------- */

#define LLMROUTE_RUNG_NONE 0    /* a first attempt, or one after another that delivered nothing */
#define LLMROUTE_RUNG_IDS 1     /* goes on from the token ids of what was delivered */
#define LLMROUTE_RUNG_REPLAY 2  /* the whole answer again, what was delivered swallowed */
#define LLMROUTE_RUNG_PREFILL 3 /* the delivered text as the beginning of the answer */

/* One try of one node, when it ends. */
typedef struct llmroute_attempt_event {
  const char *request_id; /* texts here end with no NUL */
  size_t request_id_len;
  const char *model;      /* as the caller asked */
  size_t model_len;
  const char *node;
  size_t node_len;
  const char *reason;     /* "503", "connect refused", ... */
  size_t reason_len;
  int64_t time_us;
  int64_t first_content_us; /* of a stream; -1: none */
  llmroute_status status;   /* LLMROUTE_OK: it answered */
  int32_t http_status;      /* 0: no response head came */
  int32_t number;           /* 1 for the first of its call */
  int32_t key;              /* which of the node's keys was sent, from 1; 0: it has not several */
  int32_t rung;             /* how it goes on with a stream that broke: LLMROUTE_RUNG_... */
  int32_t reserved;
} llmroute_attempt_event;

/* One call, when it ends. */
typedef struct llmroute_call_event {
  const char *request_id; /* texts here end with no NUL */
  size_t request_id_len;
  const char *model;
  size_t model_len;
  const char *tenant;
  size_t tenant_len;
  const char *node; /* that answered, or was asked last */
  size_t node_len;
  llmroute_usage usage;
  int64_t time_us;
  int64_t first_content_us; /* of a stream; -1: none */
  llmroute_status status;
  int32_t http_status;
  int32_t attempts;
  int32_t is_stream;
} llmroute_call_event;

#define LLMROUTE_NODE_HEALTHY 0
#define LLMROUTE_NODE_UNHEALTHY 1
#define LLMROUTE_NODE_BREAKER_OPENED 2
#define LLMROUTE_NODE_BREAKER_HALF_OPEN 3
#define LLMROUTE_NODE_BREAKER_CLOSED 4

/* A node, or one of its models, changed in the router's eyes. */
typedef struct llmroute_node_event {
  const char *node; /* texts here end with no NUL */
  size_t node_len;
  const char *model; /* length 0: the node as a whole */
  size_t model_len;
  int32_t kind; /* LLMROUTE_NODE_... */
  int32_t reserved;
} llmroute_node_event;

/* Each may be NULL. Called by whatever thread turns a call's loop, several at once; the loop waits
   meanwhile. */
typedef struct llmroute_observer {
  size_t struct_size;
  void *user_data;
  void (*on_attempt)(void *user_data, const llmroute_attempt_event *event);
  void (*on_call)(void *user_data, const llmroute_call_event *event);
  void (*on_node)(void *user_data, const llmroute_node_event *event);
  void (*free_user_data)(void *user_data); /* as in llmroute_strategy */
} llmroute_observer;

/* Adds an observer. As llmroute_router_use_strategy. */
LLMROUTE_API llmroute_status llmroute_router_use_observer(llmroute_router *router,
                                                          const llmroute_observer *observer,
                                                          llmroute_error **error_out);

#ifdef __cplusplus
}
#endif

#endif /* LLMROUTE_H */
