/// Everything: a program needs only this line.
#pragma once

#include <llmroute/config.hpp>
#include <llmroute/error.hpp>
#include <llmroute/net/event_loop.hpp>
#include <llmroute/observer.hpp>
#include <llmroute/result.hpp>
#include <llmroute/router.hpp>
#include <llmroute/version.hpp>
#include <llmroute/wire/chunk_view.hpp>
#include <llmroute/wire/json_text.hpp>
