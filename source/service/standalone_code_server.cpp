#include "service/standalone_code_server.hpp"

#include "backend/code_server.hpp"
#include "net/asio.hpp"
#include "service/cannot_listen.hpp"

#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

#include <csignal>

namespace causeway::service {

void run_code_server(const code_server_settings& settings)
try {
    asio::io_context io{1};
    backend::code_server server(io, settings.listen, settings.bind_retry);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](const error_code&, int) { server.stop(); });

    server.start();
    io.run();
    spdlog::info("stopped");
} catch (const boost::system::system_error& error) {
    // All that throws one is the look-up of the address and the attempt to listen on it.
    throw cannot_listen(settings.listen, error.code());
}

} // namespace causeway::service
