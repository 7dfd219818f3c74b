#include "service/standalone_server.hpp"

#include "backend/code_server.hpp"
#include "backend/iso8583_host.hpp"
#include "net/asio.hpp"
#include "service/cannot_listen.hpp"
#include "service/heartbeat.hpp"
#include "service/payments.hpp"
#include "service/program.hpp"
#include "service/service_manager.hpp"

#include <boost/asio/signal_set.hpp>
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

template <class Settings>
void reload_at_hangups(asio::signal_set& hangups, live_settings<Settings>& settings, service_manager& manager)
{
    hangups.async_wait([&](const error_code& cancelled, int) {
        if (cancelled)
            return;
        manager.reloading();
        settings.reload([](const auto&) { return [] {}; }); // only the log's settings can change
        manager.reloaded();
        reload_at_hangups(hangups, settings, manager);
    });
}

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
    asio::signal_set signals(io, SIGINT, SIGTERM);
    asio::signal_set hangups(io, SIGHUP);
    reload_at_hangups(hangups, settings, manager);
    signals.async_wait([&](const error_code&, int) {
        manager.stopping();
        server.stop();
        hangups.cancel();
        signs_of_life.stop();
    });

    server.start([&] { manager.ready(); });
    signs_of_life.start();
    io.run();
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
