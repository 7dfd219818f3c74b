// An HTTP server with its own handler:
//
//   greeter [HOST:PORT]
#include "http/server.hpp"
#include "net/host_port.hpp"
#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/spdlog.h>

using namespace causeway;
using boost::beast::http::status;

// Has one page, so a request never waits for anything.
class greeter final : public http::handler {
    http::reaction look_at(const http::request& request, steady_timer&) override
    {
        if (request.target != "/")
            return http::refused(status::not_found, "not found");
        return http::response{.content_type = "text/plain", .body = "Hello\n"};
    }

    void respond(const http::request&, http::outcome&&, http::response&) override {} // for requests that have waited
};

int main(int argc, char* argv[])
{
    const auto place = net::parse_host_port(argc > 1 ? argv[1] : "127.0.0.1:8080");
    if (!place)
        return 2;
    asio::io_context io(1); // an event loop for one thread, as all of Causeway requires
    greeter greeter;
    net::limit connections(1000);
    http::server server(net::listen(io, net::resolve_for_listening(io, *place), net::port_sharing::never), greeter, {},
                        connections);
    asio::co_spawn(io, server.run(), net::rethrow);

    // Requests in flight are finished; then nothing is left to do, and `run` returns.
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](error_code, int) { server.drain(); });
    spdlog::info("listening on {}", net::to_string(server.endpoint()));
    io.run();
}
