//! A safe wrapper of a page: what a Rust program needs of llmroute.h, in Rust's own terms.

use std::ffi::{c_char, c_void, CStr};
use std::marker::PhantomData;
use std::{fmt, ptr, slice};

macro_rules! opaque {
    ($($name:ident)*) => { $(#[repr(C)] struct $name { _private: [u8; 0] })* };
}
opaque!(RawRouter RawReply RawError RawStream RawCall RawPick);

#[repr(C)]
struct RawEvent {
    data: *const c_char,
    data_len: usize,
    raw: *const c_char,
    raw_len: usize,
}

#[repr(C)]
struct RawCallbacks {
    struct_size: usize,
    user_data: *mut c_void,
    on_head: Option<unsafe extern "C" fn(*mut c_void, *const c_void) -> i32>,
    on_event: Option<unsafe extern "C" fn(*mut c_void, *const RawEvent) -> i32>,
    on_done: Option<unsafe extern "C" fn(*mut c_void, i32, *mut RawReply, *mut RawError)>,
}

#[repr(C)]
struct RawStrategy {
    struct_size: usize,
    user_data: *mut c_void,
    pick: Option<unsafe extern "C" fn(*mut c_void, *const RawPick) -> u32>,
    score: Option<unsafe extern "C" fn(*mut c_void, *const RawPick) -> f64>,
    free_user_data: Option<unsafe extern "C" fn(*mut c_void)>,
}

type Options = *const c_void; // none are given here
type Out<T> = *mut *mut T;

#[link(name = "llmroute_c")]
extern "C" {
    fn llmroute_router_new(json: *const u8, len: usize, out: Out<RawRouter>, error: Out<RawError>) -> i32;
    fn llmroute_router_free(router: *mut RawRouter);
    fn llmroute_router_use_strategy(router: *mut RawRouter, strategy: *const RawStrategy, error: Out<RawError>) -> i32;
    fn llmroute_route(r: *mut RawRouter, json: *const u8, len: usize, o: Options, out: Out<RawReply>, e: Out<RawError>) -> i32;
    fn llmroute_stream_open(r: *mut RawRouter, json: *const u8, len: usize, o: Options, out: Out<RawStream>, e: Out<RawError>) -> i32;
    fn llmroute_stream_next(stream: *mut RawStream, out: *mut *const RawEvent, error: Out<RawError>) -> i32;
    fn llmroute_stream_free(stream: *mut RawStream);
    fn llmroute_call_start(r: *mut RawRouter, json: *const u8, len: usize, o: Options, callbacks: *const RawCallbacks,
                           out: Out<RawCall>, error: Out<RawError>) -> i32;
    fn llmroute_call_wait(call: *mut RawCall) -> i32;
    fn llmroute_call_free(call: *mut RawCall);
    fn llmroute_reply_body(reply: *const RawReply, len: *mut usize) -> *const c_char;
    fn llmroute_reply_node(reply: *const RawReply, len: *mut usize) -> *const c_char;
    fn llmroute_reply_free(reply: *mut RawReply);
    fn llmroute_error_name(error: *const RawError) -> *const c_char;
    fn llmroute_error_message(error: *const RawError, len: *mut usize) -> *const c_char;
    fn llmroute_error_free(error: *mut RawError);
    fn llmroute_chunk_text(data: *const c_char, len: usize, out: Out<c_char>, len_out: *mut usize) -> i32;
    fn llmroute_text_free(text: *mut c_char);
    fn llmroute_pick_count(pick: *const RawPick) -> u32;
    fn llmroute_pick_in_flight(pick: *const RawPick, index: u32) -> i32;
}

/// Why there is no answer: a name of llmroute.h, and in words what was tried.
#[derive(Debug)]
pub struct Error {
    pub name: String,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}: {}", self.name, self.message)
    }
}
impl std::error::Error for Error {}

unsafe fn text(begin: *const c_char) -> String {
    CStr::from_ptr(begin).to_string_lossy().into_owned()
}

impl Error {
    unsafe fn take(raw: *mut RawError) -> Error {
        let error = Error { name: text(llmroute_error_name(raw)), message: text(llmroute_error_message(raw, ptr::null_mut())) };
        llmroute_error_free(raw);
        error
    }
}

/// Calls a function that ends in a place for an object and one for an error.
fn made<T>(make: impl FnOnce(Out<T>, Out<RawError>) -> i32) -> Result<*mut T, Error> {
    let (mut out, mut error) = (ptr::null_mut(), ptr::null_mut());
    match make(&mut out, &mut error) {
        0 => Ok(out),
        _ => Err(unsafe { Error::take(error) }),
    }
}

pub struct Reply {
    pub body: Vec<u8>,
    pub node: String,
}

/// Used by any number of threads.
pub struct Router(*mut RawRouter);
unsafe impl Send for Router {}
unsafe impl Sync for Router {}

impl Router {
    pub fn new(config: &str) -> Result<Router, Error> {
        made(|out, error| unsafe { llmroute_router_new(config.as_ptr(), config.len(), out, error) }).map(Router)
    }

