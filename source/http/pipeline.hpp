// Requests that came together: asked together, answered in their order.
#pragma once

#include "http/answer.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"
#include "net/wakeup.hpp"

#include <cstddef>
#include <list>
#include <optional>

namespace causeway::http {

/// What a client sent without waiting for the answers in between (RFC 9112 §9.3.2). Each request is answered by a
/// coroutine of its own, so they wait for their replies at the same time. Belongs to one event loop; every call is made
/// on its thread. It outlives those coroutines, so before it may go, each request that it began must be taken out.
class pipeline {
public:
    /// Most requests in it; further ones stay in the connection's input meanwhile.
    static constexpr std::size_t longest = 32;

    /// `ask` outlives it.
    pipeline(executor_type executor, const ask_function& ask);

    /// Takes `request` in and begins to find its answer.
    void begin(request request);

    bool empty() const noexcept { return exchanges_.empty(); }
    bool full() const noexcept { return exchanges_.size() == longest; }

    /// Whether the answer to the first request is there.
    bool ready() const noexcept { return exchanges_.front().response.has_value(); }

    struct answered_request {
        http::request request;
        http::response response;
    };

    /// The first request and its answer, as soon as that is there. It is no longer in the pipeline then.
    awaitable<answered_request> take();

    /// Ends all waits early; the answers come soon.
    void cancel();

private:
    struct exchange_under_way {
        http::request request;
        steady_timer deadline;
        std::optional<http::response> response;
    };

    awaitable<> find_answer(exchange_under_way& exchange);

    executor_type executor_;
    const ask_function& ask_;
    net::wakeup answered_;
    std::list<exchange_under_way> exchanges_;
};

} // namespace causeway::http
