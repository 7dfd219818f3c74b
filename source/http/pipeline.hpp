// Requests that arrived together: they wait at the same time and are answered in order.
#pragma once

#include "http/handler.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"
#include "net/wakeup.hpp"

#include <cstddef>
#include <exception>
#include <list>
#include <memory>
#include <variant>

namespace causeway::http {

/// Requests that a client sent without waiting for the answers in between (RFC 9112 §9.3.2). Each waits in its own
/// coroutine, so they wait at the same time. Such a coroutine shares ownership of what it works on, so the pipeline may
/// be destroyed before it has ended. Belongs to one event loop; every call is made on its thread.
class pipeline {
public:
    /// Most requests in it; further ones meanwhile stay in the connection's input.
    static constexpr std::size_t longest = 32;

    /// `handler` outlives it and every wait that it began.
    pipeline(executor_type executor, handler& handler);

    /// Cancels the requests that have not been taken.
    ~pipeline();
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;

    /// Takes `request` in and begins the wait that its handler asks for. A `std::exception` from the handler is the
    /// request's result; other exceptions are thrown here.
    void begin(request request);

    /// Requests whose answer has not been taken.
    std::size_t size() const noexcept { return exchanges_.size(); }
    bool empty() const noexcept { return exchanges_.empty(); } ///< nothing to take
    bool full() const noexcept { return size() == longest; }   ///< no room for another request

    /// Whether `take` returns the first request without waiting. The pipeline must not be empty.
    bool ready() const noexcept;

    /// A response, or the outcome from which the handler makes one, or what the handler or its wait threw instead.
    using result = std::variant<response, outcome, std::exception_ptr>;

    /// A request whose result is known.
    struct settled_request {
        http::request request;   ///< as `begin` got it
        pipeline::result result; ///< what became of it
    };

    /// The first request and its result, as soon as there is one. It is removed from the pipeline.
    awaitable<settled_request> take();

    /// Ends all waits early; their outcomes follow soon.
    void cancel();

private:
    struct exchange_under_way;

    void wait_for(const std::shared_ptr<exchange_under_way>& exchange, awaitable<outcome> wait);

    executor_type executor_;
    handler& handler_;
    std::shared_ptr<net::wakeup> settled_; // notified by each wait that ends
    std::list<std::shared_ptr<exchange_under_way>> exchanges_;
};

} // namespace causeway::http
