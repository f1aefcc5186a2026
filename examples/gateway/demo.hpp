/// `llmroute-gateway demo`: this gateway in front of three mock nodes that stand for providers, and
/// twenty requests at once: who answered what, whose limit was hit, what was tried elsewhere.
#pragma once

namespace gateway {

/// Prints what it does. Nothing of it stays behind, however it ends. The exit code: 0 when every
/// request was answered or met the limit it was to meet, 1 when not, 128 + the signal that ended
/// it.
int demo();

}  // namespace gateway
