// Who answers the requests: what the HTTP side knows of it.
#pragma once

#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <variant>

namespace causeway::http {

/// What came of waiting: bytes, or why there are none. Only the handler that chose what to wait for knows what either
/// means. An error code can be anybody's, so it needs no type of theirs here.
using outcome = boost::system::result<std::string>;

/// What becomes of a request: its response at once, or what to wait for. That is a coroutine that has not begun, and
/// begins when it is awaited.
using reaction = std::variant<response, awaitable<outcome>>;

/// Gives each request its response, in two steps that do not wait, with at most one wait in between:
///
///     look_at(request)  →  response
///     look_at(request)  →  what to wait for  →  outcome  →  respond(request, outcome)  →  response
///
/// Whoever serves a connection waits, and so stays the one coroutine that tells its story; what it waits for is one
/// more. Another thing to serve is another class: a page that is known at once never waits; a message with an answer
/// is read from the request's body, waited for, and made into a response with the request still at hand.
///
/// Belongs to one event loop; every call is made on its thread. It outlives the server that it is given to, and
/// whatever it gave to wait for. An exception ends the connection that the request came on.
class handler {
public:
    /// What is done with the bodies of requests, before any of them is looked at. To keep them costs memory, at most
    /// `body_reader::longest` bytes for each connection.
    virtual body_use use_of_bodies() const noexcept { return body_use::ignored; }

    /// The first step. The wait ends in bounded time, and soon when `deadline`, which is lent for it, is cancelled;
    /// both `request` and `deadline` outlive it.
    virtual reaction look_at(const request& request, steady_timer& deadline) = 0;

    /// The second step, only after a wait. Fills in `response`, which comes as a new one would, but with the memory of
    /// an earlier one, so that an ordinary response takes none from the heap.
    virtual void respond(const request& request, outcome outcome, response& response) = 0;

protected:
    ~handler() = default;
};

} // namespace causeway::http