    /// Blocks until the answer is there.
    pub fn route(&self, json: &str) -> Result<Reply, Error> {
        let raw = made(|out, e| unsafe { llmroute_route(self.0, json.as_ptr(), json.len(), ptr::null(), out, e) })?;
        unsafe {
            let mut len = 0;
            let begin = llmroute_reply_body(raw, &mut len) as *const u8;
            let body = slice::from_raw_parts(begin, len).to_vec();
            let reply = Reply { body, node: text(llmroute_reply_node(raw, ptr::null_mut())) };
            llmroute_reply_free(raw);
            Ok(reply)
        }
    }

    /// An iterator over the texts of the answer as they come.
    pub fn stream(&self, json: &str) -> Result<Stream, Error> {
        let open = |out, e| unsafe { llmroute_stream_open(self.0, json.as_ptr(), json.len(), ptr::null(), out, e) };
        made(open).map(|raw| Stream { raw, over: false })
    }

    /// Runs a stream on the router's thread and waits for its end; `on_text` says whether to go on. Not from inside a
    /// callback, where nobody can wait: that ends the process, for `state` must not go before the call.
    pub fn each(&self, json: &str, on_text: impl FnMut(&str) -> bool + Send) -> Result<(), Error> {
        let mut state = Each { on_text, end: Ok(()) };
        let callbacks = state.callbacks();
        let call = made(|out, e| unsafe {
            llmroute_call_start(self.0, json.as_ptr(), json.len(), ptr::null(), &callbacks, out, e)
        })?;
        unsafe {
            if llmroute_call_wait(call) != 0 {
                std::process::abort(); // refused: the call still refers to `state`, and `on_text` to its caller's frame
            }
            llmroute_call_free(call);
        }
        state.end
    }

    /// Before the first call. The strategy is called by many threads at once.
    pub fn use_strategy<F: Fn(&Pick) -> u32 + Send + Sync + 'static>(&self, strategy: F) -> Result<(), Error> {
        unsafe extern "C" fn pick<F: Fn(&Pick) -> u32>(data: *mut c_void, raw: *const RawPick) -> u32 {
            (*(data as *const F))(&Pick { raw, _borrowed: PhantomData })
        }
        unsafe extern "C" fn free<F>(data: *mut c_void) {
            drop(Box::from_raw(data as *mut F));
        }
        let raw = RawStrategy {
            struct_size: std::mem::size_of::<RawStrategy>(),
            user_data: Box::into_raw(Box::new(strategy)) as *mut c_void, // freed by the router
            pick: Some(pick::<F>),
            score: None,
            free_user_data: Some(free::<F>),
        };
        let mut error = ptr::null_mut();
        match unsafe { llmroute_router_use_strategy(self.0, &raw, &mut error) } {
            0 => Ok(()),
            _ => Err(unsafe { Error::take(error) }),
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        unsafe { llmroute_router_free(self.0) }
    }
}

/// The text of an event.
unsafe fn event_text(event: *const RawEvent) -> String {
    let mut out = ptr::null_mut();
    if llmroute_chunk_text((*event).data, (*event).data_len, &mut out, ptr::null_mut()) != 0 {
        return String::new();
    }
    let copy = text(out);
    llmroute_text_free(out);
    copy
}

pub struct Stream {
    raw: *mut RawStream,
    over: bool,
}
unsafe impl Send for Stream {}

impl Iterator for Stream {
    type Item = Result<String, Error>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let (mut event, mut error) = (ptr::null(), ptr::null_mut());
        let status = unsafe { llmroute_stream_next(self.raw, &mut event, &mut error) };
        self.over = status != 0 || event.is_null();
        match status {
            0 if self.over => None,
            0 => Some(Ok(unsafe { event_text(event) })),
            _ => Some(Err(unsafe { Error::take(error) })),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        unsafe { llmroute_stream_free(self.raw) }
    }
}

/// What the callbacks of one call share.
struct Each<F> {
    on_text: F,
    end: Result<(), Error>,
}

impl<F: FnMut(&str) -> bool> Each<F> {
    fn callbacks(&mut self) -> RawCallbacks {
        RawCallbacks {
            struct_size: std::mem::size_of::<RawCallbacks>(),
            user_data: self as *mut Self as *mut c_void,
            on_head: None,
            on_event: Some(Self::on_event),
            on_done: Some(Self::on_done),
        }
    }
    unsafe extern "C" fn on_event(data: *mut c_void, event: *const RawEvent) -> i32 {
        let go_on = ((*(data as *mut Self)).on_text)(&event_text(event));
        i32::from(!go_on)
    }
    unsafe extern "C" fn on_done(data: *mut c_void, status: i32, reply: *mut RawReply, error: *mut RawError) {
        llmroute_reply_free(reply);
        if status != 0 {
            (*(data as *mut Self)).end = Err(Error::take(error));
        }
    }
}

/// What a strategy chooses from.
pub struct Pick<'a> {
    raw: *const RawPick,
    _borrowed: PhantomData<&'a RawPick>,
}

impl Pick<'_> {
    pub fn count(&self) -> u32 {
        unsafe { llmroute_pick_count(self.raw) }
    }
    pub fn in_flight(&self, index: u32) -> i32 {
        unsafe { llmroute_pick_in_flight(self.raw, index) }
    }
}
