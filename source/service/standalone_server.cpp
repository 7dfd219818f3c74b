#include "service/standalone_server.hpp"

#include "backend/code_server.hpp"
#include "backend/iso8583_host.hpp"
#include "net/asio.hpp"
#include "net/rethrow.hpp"
#include "net/until_first.hpp"
#include "service/cannot_listen.hpp"
#include "service/heartbeat.hpp"
#include "service/payments.hpp"
#include "service/program.hpp"
#include "service/reload_at_hangups.hpp"
#include "service/service_manager.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>

namespace causeway::service {
namespace {

// Most clients at once. Each is an open file, and a few are needed for other things.
std::size_t most_clients()
{
    constexpr std::size_t enough = 16384;
    constexpr std::size_t needed_otherwise = 16;
    return std::clamp(open_file_limit(), needed_otherwise + 1, enough + needed_otherwise) - needed_otherwise;
}

constexpr auto what_else_to_do = "or choose another address with --listen";

awaitable<> signal_in(signal_set& signals) { co_await signals.async_wait(as_result); }

// The fact that this is called shows that the only event loop is running.
awaitable<heartbeat::condition> condition_of(const backend::server& server)
{
    co_return heartbeat::condition{fmt::format("{} clients", server.clients())};
}

// Runs the server that `make` creates on the event loop that it is given.
template <class Settings, class Make>
int run_server(live_settings<Settings>& settings, Make make)
try {
    asio::io_context io{1};
    auto server = make(io, settings.now());
    service_manager manager(io);
    heartbeat signs_of_life(io, manager, [&](steady_timer&) { return condition_of(server); });
    signal_set signals(io, SIGINT, SIGTERM);
    signal_set hangups(io, SIGHUP);
    // Only the log's settings can change.
    const typename live_settings<Settings>::preparation prepare = [](const Settings&) { return [] {}; };

    const auto supervise = [&]() -> awaitable<> {
        co_await net::until_first(signal_in(signals), reload_at_hangups(hangups, settings, prepare, manager));
        manager.stopping();
        server.stop();
        signs_of_life.stop();
    };
    asio::co_spawn(io, supervise(), net::rethrow);
    server.start([&] { manager.ready(); });
    signs_of_life.start();
    io.run();
    disregard_signals_until_the_end();
    spdlog::info("stopped");
    return 0;
} catch (const boost::system::system_error& error) {
    // Only the look-up of the address and the attempt to listen on it throw this.
    throw cannot_listen(settings.now().listen, error.code());
}

} // namespace

int run_code_server(live_settings<code_server_settings>& settings)
{
    return run_server(settings, [](asio::io_context& io, const code_server_settings& told) {
        return backend::code_server(io, told.listen, told.bind_retry, most_clients(), what_else_to_do);
    });
}

int run_iso8583_host(live_settings<iso8583_host_settings>& settings)
{
    leave_no_core_dump();
    return run_server(settings, [](asio::io_context& io, const iso8583_host_settings& told) {
        return backend::iso8583_host(io, told.listen, told.bind_retry, most_clients(), what_else_to_do,
                                     host_settings_in(told.wire));
    });
}

} // namespace causeway::service
