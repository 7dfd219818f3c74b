// Very many HTTP connections on one thread: what an idle one costs, and how punctual the bridge is when all wait at
// once. CAUSEWAY_CROWD is how many; docs/reliability.md reports 10,000.
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"
#include "service/program.hpp"

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <list>
#include <string_view>

namespace causeway::test {
namespace {

constexpr auto reply_timeout = 2s;

std::int64_t milliseconds(clock::duration duration)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// A client that takes as little time as possible, so that thousands of them on one core do not distort the measurement.
struct hasty_client {
    explicit hasty_client(const executor_type& executor)
        : socket(executor)
    {
    }

    // Returns the status line of the answer, which arrives in one piece.
    awaitable<std::string_view> get()
    {
        static constexpr std::string_view request = "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n";
        co_await asio::async_write(socket, asio::buffer(request), as_result);
        const auto [error, count] = co_await socket.async_read_some(asio::buffer(answer), as_result);
        co_return std::string_view(answer.data(), std::min(count, std::string_view("HTTP/1.1 200").size()));
    }

    tcp_socket socket;
    std::array<char, 512> answer{};
};

struct fixture {
    std::uint64_t size = from_environment("CAUSEWAY_CROWD", 300);
    asio::io_context io;
    std::list<hasty_client> crowd;
    std::uint64_t under_way = 0;
    clock::duration earliest = clock::duration::max();
    clock::duration latest{};

    fixture() { service::raise_file_limit(); }

    void connect(std::uint16_t port)
    {
        for (std::uint64_t i = 0; i < size; ++i)
            crowd.emplace_back(io.get_executor());
        run(io, [](fixture& all, tcp::endpoint server) -> awaitable<> {
            for (auto& client : all.crowd)
                co_await client.socket.async_connect(server, asio::deferred);
        }(*this, {asio::ip::address_v4::loopback(), port}));
    }

    // All clients send a request, and none waits for the others.
    void ask(std::string_view expected)
    {
        io.restart();
        under_way = crowd.size();
        for (auto& client : crowd)
            asio::co_spawn(io, ask(client, expected), [this](const std::exception_ptr& thrown) {
                --under_way;
                BOOST_TEST(!thrown);
            });
        const auto deadline = clock::now() + 2 * patience;
        while (under_way != 0 && io.run_one_until(deadline) != 0)
            ;
        BOOST_REQUIRE(under_way == 0U);
    }

    awaitable<> ask(hasty_client& client, std::string_view expected)
    {
        const auto asked_at = clock::now();
        const auto status = co_await client.get();
        const auto took = clock::now() - asked_at;
        if (status != expected)
            BOOST_ERROR(status);
        earliest = std::min(earliest, took);
        latest = std::max(latest, took);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(crowd, fixture)

BOOST_AUTO_TEST_CASE(idle_connections_cost_little_memory)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=1", "--reply-timeout=20s"}));
    BOOST_TEST(get(causeway.port(), "404").status == 200);
    const auto before = causeway.resident_kibibytes();

    connect(causeway.port());
    ask("HTTP/1.1 200"); // each connection has been used, so it keeps the memory of a used one
    const auto each = static_cast<double>(causeway.resident_kibibytes() - before) / static_cast<double>(size);
    BOOST_TEST_MESSAGE(size << " idle connections: " << each << " KiB each");
    if (size >= 10'000) // with fewer, the memory that all share is too large a part
        BOOST_TEST(each <= 3.0);
    ask("HTTP/1.1 200");
}

BOOST_AUTO_TEST_CASE(a_crowd_that_waits_for_a_silent_backend_is_told_so_in_time)
{
    listener silent;
    causeway_process causeway(in_front_of({silent.address()}, {"--threads=1", "--reply-timeout=2s"}));
    causeway.wait_for_line("connected");
    connect(causeway.port());
    ask("HTTP/1.1 504");
    BOOST_TEST_MESSAGE(size << " waiting: 504 after " << milliseconds(earliest) << " to " << milliseconds(latest)
                            << " ms, with a timeout of " << milliseconds(reply_timeout) << " ms");
    BOOST_TEST((earliest >= reply_timeout));
    BOOST_TEST((latest < reply_timeout + (size >= 10'000 ? 250ms : scheduling)));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
