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

backend_language language_of_codes()
{
    return {.question = [](peer& peer) { return peer.read_code(); },
            .reply = [](const std::string& code) { return reply_line(code); },
            .wrong_reply = [](std::uint32_t any) { return reply_line(std::to_string(100 + any % 500)); },
            .garbage = "\x01\xff nothing of use\n",
            .endless_garbage = std::string(2 * codes::reply_decoder::longest_line, 'x')};
}

faulty_backend::faulty_backend(asio::io_context& io, std::uint32_t seed, backend_language language)
    : io_(io)
    , random_(seed)
    , language_(std::move(language))
    , acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0))
    , away_(io)
{
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, listen(), rethrow);
}

// Listens; `goes_away` closes it, and then it listens again on the same port.
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
        const auto question = co_await language_.question(peer);
        if (question.empty())
            co_return;
        auto reply = language_.reply(question);
        if (below(100) != 0) {
            co_await peer.write(std::move(reply) + std::exchange(held_back_, {}));
            continue;
        }
        const auto first = static_cast<std::uint32_t>(fault::closes);
        const auto drawn = static_cast<fault>(first + below(static_cast<std::uint32_t>(fault::count) - first));
        note(drawn);
        goes_on = co_await inject(drawn, peer, std::move(reply));
    }
}

// True when the connection goes on.
awaitable<bool> faulty_backend::inject(fault fault, peer& peer, std::string reply)
{
    switch (fault) {
    case fault::closes:
        co_return false;
    case fault::resets:
        peer.reset();
        co_return false;
    case fault::stops_reading:
        co_await peer.write(reply);
        co_await pause();
        break;
    case fault::delays:
        co_await pause();
        co_await peer.write(reply);
        break;
    case fault::half_a_reply:
        co_await peer.write(reply.substr(0, reply.size() / 2));
        co_await pause();
        if (below(2) == 0)
            co_return false;
        co_await peer.write(reply.substr(reply.size() / 2));
        break;
    case fault::garbage:
        co_await peer.write(language_.garbage + reply);
        break;
    case fault::endless_garbage:
        co_await peer.write(language_.endless_garbage);
        break;
    case fault::repeats:
        co_await peer.write(reply + reply);
        break;
    case fault::reorders:
        held_back_ += reply;
        break;
    case fault::wrong_reply:
        co_await peer.write(language_.wrong_reply(below(1U << 16U)));
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
