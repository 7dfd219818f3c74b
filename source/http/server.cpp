#include "http/server.hpp"

#include "http/response.hpp"
#include "net/rethrow.hpp"
#include "net/worth_a_line.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace causeway::http {
namespace {

using namespace std::chrono_literals;

// From a client's first segment to its second, also a distant one's.
constexpr auto handshake_time = 100ms;

// How long to leave connections in the listen queue when none can be taken now.
constexpr auto drain_pause = 10ms;

// An exception ends the one session that threw it; the others have nothing to do with it.
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

} // namespace

server::server(tcp_acceptor acceptor, ask_function ask, const time_limits& limits, net::limit& connections)
    : acceptor_(std::move(acceptor))
    , ask_(std::move(ask))
    , sweep_interval_(std::min({limits.idle / 4, limits.reading / 4, limits.writing / 4, longest_sweep_interval}))
    , limits_{limits.idle / sweep_interval_, limits.reading / sweep_interval_, limits.writing / sweep_interval_}
    , connections_(connections)
    , date_(date_line(std::chrono::system_clock::now()))
    , session_ended_(acceptor_.get_executor())
    , drain_timer_(acceptor_.get_executor())
{
}

awaitable<> server::run()
{
    using namespace asio::experimental::awaitable_operators;
    co_await (accept_and_drain() || sweep_sessions());
}

awaitable<> server::accept_and_drain()
{
    while (auto connection = co_await net::accept(acceptor_, connections_))
        admit(std::move(*connection));
    while (!sessions_.empty())
        co_await session_ended_.wait();
}

awaitable<> server::sweep_sessions()
{
    steady_timer timer(acceptor_.get_executor());
    for (;;) {
        timer.expires_after(sweep_interval_);
        const auto [cancelled] = co_await timer.async_wait(as_result);
        if (cancelled)
            break;
        date_ = date_line(std::chrono::system_clock::now());
        for (auto& session : sessions_)
            session.sweep(limits_);
    }
}

void server::admit(net::accepted connection)
{
    asio::co_spawn(acceptor_.get_executor(), serve(std::move(connection)), [this](const std::exception_ptr& thrown) {
        log_failure(thrown, failures_);
        session_ended_.notify();
    });
}

awaitable<> server::serve(net::accepted connection)
{
    session session(std::move(connection.socket), ask_, date_);
    sessions_.push_back(session);
    if (draining_)
        session.drain();
    co_await session.run();
}

void server::drain()
{
    draining_ = true;
    std::ranges::for_each(sessions_, &session::drain);
    asio::co_spawn(acceptor_.get_executor(), stop_accepting(), net::rethrow);
}

// Who waits in the listen queue has a connection as far as it knows, and who is in the middle of a handshake soon will;
// closing the socket would reset both. So first no more may come, then those who have come are accepted.
awaitable<> server::stop_accepting()
{
    net::refuse_handshakes(acceptor_);
    co_await wait(handshake_time);
    error_code error;
    while (acceptor_.is_open() && error != asio::error::would_block) {
        auto connection = net::accept_waiting(acceptor_, connections_, error);
        if (connection)
            admit(std::move(*connection));
        else if (error != asio::error::would_block && error != asio::error::connection_aborted)
            co_await wait(drain_pause); // until a session ends and leaves its place, or its file, to another
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
    const auto under_way = std::ranges::count_if(sessions_, &session::busy);
    std::ranges::for_each(sessions_, &session::cut);
    return static_cast<std::size_t>(under_way);
}

} // namespace causeway::http
