#include "backend/server.hpp"

#include "net/rethrow.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

namespace causeway::backend {

server::server(asio::io_context& io, std::string name, const net::host_port& listen,
               std::chrono::nanoseconds bind_retry, std::size_t most_clients, std::string when_in_use)
    : io_(io)
    , name_(std::move(name))
    , listen_(net::resolve_for_listening(io, listen))
    , bind_retry_(bind_retry)
    , when_in_use_(std::move(when_in_use))
    , retry_(io)
    , places_(most_clients)
{
}

void server::start(std::function<void()> listens) { asio::co_spawn(io_, run(std::move(listens)), net::rethrow); }

awaitable<> server::run(std::function<void()> listens)
{
    co_await bind();
    if (stopped_)
        co_return;
    spdlog::info("{}: listening on {}", name_, net::to_string(acceptor_->local_endpoint()));
    listens();
    while (auto connection = co_await net::accept(*acceptor_, places_, accept_failures_))
        asio::co_spawn(io_, serve(std::move(*connection)), net::rethrow);
}

awaitable<> server::bind()
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
            spdlog::warn("{}: {} is in use; trying again (try {}); {}", name_, net::to_string(listen_), tries,
                         when_in_use_);
        retry_.expires_after(bind_retry_);
        co_await retry_.async_wait(as_result);
    }
}

awaitable<> server::serve(net::accepted connection)
{
    // This may be a later turn than the one in which it was accepted.
    if (stopped_)
        co_return;
    client client(std::move(connection.socket), make_responder());
    clients_.push_back(client);
    co_await client.run();
}

void server::stop()
{
    stopped_ = true;
    retry_.cancel();
    if (acceptor_)
        acceptor_->close();
    std::ranges::for_each(clients_, &client::close);
}

} // namespace causeway::backend
