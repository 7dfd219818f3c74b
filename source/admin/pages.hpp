// What an operator can ask the process: one more HTTP handler.
#pragma once

#include "admin/live_page.hpp"
#include "admin/report.hpp"
#include "http/handler.hpp"
#include "net/asio.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace causeway::admin {

/// Answers GET and HEAD for
///
///     /metrics   the figures of the process, in Prometheus' text format
///     /healthz   200 while every event loop turns, otherwise 503 and what is wrong
///     /readyz    200 while requests are welcome, otherwise 503 and why not
///
/// and for the live page. Other paths are 404, other methods 405. Each answer closes its connection, so that those who
/// ask now and then keep nobody out. Belongs to one event loop, which need not be one of those that it tells of.
class pages final : public http::handler {
public:
    /// Looks at the process. May use the timer to wait for what it needs, and ends soon when that is cancelled.
    using look = std::function<awaitable<report>(steady_timer& deadline)>;

    /// `look_at_process` is called for each request, and what it gave to wait for is awaited once. `live` is the live
    /// page's, and outlives this. `host` is what the server was told to listen on.
    pages(facts facts, look look_at_process, live_source& live, std::string host);

    http::body_use use_of_bodies() const noexcept override { return http::body_use::kept; }
    bool wants_fields() const noexcept override { return true; }
    bool keeps_connections() const noexcept override { return false; }
    http::reaction look_at(const http::request& request, steady_timer& deadline) override;
    void respond(const http::request& request, http::outcome&& outcome, http::response& response) override;

private:
    struct page;
    static const page* page_at(std::string_view path);
    awaitable<http::outcome> write(const page& asked, steady_timer& deadline);

    facts facts_;
    look look_at_process_;
    live_page live_page_;
};

} // namespace causeway::admin
