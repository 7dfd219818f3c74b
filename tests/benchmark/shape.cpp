// The shape alone: the work of the floor, done the way the bridge does it. A coroutine for each client, a channel for
// each code, a race of the two ends of a wait, and nothing else. What the bridge costs beyond that is its own.
// Usage: shape --listen HOST:PORT --upstream HOST:PORT, both on 127.0.0.1; other options are ignored.
//
// It assumes what the floor assumes.
#include "loopback.hpp"
#include "net/wakeup.hpp"
#include "upstream/reply_channels.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using namespace causeway;
using namespace std::chrono_literals;
using upstream::reply_channels;

constexpr auto reply_timeout = 2s;

asio::io_context io(1);
std::string outbox; // codes for the backend, collected in one round
net::wakeup has_codes(io.get_executor());
std::unordered_map<std::uint32_t, reply_channels> waiting; // clients by code

std::uint32_t key(const char* code)
{
    std::uint32_t key = 0;
    std::memcpy(&key, code, 3);
    return key;
}

reply_channels& channels_for(std::string_view code)
{
    return waiting.try_emplace(key(code.data()), io.get_executor()).first->second;
}

// As the floor does, it looks once in a while at what time it is.
std::string date;
awaitable<> keep_date()
{
    steady_timer timer(io.get_executor());
    for (;;) {
        const std::time_t now = std::time(nullptr);
        char text[64];
        std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", std::gmtime(&now));
        date = text;
        timer.expires_after(250ms);
        co_await timer.async_wait(as_result);
    }
}

const std::string& response_to(std::string_view reply)
{
    static std::string response;
    response = "HTTP/1.1 200 OK\r\n";
    response += date;
    response += "Content-Type: application/json\r\nContent-Length: ";
    response += std::to_string(reply.size() + std::string_view(R"({"data":"\n"})").size());
    response += "\r\n\r\n";
    response.append(R"({"data":")").append(reply).append(R"(\n"})");
    return response;
}

awaitable<> serve(tcp_socket client)
{
    std::array<char, 384> buffer;
    net::operation_memory reading;
    steady_timer deadline(io.get_executor());
    for (;;) {
        const auto [error, count] =
            co_await client.async_read_some(asio::buffer(buffer), asio::as_tuple(net::deferred_in(reading)));
        if (error)
            co_return;
        const std::string_view request(buffer.data(), count);
        constexpr std::string_view name = "statusCode=";
        const auto at = request.find(name);
        if (at == request.npos || at + name.size() + 3 > request.size())
            co_return;
        const auto code = request.substr(at + name.size(), 3);
        outbox.append(code) += '\n';
        has_codes.notify();
        deadline.expires_after(reply_timeout);
        reply_channels::subscription wait(channels_for(code));
        const auto [order, failed, reply, expiry] = co_await wait.receive(deadline);
        if (failed)
            co_return;
        error_code gone;
        client.write_some(asio::buffer(response_to(reply)), gone);
    }
}

awaitable<> accept(tcp_acceptor& acceptor)
{
    for (;;) {
        auto [error, client] = co_await acceptor.async_accept(as_result);
        if (error)
            continue;
        client.set_option(tcp::no_delay(true));
        client.non_blocking(true);
        asio::co_spawn(io, serve(std::move(client)), asio::detached);
    }
}

awaitable<> write(tcp_socket& backend)
{
    std::string wire;
    for (;;) {
        co_await has_codes.wait();
        wire.swap(outbox);
        error_code gone;
        backend.write_some(asio::buffer(wire), gone);
        wire.clear();
    }
}

// `Code 404: ...`, one in each line.
awaitable<> read(tcp_socket& backend)
{
    constexpr std::size_t start_of_code = 5;
    std::string inbox;
    std::array<char, 64 * 1024> buffer;
    for (;;) {
        const auto [error, count] = co_await backend.async_read_some(asio::buffer(buffer), as_result);
        if (error)
            co_return io.stop();
        inbox.append(buffer.data(), count);
        std::size_t start = 0;
        for (auto end = inbox.find('\n'); end != inbox.npos; end = inbox.find('\n', start)) {
            const std::string_view reply = std::string_view(inbox).substr(start, end - start);
            channels_for(reply.substr(start_of_code)).send(std::string(reply));
            start = end + 1;
        }
        inbox.erase(0, start);
    }
}

// What follows the last colon of the value of an option.
std::uint16_t port_in(int argc, char** argv, std::string_view option)
{
    for (int i = 1; i != argc; ++i) {
        const std::string_view word = argv[i];
        if (word.starts_with(option) && (word.size() != option.size() || i + 1 != argc)) {
            const std::string_view value = word.size() == option.size() ? argv[i + 1] : word;
            return static_cast<std::uint16_t>(std::atoi(value.data() + value.rfind(':') + 1));
        }
    }
    std::fputs("usage: shape --listen HOST:PORT --upstream HOST:PORT\n", stderr);
    std::exit(2);
}

} // namespace

int main(int argc, char** argv)
{
    const auto here = asio::ip::address_v4::loopback();
    tcp_socket backend(io);
    backend.connect({here, port_in(argc, argv, "--upstream")});
    backend.set_option(tcp::no_delay(true));
    backend.non_blocking(true);
    tcp_acceptor acceptor(io, {here, port_in(argc, argv, "--listen")});
    asio::co_spawn(io, keep_date(), asio::detached);
    asio::co_spawn(io, accept(acceptor), asio::detached);
    asio::co_spawn(io, write(backend), asio::detached);
    asio::co_spawn(io, read(backend), asio::detached);
    asio::signal_set ended(io, SIGTERM);
    ended.async_wait([](error_code, int) { io.stop(); });
    std::fprintf(stderr, "listening on http://127.0.0.1:%u\n", acceptor.local_endpoint().port());
    io.run();
}
