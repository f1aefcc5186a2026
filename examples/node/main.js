// llmroute from Node by koffi: node main.js http://gpu-1:8000 ...
//
// A plain call, a stream to iterate over, a stream that is left early, and a strategy of one's own. What blocks runs on
// a thread of libuv's (`.async`), so the event loop turns meanwhile. The library is LLMROUTE_LIBRARY, or
// libllmroute_c.so.0 where the loader finds it.
import koffi from "koffi";
import { promisify } from "node:util";

const lib = koffi.load(process.env.LLMROUTE_LIBRARY ?? "libllmroute_c.so.0");
const QUESTION = JSON.stringify({ messages: [{ role: "user", content: "hello" }] });

for (const name of ["router", "reply", "error", "stream", "pick"]) koffi.opaque(`llmroute_${name}`);
// "void *": a "char *" would be read up to a NUL, and there is none.
koffi.struct("llmroute_event", { data: "void *", data_len: "size_t", raw: "void *", raw_len: "size_t" });
koffi.proto("uint32_t pick(void *user_data, const llmroute_pick *pick)");
koffi.struct("llmroute_strategy", {
  struct_size: "size_t", user_data: "void *", pick: "pick *", score: "void *", free_user_data: "void *",
});

const c = (declaration) => lib.func(declaration);
const error = "_Out_ llmroute_error **error";
const request = "llmroute_router *router, const char *json, size_t len, void *options";
const routerNew = c(`int32_t llmroute_router_new(const char *json, size_t len, _Out_ llmroute_router **out, ${error})`);
const routerFree = c("void llmroute_router_free(llmroute_router *router)");
const useStrategy = c(`int32_t llmroute_router_use_strategy(llmroute_router *router, const llmroute_strategy *strategy, ${error})`);
const route = c(`int32_t llmroute_route(${request}, _Out_ llmroute_reply **out, ${error})`);
const replyNode = c("const char *llmroute_reply_node(const llmroute_reply *reply, size_t *len)");
const replyFree = c("void llmroute_reply_free(llmroute_reply *reply)");
const streamOpen = c(`int32_t llmroute_stream_open(${request}, _Out_ llmroute_stream **out, ${error})`);
const streamNext = c(`int32_t llmroute_stream_next(llmroute_stream *stream, _Out_ const llmroute_event **out, ${error})`);
const streamFree = c("void llmroute_stream_free(llmroute_stream *stream)");
const errorName = c("const char *llmroute_error_name(const llmroute_error *error)");
const errorMessage = c("const char *llmroute_error_message(const llmroute_error *error, size_t *len)");
const errorFree = c("void llmroute_error_free(llmroute_error *error)");
const pickCount = c("uint32_t llmroute_pick_count(const llmroute_pick *pick)");
const pickInFlight = c("int32_t llmroute_pick_in_flight(const llmroute_pick *pick, uint32_t index)");

function failure(error) {
  const message = `${errorName(error)}: ${errorMessage(error, null)}`;
  errorFree(error);
  return new Error(message);
}

// Calls, on another thread, a function that ends in a place for an object and one for an error; the object.
async function made(func, ...args) {
  const [out, error] = [[null], [null]];
  if ((await promisify(func.async)(...args, out, error)) !== 0) throw failure(error[0]);
  return out[0];
}

// The name of the node that answers.
async function ask(router) {
  const reply = await made(route, router, QUESTION, Buffer.byteLength(QUESTION), null);
  const node = replyNode(reply, null);
  replyFree(reply);
  return node;
}

// The chunks of a stream. Leaving the loop early frees the stream, which closes the node's socket.
async function* chunks(router) {
  const stream = await made(streamOpen, router, QUESTION, Buffer.byteLength(QUESTION), null);
  try {
    for (let at; (at = await made(streamNext, stream)) !== null; ) {
      const event = koffi.decode(at, "llmroute_event");
      if (Number(event.data_len) === 0) continue; // a comment
      const data = koffi.decode(event.data, "char", Number(event.data_len));
      if (data !== "[DONE]") yield JSON.parse(data);
    }
  } finally {
    streamFree(stream);
  }
}

async function chat(router) {
  console.log("chat:", await ask(router), "answered");
}

async function stream(router) {
  let text = "";
  for await (const chunk of chunks(router)) text += chunk.choices.map((choice) => choice.delta.content ?? "").join("");
  console.log("stream:", text);
}

async function cancel(router) {
  let events = 0;
  for await (const _ of chunks(router)) {
    ++events;
    break;
  }
  console.log("cancel: cancelled after", events, "event");
}

// The fewest calls in flight; of equals the last.
function lastIdle(_, pick) {
  let best = 0;
  for (let i = 1; i < pickCount(pick); ++i) if (pickInFlight(pick, i) <= pickInFlight(pick, best)) best = i;
  return best;
}

async function ownStrategy(router) {
  const pick = koffi.register(lastIdle, "pick *"); // koffi brings each call of it to this thread
  const failed = [null];
  if (useStrategy(router, { struct_size: koffi.sizeof("llmroute_strategy"), pick }, failed) !== 0) throw failure(failed[0]);
  console.log("strategy:", await ask(router));
}

async function main(urls) {
  const config = JSON.stringify({ nodes: urls.map((url) => ({ url })) });
  for (const part of [chat, stream, cancel, ownStrategy]) {
    const router = await made(routerNew, config, Buffer.byteLength(config));
    try {
      await part(router);
    } finally {
      routerFree(router);
    }
  }
}

const urls = process.argv.slice(2);
if (urls.length === 0) {
  console.error("usage: node main.js NODE_URL...");
  process.exit(2);
}
main(urls).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
