//! llmroute from Rust: example_rust http://gpu-1:8000 ...
//!
//! A plain call, a stream to pull from, a call that is cancelled from its callback, and a strategy of one's own.

mod llmroute;

use llmroute::{Error, Pick, Router};

const QUESTION: &str = r#"{"messages":[{"role":"user","content":"hello"}]}"#;

fn chat(router: Router) -> Result<(), Error> {
    let reply = router.route(QUESTION)?;
    assert!(reply.body.starts_with(b"{"));
    println!("chat: {} answered", reply.node);
    Ok(())
}

fn stream(router: Router) -> Result<(), Error> {
    let texts: Result<String, Error> = router.stream(QUESTION)?.collect();
    println!("stream: {}", texts?);
    Ok(())
}

fn cancel(router: Router) -> Result<(), Error> {
    let mut events = 0;
    let ended = router.each(QUESTION, |_| {
        events += 1;
        false
    });
    println!("cancel: {} after {} event", ended.expect_err("cancelled").name, events);
    Ok(())
}

/// The fewest calls in flight; of equals the last.
fn last_idle(pick: &Pick) -> u32 {
    (0..pick.count()).rev().min_by_key(|&i| pick.in_flight(i)).unwrap_or(0)
}

fn own_strategy(router: Router) -> Result<(), Error> {
    router.use_strategy(last_idle)?;
    println!("strategy: {}", router.route(QUESTION)?.node);
    Ok(())
}

fn run(urls: &[String]) -> Result<(), Error> {
    let nodes: Vec<String> = urls.iter().map(|url| format!("{{\"url\":{:?}}}", url)).collect();
    let config = format!("{{\"nodes\":[{}]}}", nodes.join(","));
    for part in [chat, stream, cancel, own_strategy] {
        part(Router::new(&config)?)?;
    }
    Ok(())
}

fn main() {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    if urls.is_empty() {
        eprintln!("usage: example_rust NODE_URL...");
        std::process::exit(2);
    }
    if let Err(error) = run(&urls) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
