// What answers the requests, as far as the HTTP side knows it.
#pragma once

#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/asio.hpp"

#include <boost/system/result.hpp>

#include <memory>
#include <string>
#include <variant>

namespace causeway::http {

/// What a wait gives: bytes, or why there are none. What they mean is between the handler and what it waited for. The
/// reason is an error code of any category, so this header needs no type of the other side's.
using outcome = boost::system::result<std::string>;

/// A body that comes into being while it is sent. Destroyed when the connection has no more use for it.
class body_source {
public:
    virtual ~body_source() = default;

    /// Waits for the next piece; an empty one is the end. The wait may use `deadline`, which outlives it, and must end
    /// soon when that is cancelled, with or without a piece. A `std::exception` ends the connection.
    virtual awaitable<std::string> next(steady_timer& deadline) = 0;
};

/// A response without a length: `head` is sent at once, with its body as the first piece, then what `body` gives, piece
/// by piece, each when the client has taken the one before. The connection ends with it (RFC 9112 §6.3, no. 8): when
/// the body does, when the server drains, or when the client is gone or takes no more. The access log has it as soon as
/// the head was sent.
struct stream {
    response head;                     ///< and the first piece
    std::unique_ptr<body_source> body; ///< gives the others
};

/// What a handler makes of a request: a response, or what to wait for first, as a coroutine that begins when it is
/// awaited, or a response that is sent as it comes into being.
using reaction = std::variant<response, awaitable<outcome>, stream>;

/// Gives each request its response, in two steps that do not wait, with at most one wait in between:
///
///     look_at(request)  →  response
///     look_at(request)  →  what to wait for  →  outcome  →  respond(request, outcome)  →  response
///     look_at(request)  →  stream
///
/// The session waits, not the handler, so that one coroutine tells the whole story of a connection. Whatever else is to
/// be served is another handler: one that knows its pages never waits; one that passes messages on reads the message
/// from the request's body, waits for the reply, and still has the request when it makes the response.
///
/// Belongs to one event loop; every call is made on its thread. It outlives the server that it is given to, and
/// every wait that it gave.
///
/// A `std::exception` from either step or from the wait is this one request's answer: 500, which does not tell what it
/// says, and a close. The log tells it. Pipelined requests before this one are answered as usual, those behind it are
/// not.
class handler {
public:
    /// Whether `look_at` finds the body in its request. A body that is kept costs up to `body_reader::longest` bytes of
    /// memory for each request.
    virtual body_use use_of_bodies() const noexcept { return body_use::ignored; }

    /// Whether `look_at` finds the fields in its request. Asked once.
    virtual bool wants_fields() const noexcept { return false; }

    /// Whether a connection stays open for further requests, unless its client says otherwise. Where few connections
    /// are allowed and clients ask rarely, one that stays open would only take a place. Asked once. Whoever gives
    /// streams keeps none: where requests may come together, a stream is an error, 500.
    virtual bool keeps_connections() const noexcept { return true; }

    /// The first step. A wait that it gives must end in bounded time. It may use `deadline` for that, and must end soon
    /// when that is cancelled. Both `request` and `deadline` outlive the wait.
    virtual reaction look_at(const request& request, steady_timer& deadline) = 0;

    /// The second step, after a wait. Fills in `response`, which is like new, but has the memory of an earlier one: so
    /// an ordinary response needs no allocation. The outcome is the handler's to take.
    virtual void respond(const request& request, outcome&& outcome, response& response) = 0;

protected:
    ~handler() = default;
};

} // namespace causeway::http
