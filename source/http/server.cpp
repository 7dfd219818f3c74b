#include "http/server.hpp"

#include "http/response.hpp"
#include "net/rethrow.hpp"
#include "net/until_first.hpp"
#include "net/worth_a_line.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace causeway::http {
namespace {

using namespace std::chrono_literals;

// From a client's first segment to its second, even for a distant client.
constexpr std::chrono::microseconds longest_handshake = 100ms;

// How long new connections may keep arriving, from clients that cannot or do not find another process.
constexpr auto longest_wait_for_quiet = 1s;

// How long a client that has closed its sending side gets its answer at least, although it may be gone.
constexpr auto least_wait_of_a_client = 250ms;

// How long to leave connections in the listen queue when none can be taken now.
constexpr auto drain_pause = 10ms;

// An exception from a session, such as a failed system call, ends only that session. Anything that is not a
// `std::exception` comes from no code here, and propagates out of the event loop's `run`.
void log_failure(const std::exception_ptr& thrown, std::uint64_t& failures)
{
    try {
        if (thrown)
            std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        if (net::worth_a_line(++failures))
            spdlog::error("an HTTP session failed: {} ({} failed so far)", error.what(), failures);
    }
}

std::chrono::nanoseconds sweep_interval_for(const time_limits& limits)
{
    return std::min({limits.idle / 4, limits.reading / 4, limits.writing / 4, longest_sweep_interval});
}

sweep_limits in_sweeps(const time_limits& limits)
{
    const auto interval = sweep_interval_for(limits);
    return {.idle = limits.idle / interval,
            .reading = limits.reading / interval,
            .reading_in_drain = std::min(limits.reading, longest_reading_in_drain) / interval,
            .answering = (least_wait_of_a_client + interval - 1ns) / interval,
            .writing = limits.writing / interval};
}

} // namespace

server::server(tcp_acceptor acceptor, handler& handler, const time_limits& limits, net::limit& connections)
    : acceptor_(std::move(acceptor))
    , sweep_interval_(sweep_interval_for(limits))
    , limits_(in_sweeps(limits))
    , connections_(connections)
    , common_{handler, date_line(std::chrono::system_clock::now())}
    , session_ended_(acceptor_.get_executor())
    , drain_timer_(acceptor_.get_executor())
{
}

void server::apply(const time_limits& limits)
{
    sweep_interval_ = sweep_interval_for(limits);
    limits_ = in_sweeps(limits);
}

awaitable<> server::run() { co_await net::until_first(accept_and_drain(), sweep_sessions()); }

awaitable<> server::accept_and_drain()
{
    while (auto connection = co_await net::accept(acceptor_, connections_, common_.counts.accept_failures))
        co_await admit_with_others(std::move(*connection));
    while (!sessions_.empty())
        co_await session_ended_.wait();
}

awaitable<> server::sweep_sessions()
{
    steady_timer timer(acceptor_.get_executor());
    for (;;) {
        common_.date = date_line(std::chrono::system_clock::now());
        ++sweep_;
        if (common_.accesses != nullptr)
            common_.accesses->sweep();
        while (sweep_some())
            co_await asio::post(acceptor_.get_executor(), asio::deferred);
        // From the end of one sweep, however long it took: so each session has a whole interval between two sweeps.
        timer.expires_after(sweep_interval_);
        const auto [cancelled] = co_await timer.async_wait(as_result);
        if (cancelled)
            co_return;
    }
}

// Sweeps the next sessions that this sweep has not visited yet. False when there are none left. They precede the
// visited ones, because each visited session moves to the end of the list; so no position in the list has to be
// remembered from one turn of the event loop to the next, while sessions arrive, at the end, and leave, anywhere.
bool server::sweep_some()
{
    for (std::size_t count = 0; count != most_swept_in_a_turn; ++count) {
        if (sessions_.empty() || sessions_.front().last_sweep() == sweep_)
            return false;
        auto& next = sessions_.front();
        sessions_.splice(sessions_.end(), sessions_, sessions_.begin());
        next.sweep(sweep_, limits_);
    }
    return true;
}

