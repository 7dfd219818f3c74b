#include "http/session.hpp"

#include "http/question.hpp"
#include "http/response.hpp"
#include "net/sleep.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include <poll.h>

#include <chrono>
#include <utility>

namespace causeway::http {
namespace {

using beast::http::status;
using beast::http::verb;
using namespace std::chrono_literals;

// Bytes to make room for at once. A connection that waits for a request keeps only the small one.
constexpr std::size_t first_read = 384;
constexpr std::size_t further_read = 4 * 1024;

// Bytes of answers that are gathered for one write at most, if no single answer is longer.
constexpr std::size_t most_output = 64 * 1024;

// How long to wait for the client to close its side after we have closed ours.
constexpr auto linger = 1s;

std::string_view text_of(const beast::flat_buffer& buffer)
{
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

} // namespace

session::session(tcp_socket socket, const ask_function& ask, const std::string& date)
    : socket_(std::move(socket))
    , ask_(ask)
    , date_(date)
    , deadline_(socket_.get_executor())
{
}

// Begins to read. Whoever has awaited it calls `take_in` with what it gave.
auto session::receive()
{
    if (phase_ == phase::idle)
        release_large_buffers();
    const auto room = phase_ == phase::idle ? first_read : further_read;
    return socket_.async_read_some(input_.prepare(room), as_result);
}

awaitable<> session::run()
{
    while (stays_open_) {
        request_parser parser(request_);
        enter(phase::idle);
        read_on(parser);
        while (parser.state() == request_state::needs_more) {
            if (parser.take_expectation()) {
                output_ = "HTTP/1.1 100 Continue\r\n\r\n";
                const bool sent = co_await send();
                if (!sent)
                    co_return;
            }
            const auto [error, count] = co_await receive();
            take_in(error, count);
            read_on(parser);
        }

        if (parser.state() == request_state::ended) {
            break;
        } else if (parser.state() == request_state::refused) {
            compose(parser.reason());
        } else if (input_.size() != 0 && request_.keep_alive) {
            co_await answer_pipelined();
        } else if (const auto code = code_in(request_)) {
            enter(phase::answering);
            const auto response = answered(co_await ask_(*code, deadline_));
            compose(request_, response, request_.keep_alive && !draining_);
        } else {
            compose(request_, code.error(), request_.keep_alive && !draining_);
        }
        if (abandoned_)
            co_return;

        enter(phase::writing);
        if (!sent_at_once()) {
            const bool sent = co_await send();
            if (!sent)
                co_return;
        }
    }
    co_await hang_up();
}

// Composes the answers to the request that was read and to those that came with it, in the order of the requests. What
// is there is sent before anything is waited for; the rest is left to be sent.
awaitable<> session::answer_pipelined()
{
    read_what_has_come();
    pipeline_ = std::make_unique<pipeline>(socket_.get_executor(), ask_);
    bool keep_alive = request_.keep_alive;
    pipeline_->begin(std::move(request_));
    while (keep_alive && !pipeline_->full()) {
        auto next = pipelined_request();
        if (!next)
            break;
        keep_alive = next->keep_alive;
        pipeline_->begin(*std::move(next));
    }

    while (!pipeline_->empty()) {
        const bool due = !pipeline_->ready() || output_.size() > most_output;
        if (due && !output_.empty() && !abandoned_) {
            enter(phase::writing);
            abandoned_ = !co_await send();
            if (abandoned_)
                give_up();
        }
        enter(phase::answering);
        const auto [request, response] = co_await pipeline_->take();
        const bool is_last = pipeline_->empty();
        compose(request, response, request.keep_alive && !(draining_ && is_last));
    }
    pipeline_.reset();
}

// Without waiting, and only if there is little: a client that never stops sending is held back by TCP, not kept in
// memory. That the connection has ended will be told again by the next read.
void session::read_what_has_come()
{
    if (input_.size() >= further_read)
        return;
    error_code ignored;
    input_.commit(socket_.read_some(input_.prepare(further_read), ignored));
}

// One that has come whole; otherwise it stays where it is.
std::optional<request> session::pipelined_request()
{
    request whole;
    request_parser parser(whole);
    const auto consumed = parser.read(text_of(input_));
    if (parser.state() != request_state::complete)
        return std::nullopt;
    input_.consume(consumed);
    return whole;
}

// By the client, not by us.
bool session::input_has_ended() const { return input_error_ && input_error_ != asio::error::operation_aborted; }

void session::take_in(error_code error, std::size_t count)
{
    input_.commit(count);
    input_error_ = error;
}

// Reads on in what has come. When nothing more will come, that is the end of it.
void session::read_on(request_parser& parser)
{
    input_.consume(parser.read(text_of(input_)));
    if (phase_ == phase::idle && parser.begun())
        enter(phase::reading);
    if (input_error_ == asio::error::operation_aborted && parser.begun())
        parser.refuse({status::request_timeout, "the request did not come to its end in time"});
    else if (input_error_)
        parser.end();
}

// One large request or answer must not cost memory for as long as the connection lasts.
void session::release_large_buffers()
{
    if (input_.capacity() > first_read)
        input_.shrink_to_fit();
    if (request_.target.capacity() > first_read)
        request_.target = {};
    if (output_.capacity() > further_read)
        output_ = {};
}

void session::compose(const request& request, const response& response, bool keep_alive)
{
    stays_open_ = keep_alive;
    append(response, {request.version, keep_alive, request.method == verb::head}, date_, output_);
}

// What fits into the socket's buffer is sent without a turn of the event loop. That is nearly everything. False when
// something is left, also after an error: the kernel tells `send` that the connection is broken.
bool session::sent_at_once()
{
    error_code ignored;
    output_.erase(0, socket_.write_some(asio::buffer(output_), ignored));
    return output_.empty();
}

// Sends the output and forgets it.
awaitable<bool> session::send()
{
    const auto [error, count] = co_await asio::async_write(socket_, asio::buffer(output_), as_result);
    output_.clear();
    co_return !error;
}

void session::compose(const refusal& refusal)
{
    stays_open_ = false;
    append(refused(refusal.status, refusal.problem), framing{}, date_, output_);
}

// Closing a socket with unread input resets the connection, and a reset can overtake the answer on its way. So only
// our side is closed, and the client gets a moment to read the answer and close the other (RFC 9112 §9.6).
awaitable<> session::hang_up()
{
    using namespace asio::experimental::awaitable_operators;
    enter(phase::closing);
    error_code gone;
    socket_.shutdown(tcp_socket::shutdown_send, gone);
    if (!gone && !input_has_ended())
        co_await (discard_input() || net::sleep(linger));
}

awaitable<> session::discard_input()
{
    error_code closed;
    while (!closed) {
        input_.clear();
        const auto [error, count] = co_await receive();
        take_in(error, count);
        closed = error;
    }
}

void session::enter(phase next) noexcept
{
    phase_ = next;
    sweeps_ = 0;
}

void session::sweep(const sweep_limits& limits)
{
    ++sweeps_;
    switch (phase_) {
    case phase::idle:
        if (sweeps_ > (draining_ ? 1 : limits.idle))
            close_if_idle();
        break;
    case phase::reading:
        if (sweeps_ > limits.reading)
            stop_reading();
        break;
    case phase::answering:
        // A client that closes its sending side looks like one that is gone. It still gets what comes before long.
        if (sweeps_ > 1 && client_is_gone()) {
            abandoned_ = true;
            give_up();
        }
        break;
    case phase::writing:
        if (sweeps_ > limits.writing)
            reset();
        break;
    case phase::closing:
        break;
    }
}

// The connection has been ended by the client, also behind input that nobody has read yet.
bool session::client_is_gone()
{
    pollfd connection{socket_.native_handle(), POLLRDHUP, 0};
    return ::poll(&connection, 1, 0) == 1;
}

// Without waiting for the client to take what is still to be sent: it has had its time.
void session::reset()
{
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

void session::drain()
{
    draining_ = true;
    if (sweeps_ > 1)
        close_if_idle();
}

void session::close_if_idle()
{
    error_code error;
    if (phase_ == phase::idle && socket_.available(error) == 0)
        stop_reading();
}

// The read ends with `operation_aborted`. To cancel on a socket that is closed already does nothing.
void session::stop_reading()
{
    error_code closed;
    socket_.cancel(closed);
}

void session::cut()
{
    error_code ignored;
    socket_.close(ignored);
    give_up();
}

// The questions under way end soon, without a reply.
void session::give_up()
{
    deadline_.cancel();
    if (pipeline_)
        pipeline_->cancel();
}

} // namespace causeway::http
