#include "http/session.hpp"

#include "http/request_parser.hpp"
#include "http/response.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include <chrono>
#include <utility>

namespace causeway::http {
namespace {

using beast::http::status;
using beast::http::verb;
using protocol_error = beast::http::error;
using namespace std::chrono_literals;

// How much is asked of the socket at once; most requests are smaller.
constexpr std::size_t read_size = 2 * 1024;

// How long to wait for the client to close its side after we have closed ours.
constexpr auto linger = 1s;

// What was wrong with bytes that are not a request. The rest of the connection cannot be trusted after any of these.
response refusal(const error_code& error)
{
    if (error == protocol_error::header_limit)
        return refused(status::request_header_fields_too_large, "the request head is longer than 8 KiB");
    if (error == protocol_error::body_limit)
        return refused(status::payload_too_large, "the request body is longer than 64 KiB");
    if (error == protocol_error::bad_version)
        return refused(status::http_version_not_supported, "use HTTP/1.1");
    return bad_request("this is not an HTTP/1.1 request: " + error.message());
}

awaitable<> sleep(std::chrono::nanoseconds duration)
{
    steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(as_result);
}

} // namespace

session::session(tcp_socket socket, const ask_function& ask)
    : socket_(std::move(socket))
    , ask_(ask)
{
}

awaitable<> session::run()
{
    for (;;) {
        const auto [error, request] = co_await read_request();
        if (error == protocol_error::end_of_stream)
            co_return;
        if (error == asio::error::operation_aborted)
            break;
        // Not as `?:`, in which g++ 12 destroys the result of a co_await too early (GCC bug 101976 and its kin).
        response response;
        if (error)
            response = refusal(error);
        else
            response = co_await answer(request, ask_);

        const bool keep_alive = !error && request.keep_alive && !draining_;
        const framing framing{request.version, keep_alive, request.method == verb::head};
        if (co_await send(response, framing))
            co_return;
        if (!keep_alive)
            break;
    }
    co_await hang_up();
}

// The next request, or why there is none: `end_of_stream` when the client is gone, `operation_aborted` when we end the
// connection, otherwise what is wrong with the bytes that came.
awaitable<std::tuple<error_code, request>> session::read_request()
{
    request_parser parser;
    for (;;) {
        error_code error = protocol_error::need_more;
        if (input_.size() != 0) {
            busy_ = true;
            input_.consume(parser.put(input_.data(), error));
        }
        if (parser.is_done())
            co_return std::tuple(error_code{}, parser.take());
        if (error && error != protocol_error::need_more)
            co_return std::tuple(error, request{});
        if (!busy_ && draining_)
            co_return std::tuple(asio::error::operation_aborted, request{});
        if (const auto failure = co_await receive())
            co_return std::tuple(failure, request{});
    }
}

awaitable<error_code> session::receive()
{
    const auto [error, count] = co_await socket_.async_read_some(input_.prepare(read_size), as_result);
    input_.commit(count);
    if (error && error != asio::error::operation_aborted)
        co_return protocol_error::end_of_stream;
    co_return error;
}

awaitable<error_code> session::send(const response& response, const framing& framing)
{
    output_.clear();
    append(response, framing, std::chrono::system_clock::now(), output_);
    const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(output_), as_result);
    busy_ = false;
    co_return error;
}

// Closing a socket with unread input resets the connection, and a reset can overtake the answer on its way. So only
// our side is closed, and the client gets a moment to read the answer and close the other (RFC 9112 §9.6).
awaitable<> session::hang_up()
{
    using namespace asio::experimental::awaitable_operators;
    error_code gone;
    socket_.shutdown(tcp_socket::shutdown_send, gone);
    if (!gone)
        co_await (discard_input() || sleep(linger));
}

awaitable<> session::discard_input()
{
    error_code closed;
    while (!closed) {
        input_.clear();
        closed = co_await receive();
    }
}

void session::drain()
{
    draining_ = true;
    if (!busy_)
        socket_.cancel();
}

void session::cut()
{
    error_code ignored;
    socket_.close(ignored);
}

} // namespace causeway::http