// Together with those behind it in the listen queue. A busy event loop is told that the queue is not empty only after
// all other sockets that had something to read, so this must not be necessary for each of them.
awaitable<> server::admit_with_others(net::accepted connection)
{
    admit(std::move(connection));
    do
        co_await asio::post(acceptor_.get_executor(), asio::deferred);
    while (admit_some());
}

// False when nobody is left in the listen queue, or nobody can be accepted now.
bool server::admit_some()
{
    for (std::size_t count = 0; count != most_accepted_in_a_turn; ++count) {
        error_code ignored; // `net::accept` meets it again
        auto connection = net::accept_waiting(acceptor_, connections_, ignored);
        if (!connection)
            return false;
        admit(std::move(*connection));
    }
    return true;
}

void server::admit(net::accepted connection)
{
    somebody_came_ = true;
    ++common_.counts.accepted;
    if (draining_)
        slowest_handshake_ = std::max(slowest_handshake_, net::handshake_time(connection.socket));
    asio::co_spawn(acceptor_.get_executor(), serve(std::move(connection)), [this](const std::exception_ptr& thrown) {
        log_failure(thrown, common_.counts.session_failures);
        session_ended_.notify();
    });
}

awaitable<> server::serve(net::accepted connection)
{
    session session(std::move(connection.socket), common_);
    sessions_.push_back(session);
    if (draining_)
        session.drain();
    co_await session.run();
}

void server::drain(net::sockets_of_port others)
{
    draining_ = true;
    somebody_came_ = false;
    others_ = others;
    if (others_.count != 0)
        net::deal_newcomers(acceptor_, others_);
    std::ranges::for_each(sessions_, &session::drain);
    asio::co_spawn(acceptor_.get_executor(), stop_accepting(), net::rethrow);
}

// A client in the listen queue is connected as far as it knows, and one in the middle of a handshake soon will be;
// closing the socket would reset both. So connections are accepted and answered as before, until none has arrived for
// as long as a handshake takes. If another process shares the port, new connections go to it. If they still arrive here
// after the time of a handshake, the numbers of its sockets were wrong, and all sockets get new connections again. Then
// fewer and fewer arrive here, because clients that were answered reconnect and sooner or later find the other process.
// The last ones are kept out for just as long as a handshake takes, which delays a client that arrives then by a
// second, unless the kernel can move it to the other process.
awaitable<> server::stop_accepting()
{
    const auto latest = clock::now() + longest_wait_for_quiet;
    co_await wait(longest_handshake);
    while (acceptor_.is_open() && std::exchange(somebody_came_, false) && clock::now() < latest) {
        co_await wait(longest_handshake);
        if (somebody_came_ && std::exchange(others_, {}).count != 0)
            net::deal_newcomers_to_all(acceptor_);
    }
    if (acceptor_.is_open() && !net::kernel_hands_over_connections()) {
        if (others_.count != 0) // the first belongs to another process until all sockets of this process are closed
            net::deal_newcomers(acceptor_, {others_.first, 1});
        net::ignore_newcomers(acceptor_);
        co_await wait(std::min(2 * slowest_handshake_, longest_handshake));
    }
    error_code error;
    while (acceptor_.is_open() && error != asio::error::would_block) {
        auto connection = net::accept_waiting(acceptor_, connections_, error);
        if (connection)
            admit(std::move(*connection));
        else if (error != asio::error::would_block && error != asio::error::connection_aborted)
            co_await wait(drain_pause); // until a session ends and frees its place, or its file
    }
    acceptor_.close();
}

awaitable<> server::wait(std::chrono::nanoseconds duration)
{
    drain_timer_.expires_after(duration);
    co_await drain_timer_.async_wait(as_result);
}

std::size_t server::cut()
{
    acceptor_.close();
    drain_timer_.cancel();
    draining_ = true;
    std::size_t under_way = 0;
    for (auto& session : sessions_)
        under_way += session.cut();
    return under_way;
}

} // namespace causeway::http
