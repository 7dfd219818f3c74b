// From a request to its answer: the table of what the bridge serves.
#pragma once

#include "codes/code.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"
#include "upstream/answer.hpp"

#include <functional>

namespace causeway::http {

/// Whoever knows the answers: looks a code up and gives the reply or the reason why there is none, in bounded time. The
/// caller lends the timer for that bound; to cancel it ends the wait early.
using ask_function = std::function<awaitable<upstream::answer>(codes::code, steady_timer& deadline)>;

/// The one answer to `request`. `ask` is called at most once.
awaitable<response> answer(const request& request, const ask_function& ask, steady_timer& deadline);

} // namespace causeway::http
