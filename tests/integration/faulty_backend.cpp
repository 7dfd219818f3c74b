#include "faulty_backend.hpp"

#include "protocols/codes/reply.hpp"

#include <numeric>
#include <utility>

namespace causeway::test {
namespace {

void rethrow(const std::exception_ptr& thrown)
{
    if (thrown)
        std::rethrow_exception(thrown);
}

} // namespace

faulty_backend::faulty_backend(asio::io_context& io, std::uint32_t seed)
    : io_(io)
    , random_(seed)
    , acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0))
    , away_(io)
{
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, listen(), rethrow);
}

// Listens, is closed by `goes_away`, and listens again on the same port.
awaitable<> faulty_backend::listen()
{
    while (!stopped_) {
        auto [error, socket] = co_await acceptor_.async_accept(as_result);
        if (!error) {
            asio::co_spawn(io_, serve(std::move(socket)), rethrow);
            continue;
        }
        away_.expires_after(std::chrono::milliseconds(below(150)));
        co_await away_.async_wait(as_result);
        if (!stopped_)
            acceptor_ = tcp_acceptor(io_, tcp::endpoint(asio::ip::address_v4::loopback(), port_));
    }
}

awaitable<> faulty_backend::serve(tcp_socket socket)
{
    peer peer(std::move(socket));
    peers_.push_back(&peer);
    co_await misbehave(peer);
    std::erase(peers_, &peer);
}

awaitable<> faulty_backend::misbehave(peer& peer)
{
    if (below(20) == 0) {
        note(fault::closes_at_once);
        co_return;
    }
    if (below(40) == 0) {
        note(fault::never_answers);
        co_await answer_nothing(peer);
        co_return;
    }
    bool goes_on = true;
    while (goes_on) {
        const auto code = co_await peer.read_code();
        if (code.empty())
            co_return;
        if (below(100) != 0) {
            co_await peer.write(reply_line(code) + std::exchange(held_back_, {}));
            continue;
        }
        const auto first = static_cast<std::uint32_t>(fault::closes);
        const auto drawn = static_cast<fault>(first + below(static_cast<std::uint32_t>(fault::count) - first));
        note(drawn);
        goes_on = co_await inject(drawn, peer, code);
    }
}

// True when the connection goes on.
awaitable<bool> faulty_backend::inject(fault fault, peer& peer, const std::string& code)
{
    const auto line = reply_line(code);
    switch (fault) {
    case fault::closes:
        co_return false;
    case fault::resets:
        peer.reset();
        co_return false;
    case fault::stops_reading:
        co_await peer.write(line);
        co_await pause();
        break;
    case fault::delays:
        co_await pause();
        co_await peer.write(line);
        break;
    case fault::half_a_line:
        co_await peer.write(line.substr(0, line.size() / 2));
        co_await pause();
        if (below(2) == 0)
            co_return false;
        co_await peer.write(line.substr(line.size() / 2));
        break;
    case fault::garbage:
        co_await peer.write("\x01\xff nothing of use\n" + line);
        break;
    case fault::endless_garbage:
        co_await peer.write(std::string(codes::reply_decoder::longest_line + 1 + below(100'000), 'x'));
        break;
    case fault::repeats:
        co_await peer.write(line + line);
        break;
    case fault::reorders:
        held_back_ += line;
        break;
    case fault::wrong_code:
        co_await peer.write(reply_line(std::to_string(100 + below(500))));
        break;
    case fault::goes_away:
        close_all();
        co_return false;
    default: // `forgets`, and the faults of a whole connection
        break;
    }
    co_return true;
}

awaitable<> faulty_backend::pause() { co_await sleep(std::chrono::milliseconds(below(60))); }

std::uint64_t faulty_backend::faults() const
{
    return std::accumulate(injected_.begin(), injected_.end(), std::uint64_t{});
}

void faulty_backend::close_all()
{
    acceptor_.close();
    for (auto* peer : peers_)
        peer->socket.close();
}

void faulty_backend::stop()
{
    stopped_ = true;
    away_.cancel();
    close_all();
}

} // namespace causeway::test
