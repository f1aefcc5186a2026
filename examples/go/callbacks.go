// What C calls, in a file of its own: a file that exports to C may only declare there.
package main

// #include "llmroute.h"
import "C"

import "runtime/cgo"

//export goEvent
func goEvent(call C.uintptr_t, event *C.llmroute_event) C.int32_t {
	if cgo.Handle(call).Value().(*Call).onEvent(bytes(event.data, event.data_len)) {
		return 0
	}
	return 1
}

//export goDone
func goDone(handle C.uintptr_t, _ C.llmroute_status, reply *C.llmroute_reply, failure *C.llmroute_error) {
	call := cgo.Handle(handle).Value().(*Call)
	call.self.Delete()
	C.llmroute_reply_free(reply)
	call.done <- taken(failure)
}

//export goPick
func goPick(strategy C.uintptr_t, pick *C.llmroute_pick) C.uint32_t {
	return C.uint32_t(cgo.Handle(strategy).Value().(func(Pick) int)(Pick{pick}))
}

// The last call that may pick is over: a stream can outlive its router.
//
//export goFree
func goFree(strategy C.uintptr_t) { cgo.Handle(strategy).Delete() }
