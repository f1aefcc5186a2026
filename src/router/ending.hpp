/// Why a call's frames are going away. Destructors read it to decide who is to blame.
#pragma once

namespace llmroute::detail {

enum class Ending { running, finished, cancelled, deadline, shutting_down, no_memory };

}  // namespace llmroute::detail
