// Requests that came together: waited for together, answered in their order.
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

/// What a client sent without waiting for the answers in between (RFC 9112 §9.3.2). What each waits for
/// is a coroutine of its own, so they wait at the same time. Such a coroutine shares in owning what it works on, so the
/// pipeline may go before it has ended. Belongs to one event loop; every call is made on its thread.
class pipeline {
public:
    /// Most requests in it; further ones stay in the connection's input meanwhile.
    static constexpr std::size_t longest = 32;

    /// `handler` outlives it, and what it began.
    pipeline(executor_type executor, handler& handler);

    /// Gives up what has not been taken.
    ~pipeline();
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;

    /// Takes `request` in and begins to wait for what its handler says. A `std::exception` that the handler throws is
    /// the request's result; others are thrown here.
    void begin(request request);

    /// Requests whose answer has not been taken.
    std::size_t size() const noexcept { return exchanges_.size(); }
    bool empty() const noexcept { return exchanges_.empty(); }
    bool full() const noexcept { return size() == longest; }

    /// Whether `take` gives the first request without waiting. Not to be asked of an empty pipeline.
    bool ready() const noexcept;

    /// A response, or what the handler makes one of, or what the handler or its wait threw instead.
    using result = std::variant<response, outcome, std::exception_ptr>;

    struct settled_request {
        http::request request;
        pipeline::result result;
    };

    /// The first request and what became of it, as soon as that is there. It is no longer in the pipeline then.
    awaitable<settled_request> take();

    /// Ends all waits early; their outcomes come soon.
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
