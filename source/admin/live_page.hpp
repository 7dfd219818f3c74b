// The live page: its files, its stream of events, and its question.
#pragma once

#include "admin/live_source.hpp"
#include "http/handler.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"

#include <string>
#include <string_view>

namespace causeway::admin {

/// Answers for
///
///     GET  /             the page, whose files are at /live/…
///     GET  /live/events  what happens in the process, for as long as the client stays
///     POST /live/ask     {"code":"404"}: asks the process for it; 404 where that is not offered
///
/// Only a client that names the server by an address, as localhost, or by the name that it was given is answered: so no
/// other site's name can be made to point here. Events and questions are for the page itself and for what is no
/// browser; what another site's page asks is 403. Belongs to one event loop; every call is made on its thread.
class live_page {
public:
    /// `source` outlives it. `host` is the name or address that the server was told to listen on.
    live_page(live_source& source, std::string host);

    /// Whether `path` is one of those above.
    static bool has(std::string_view path);

    /// As `http::handler`, for a path that it has.
    http::reaction look_at(const http::request& request, std::string_view path, steady_timer& deadline);
    static void respond(http::outcome&& outcome, http::response& response);

private:
    http::reaction watch(const http::request& request);
    http::reaction ask(const http::request& request, steady_timer& deadline);
    bool is_called_by_its_name(const http::request& request) const;

    live_source& source_;
    std::string host_;
};

} // namespace causeway::admin
