// A wrapper of a page: what a Go program needs of llmroute.h, in Go's own terms.
package main

/*
#cgo LDFLAGS: -lllmroute_c
#include <stdlib.h>
#include "llmroute.h"

extern int32_t goEvent(uintptr_t, llmroute_event *);
extern void goDone(uintptr_t, llmroute_status, llmroute_reply *, llmroute_error *);
extern uint32_t goPick(uintptr_t, llmroute_pick *);
extern void goFree(uintptr_t);

// C calls these; they call Go. A handle is a number, so no pointer of Go's is kept in C.
static int32_t on_event(void *data, const llmroute_event *e) { return goEvent((uintptr_t)data, (llmroute_event *)e); }
static void on_done(void *data, llmroute_status s, llmroute_reply *r, llmroute_error *e) { goDone((uintptr_t)data, s, r, e); }
static uint32_t pick(void *data, const llmroute_pick *p) { return goPick((uintptr_t)data, (llmroute_pick *)p); }
static void free_user_data(void *data) { goFree((uintptr_t)data); }

static llmroute_status start(llmroute_router *router, const char *json, size_t len, uintptr_t data, llmroute_call **call,
                             llmroute_error **error) {
	llmroute_callbacks callbacks = {sizeof callbacks, (void *)data, NULL, on_event, on_done};
	return llmroute_call_start(router, json, len, NULL, &callbacks, call, error);
}
static llmroute_status use_strategy(llmroute_router *router, uintptr_t data, llmroute_error **error) {
	llmroute_strategy strategy = {sizeof strategy, (void *)data, pick, NULL, free_user_data};
	return llmroute_router_use_strategy(router, &strategy, error);
}
*/
import "C"

import (
	"io"
	"runtime/cgo"
	"unsafe"
)

// Error is why there is no answer: a name of llmroute.h, in words what was tried, and what a stream said before it died.
type Error struct{ Name, Message, Partial string }

func (e *Error) Error() string { return e.Name + ": " + e.Message }

func taken(handle *C.llmroute_error) error {
	if handle == nil {
		return nil
	}
	defer C.llmroute_error_free(handle)
	return &Error{C.GoString(C.llmroute_error_name(handle)), C.GoString(C.llmroute_error_message(handle, nil)),
		C.GoString(C.llmroute_error_partial(handle, nil))}
}

// text lends a string to a function of C's.
func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(&append([]byte(s), 0)[0])), C.size_t(len(s))
}

func bytes(data *C.char, size C.size_t) []byte { return C.GoBytes(unsafe.Pointer(data), C.int(size)) }

// Router may be used by any number of goroutines.
type Router struct{ handle *C.llmroute_router }

func NewRouter(config string) (*Router, error) {
	router, failure := &Router{}, (*C.llmroute_error)(nil)
	json, size := text(config)
	C.llmroute_router_new(json, size, &router.handle, &failure)
	return router, taken(failure)
}

func (r *Router) Close() { C.llmroute_router_free(r.handle) }

// Route blocks until the answer is there: its body, and the node that gave it.
func (r *Router) Route(request string) (body []byte, node string, err error) {
	var reply *C.llmroute_reply
	var failure *C.llmroute_error
	json, size := text(request)
	if C.llmroute_route(r.handle, json, size, nil, &reply, &failure) != C.LLMROUTE_OK {
		return nil, "", taken(failure)
	}
	defer C.llmroute_reply_free(reply)
	var length C.size_t
	data := C.llmroute_reply_body(reply, &length)
	return bytes(data, length), C.GoString(C.llmroute_reply_node(reply, nil)), nil
}

// Stream is read by one goroutine at a time.
type Stream struct{ handle *C.llmroute_stream }

func (r *Router) Stream(request string) (*Stream, error) {
	stream, failure := &Stream{}, (*C.llmroute_error)(nil)
	json, size := text(request)
	C.llmroute_stream_open(r.handle, json, size, nil, &stream.handle, &failure)
	return stream, taken(failure)
}

// Next gives the JSON of a chunk, and io.EOF at the proper end.
func (s *Stream) Next() ([]byte, error) {
	var event *C.llmroute_event
	var failure *C.llmroute_error
	C.llmroute_stream_next(s.handle, &event, &failure)
	if failure != nil {
		return nil, taken(failure)
	}
	if event == nil {
		return nil, io.EOF
	}
	return bytes(event.data, event.data_len), nil
}

func (s *Stream) Close() { C.llmroute_stream_free(s.handle) }

// Call runs by itself; events go to a function that says whether to go on.
type Call struct {
	handle  *C.llmroute_call
	onEvent func(data []byte) bool
	done    chan error
	self    cgo.Handle // what C knows it by, until it is done
}

func (r *Router) Start(request string, onEvent func(data []byte) bool) (*Call, error) {
	call := &Call{onEvent: onEvent, done: make(chan error, 1)}
	call.self = cgo.NewHandle(call)
	var handle *C.llmroute_call // not the one in call: C may call back before this returns
	var failure *C.llmroute_error
	json, size := text(request)
	if C.start(r.handle, json, size, C.uintptr_t(call.self), &handle, &failure) != C.LLMROUTE_OK {
		call.self.Delete()
		return nil, taken(failure)
	}
	call.handle = handle
	return call, nil
}

func (c *Call) Cancel() { C.llmroute_call_cancel(c.handle) }

// Wait gives what the call ended with, once.
func (c *Call) Wait() error {
	err := <-c.done
	C.llmroute_call_free(c.handle)
	return err
}

// UseStrategy comes before the first call; pick is called by many threads at once.
func (r *Router) UseStrategy(pick func(Pick) int) error {
	var failure *C.llmroute_error
	C.use_strategy(r.handle, C.uintptr_t(cgo.NewHandle(pick)), &failure) // which frees it, also when it fails
	return taken(failure)
}

// Pick is what a strategy chooses from, valid while it is called.
type Pick struct{ handle *C.llmroute_pick }

func (p Pick) Count() int { return int(C.llmroute_pick_count(p.handle)) }
func (p Pick) InFlight(index int) int {
	return int(C.llmroute_pick_in_flight(p.handle, C.uint32_t(index)))
}
