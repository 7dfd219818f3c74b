// Requests that came together: asked together, answered in their order.
#pragma once

#include "http/ask_function.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"
#include "net/wakeup.hpp"

#include <cstddef>
#include <list>
#include <memory>

namespace causeway::http {

/// What a client sent without waiting for the answers in between (RFC 9112 §9.3.2). A coroutine of its own finds the
/// answer to each request, so they wait for their replies at the same time. Such a coroutine shares in owning what it
/// works on, so the pipeline may go before it has ended. Belongs to one event loop; every call is made on its thread.
class pipeline {
public:
    /// Most requests in it; further ones stay in the connection's input meanwhile.
    static constexpr std::size_t longest = 32;

    /// `ask` outlives it, and what it began.
    pipeline(executor_type executor, const ask_function& ask);

    /// Gives up what has not been taken.
    ~pipeline();
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;

    /// Takes `request` in and begins to find its answer.
    void begin(request request);

    /// Requests whose answer has not been taken.
    std::size_t size() const noexcept { return exchanges_.size(); }
    bool empty() const noexcept { return exchanges_.empty(); }
    bool full() const noexcept { return size() == longest; }

    /// Whether `take` gives the first answer without waiting. Not to be asked of an empty pipeline.
    bool ready() const noexcept;

    struct answered_request {
        http::request request;
        http::response response;
    };

    /// The first request and its answer, as soon as that is there. It is no longer in the pipeline then. An exception
    /// that ended the search for the answer is thrown here.
    awaitable<answered_request> take();

    /// Ends all waits early; the answers come soon.
    void cancel();

private:
    struct exchange_under_way;

    static awaitable<> find_answer(std::shared_ptr<exchange_under_way> exchange, const ask_function& ask);

    executor_type executor_;
    const ask_function& ask_;
    std::shared_ptr<net::wakeup> answered_; // notified by each search that ends
    std::list<std::shared_ptr<exchange_under_way>> exchanges_;
};

} // namespace causeway::http
