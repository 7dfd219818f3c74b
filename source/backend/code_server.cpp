#include "backend/code_server.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

namespace causeway::backend {

code_server::code_server(asio::io_context& io, const net::host_port& listen, std::chrono::nanoseconds bind_retry)
    : io_(io)
    , listen_(net::resolve_for_listening(io, listen))
    , bind_retry_(bind_retry)
    , retry_(io)
    , unlimited_(std::numeric_limits<std::size_t>::max())
{
}

void code_server::start() { asio::co_spawn(io_, run(), net::rethrow); }

awaitable<> code_server::run()
{
    co_await bind();
    if (stopped_)
        co_return;
    spdlog::info("code server: listening on {}", net::to_string(acceptor_->local_endpoint()));
    while (auto connection = co_await net::accept(*acceptor_, unlimited_))
        asio::co_spawn(io_, serve(std::move(connection->socket)), net::rethrow);
}

awaitable<> code_server::bind()
{
    for (std::uint64_t tries = 1; !stopped_; ++tries) {
        try {
            acceptor_ = net::listen(io_, listen_, net::port_sharing::never);
            co_return;
        } catch (const boost::system::system_error& error) {
            if (error.code() != asio::error::address_in_use)
                throw;
        }
        if (std::has_single_bit(tries))
            spdlog::warn("code server: {} is in use; trying again (try {})", net::to_string(listen_), tries);
        retry_.expires_after(bind_retry_);
        co_await retry_.async_wait(as_result);
    }
}

awaitable<> code_server::serve(tcp_socket socket)
{
    client client(std::move(socket));
    clients_.push_back(client);
    co_await client.run();
}

void code_server::stop()
{
    stopped_ = true;
    retry_.cancel();
    if (acceptor_)
        acceptor_->close();
    std::ranges::for_each(clients_, &client::close);
}

} // namespace causeway::backend
