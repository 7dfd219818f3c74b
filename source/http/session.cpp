#include "http/session.hpp"

#include "net/worth_a_line.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace causeway::http {
namespace {

using beast::http::status;
using beast::http::verb;

// Bytes to make room for: while a connection waits for a request, and then for its further parts.
constexpr std::size_t usual_first_read = 200;
constexpr std::size_t longest_first_read = 2 * 1024;
constexpr std::size_t further_read = 4 * 1024;

// Of requests that were sent without waiting for answers, so many bytes are read at once. Many payments fit into it.
constexpr std::size_t most_read_ahead = 16 * 1024;

// Of a text that comes with a request, the most memory that is kept for the next one.
constexpr std::size_t most_kept = 384;

// Bytes of answers that are gathered for one write at most, if no single answer is longer.
constexpr std::size_t most_output = 64 * 1024;

std::string_view text_of(const beast::flat_buffer& buffer)
{
    return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

// `text = {}` would assign no characters, and keep the memory of the old ones.
void release_if_larger(std::string& text, std::size_t size)
{
    if (text.capacity() > size)
        std::string().swap(text);
}

} // namespace

session::session(tcp_socket socket, common& common)
    : connection_(std::move(socket))
    , common_(common)
    , log_(common.accesses, connection_, common.counts.accepted)
    , deadline_(connection_.get_executor())
{
    if (common.tls)
        connection_.accept_tls(*common.tls);
}

// False when the client speaks no TLS, or none that is good enough.
awaitable<bool> session::shake_hands()
{
    progress_.enter(phase::handshaking);
    const auto error = co_await connection_.handshake();
    auto& failures = common_.counts.handshake_failures;
    if (error && net::worth_a_line(++failures))
        spdlog::info("a TLS handshake failed: {} ({} failed so far)", error.message(), failures);
    co_return !error;
}

// Waits for more input, which `take_in` is given. Not a coroutine, which would cost a frame for each read.
auto session::receive()
{
    room_ = further_read;
    if (progress_.current() == phase::idle) {
        room_ = room_for_a_request();
        release_large_buffers();
        request_size_ = 0;
    }
    return connection_.read(input_.prepare(room_), asio::as_tuple(net::deferred_in(reading_)));
}

void session::take_in(const std::tuple<error_code, std::size_t>& received)
{
    const auto [error, count] = received;
    input_.commit(count);
    may_have_more_ = count == room_;
    input_error_ = error;
}

awaitable<> session::run()
{
    if (connection_.has_tls()) {
        const bool agreed = co_await shake_hands();
        if (!agreed) // it gets to know why
            co_return co_await connection_.hang_up();
    }
    while (stays_open_) {
        request_parser parser(request_, common_.handler.use_of_bodies(), common_.wants_fields);
        progress_.enter(phase::idle);
        read_on(parser);
        while (parser.state() == request_state::needs_more) {
            if (parser.take_expectation()) {
                output() = "HTTP/1.1 100 Continue\r\n\r\n";
                const bool sent = co_await send();
                if (!sent)
                    co_return;
            }
            take_in(co_await receive());
            read_on(parser);
        }

        request_.keep_alive = request_.keep_alive && common_.keeps_connections;
        if (parser.state() == request_state::ended) {
            break;
        } else if (parser.state() == request_state::refused) {
            compose(parser.reason());
        } else if (request_.keep_alive && others_have_come()) {
            co_await answer_pipelined();
        } else {
            try {
                auto next = common_.handler.look_at(request_, deadline_);
                if (auto* wait = std::get_if<awaitable<outcome>>(&next)) {
                    progress_.enter(phase::answering);
                    compose(request_, co_await std::move(*wait));
                } else if (auto* at_once = std::get_if<response>(&next)) {
                    compose(request_, *at_once);
                } else {
                    compose(request_, std::get<stream>(std::move(next)));
                }
            } catch (const std::exception& error) {
                compose_failure(request_, error);
            }
        }
        if (abandoned_)
            co_return;

        progress_.enter(phase::writing);
        if (!sent_at_once()) {
            const bool sent = co_await send();
            if (!sent)
                co_return;
        }
        // While whole requests are in the input and need no wait, nothing above suspends. The other connections get
        // their turn here, however fast this client sends.
        if (input_.size() != 0)
            co_await asio::post(connection_.get_executor(), asio::deferred);
    }
    if (body_) {
        co_await send_body();
        body_.reset(); // before the client has closed its side, too
    }
    progress_.enter(phase::closing);
    co_await connection_.hang_up();
}

// With the request that was read, which may have filled all of the room that there was to read into.
bool session::others_have_come()
{
    if (input_.size() == 0 && may_have_more_)
        read_what_has_come();
    return input_.size() != 0;
}

// Composes the answers to the request that was read and to those that came with it, in the order of the requests. What
// is there is sent before anything is waited for; the rest is left to be sent. Behind a request whose handler threw
// nothing is answered.
awaitable<> session::answer_pipelined()
{
    read_what_has_come();
    pipeline_ = std::make_unique<pipeline>(connection_.get_executor(), common_.handler);
    bool keep_alive = request_.keep_alive;
    pipeline_->begin(std::move(request_));
    while (keep_alive && !pipeline_->full()) {
        auto next = pipelined_request();
        if (!next)
            break;
        keep_alive = next->keep_alive;
        pipeline_->begin(*std::move(next));
    }

    while (stays_open_ && !pipeline_->empty()) {
        const bool is_due = output_ && (!pipeline_->ready() || output_->size() > most_output);
        if (is_due && !abandoned_) {
            progress_.enter(phase::writing);
            abandoned_ = !co_await send();
            if (abandoned_)
                give_up();
        }
        progress_.enter(phase::answering);
        auto [request, result] = co_await pipeline_->take();
        try {
            std::visit([&](auto& known) { compose(request, std::move(known)); }, result);
        } catch (const std::exception& error) {
            compose_failure(request, error);
        }
    }
    pipeline_.reset();
}

// The rest of a stream, whose head has been sent.
awaitable<> session::send_body()
{
    while (!draining_ && !abandoned_) {
        progress_.enter(phase::answering);
        auto piece = co_await body_->next(deadline_);
        if (piece.empty())
            co_return;
        output() = std::move(piece);
        progress_.enter(phase::writing);
        const bool sent = co_await send();
        if (!sent)
            co_return;
    }
}

// Without waiting, and no more than a little: a client that never stops sending is held back by TCP, not kept in
// memory.
void session::read_what_has_come()
{
    error_code told_again;
    bool may_be_more = true;
    while (may_be_more && input_.size() < most_read_ahead) {
        const auto count = connection_.read_at_once(input_.prepare(further_read), told_again);
        input_.commit(count);
        may_be_more = count == further_read;
    }
}

// One that has come whole; otherwise it stays where it is.
std::optional<request> session::pipelined_request()
{
    request whole;
    log_.begin(whole);
    request_parser parser(whole, common_.handler.use_of_bodies(), common_.wants_fields);
    const auto consumed = parser.read(text_of(input_));
    if (parser.state() != request_state::complete)
        return std::nullopt;
    input_.consume(consumed);
    log_.came(whole);
    return whole;
}

// Reads on in what has come. When nothing more will come, that is the end of it.
void session::read_on(request_parser& parser)
{
    if (!parser.begun() && input_.size() != 0)
        log_.begin(request_);
    const auto consumed = parser.read(text_of(input_));
    input_.consume(consumed);
    request_size_ += static_cast<std::uint32_t>(consumed);
    if (progress_.current() == phase::idle && parser.begun())
        progress_.enter(phase::reading);
    if (parser.begun())
        log_.came(request_);
    if (input_error_ == asio::error::operation_aborted && parser.begun())
        parser.refuse({status::request_timeout, "the request was not complete in time"});
    else if (input_error_)
        parser.end();
}

// A client's requests are much alike: with room for one that is a quarter longer than the last, the next one nearly
// always comes in a single read. The heads of browsers have 400 to 1,500 bytes. Room for a longer request would cost
// too much memory while the connection is idle.
std::size_t session::room_for_a_request() const noexcept
{
    const std::size_t another_like_the_last = request_size_ + request_size_ / 4;
    return another_like_the_last > longest_first_read ? usual_first_read
                                                      : std::max(usual_first_read, another_like_the_last);
}

// One large request must not cost memory for as long as the connection lasts.
void session::release_large_buffers()
{
    if (input_.capacity() > 2 * room_for_a_request())
        input_.shrink_to_fit();
    release_if_larger(request_.target, most_kept);
    release_if_larger(request_.content_type, most_kept);
    release_if_larger(request_.body, most_kept);
}

void session::compose(request& request, outcome&& of_the_wait)
{
    common_.response.clear();
    common_.handler.respond(request, std::move(of_the_wait), common_.response);
    compose(request, common_.response);
}

void session::compose(request& request, const response& response)
{
    const bool is_last = !pipeline_ || pipeline_->empty();
    stays_open_ = request.keep_alive && !(draining_ && is_last);
    append_answer(request, response, {request.version, stays_open_, request.method == verb::head});
}

void session::compose(request& request, stream&& stream)
{
    stays_open_ = false;
    const bool head_only = request.method == verb::head;
    append_answer(request, stream.head, {.version = request.version, .head_only = head_only, .has_length = false});
    if (!head_only)
        body_ = std::move(stream.body);
}

void session::compose(request& /*request*/, const std::exception_ptr& thrown) { std::rethrow_exception(thrown); }

// The client learns that its request failed, and the log why. The connection is closed, as it is after everything that
// should not happen.
void session::compose_failure(request& request, const std::exception& error)
{
    auto& failures = common_.counts.request_failures;
    if (net::worth_a_line(++failures))
        spdlog::error("a request failed: {} ({} failed so far)", error.what(), failures);
    request.keep_alive = false;
    compose(request, refused(status::internal_server_error, "internal error"));
}

void session::compose(const refusal& refusal)
{
    stays_open_ = false;
    append_answer(request_, refused(refusal.status, refusal.problem),
                  framing{.head_only = request_.method == verb::head});
}

void session::append_answer(request& request, const response& response, framing framing)
{
    if (request.access)
        framing.request_id = log_.answered(request, response, framing.head_only);
    append(response, framing, common_.date, output());
    ++answers_in_output_;
    if (!abandoned_)
        common_.counts.count(response.status);
}

// Where to put what is to be sent. Nearly all answers are sent in the turn in which they are composed, so they use the
// same memory, which stays in the core's cache, and an idle connection has none.
std::string& session::output()
{
    if (!output_)
        output_ = common_.output ? std::move(common_.output) : std::make_unique<std::string>();
    return *output_;
}

// What fits into the socket's buffer is sent without a turn of the event loop. That is nearly everything. False when
// something is left, also after an error: the kernel tells `send` that the connection is broken.
bool session::sent_at_once()
{
    output_->erase(0, connection_.write_at_once(asio::buffer(*output_)));
    if (!output_->empty())
        return false;
    forget_output();
    log_.sent();
    return true;
}

// Sends the output and forgets it.
awaitable<bool> session::send()
{
    const auto [error, count] = co_await connection_.write(asio::buffer(*output_));
    forget_output();
    if (!error)
        log_.sent();
    co_return !error;
}

void session::forget_output()
{
    output_->clear();
    common_.output = std::move(output_);
    answers_in_output_ = 0;
}

void session::sweep(std::uint64_t number, const sweep_limits& limits)
{
    last_sweep_ = number;
    switch (progress_.sweep(limits, draining_)) {
    case due::nothing:
        break;
    case due::close:
        close_if_idle();
        break;
    case due::refuse:
        connection_.stop_reading();
        break;
    case due::look_for_client:
        // A client that closes its sending side looks like one that is gone. It still gets what comes before long.
        if (connection_.peer_is_gone()) {
            abandoned_ = true;
            give_up();
        }
        break;
    case due::reset:
        connection_.reset();
        break;
    }
}

void session::drain()
{
    draining_ = true;
    if (progress_.has_settled())
        close_if_idle();
    if (body_)
        deadline_.cancel();
}

// A request may have come that nobody has looked at yet; with TLS, perhaps only a part of a record, whose rest has as
// long to come as that of a request.
void session::close_if_idle()
{
    if (connection_.has_input())
        progress_.enter(phase::reading);
    else
        connection_.stop_reading();
}

std::size_t session::cut()
{
    const auto under_way = requests_under_way();
    connection_.close();
    give_up();
    return under_way;
}

std::size_t session::requests_under_way() const noexcept
{
    const auto now = progress_.current();
    const std::size_t by_itself = now == phase::reading || now == phase::answering ? 1 : 0;
    return answers_in_output_ + (pipeline_ ? pipeline_->size() : by_itself);
}

// The waits under way end soon, without a reply.
void session::give_up()
{
    deadline_.cancel();
    if (pipeline_)
        pipeline_->cancel();
}

} // namespace causeway::http
