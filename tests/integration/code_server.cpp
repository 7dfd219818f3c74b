// The code server over real TCP: what it makes of the bytes it receives, and of misbehaving clients.
#include "backend/code_server.hpp"
#include "kit.hpp"
#include "protocols/codes/catalogue.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <utility>

namespace causeway::test {
namespace {

constexpr asio::use_awaitable_t<executor_type> or_throw{};

// A client that sends what a test says.
class code_client {
public:
    explicit code_client(const executor_type& executor)
        : socket(executor)
    {
    }

    awaitable<> send(std::string bytes) { co_await asio::async_write(socket, asio::buffer(bytes), or_throw); }

    awaitable<> send_and_end(std::string bytes)
    {
        co_await send(std::move(bytes));
        socket.shutdown(tcp_socket::shutdown_send);
    }

    // The next `count` bytes.
    awaitable<std::string> receive(std::size_t count)
    {
        std::string bytes(count, '\0');
        co_await asio::async_read(socket, asio::buffer(bytes), or_throw);
        co_return bytes;
    }

    // Everything that arrives until the server closes the connection. Throws when it resets it instead.
    awaitable<std::string> receive_rest()
    {
        std::string bytes;
        const auto [error, count] = co_await asio::async_read(socket, asio::dynamic_buffer(bytes), as_result);
        if (error != asio::error::eof)
            throw boost::system::system_error(error);
        co_return bytes;
    }

    tcp_socket socket;
};

// The server's replies to these.
template <class... Codes>
std::string replies_to(const Codes&... asked)
{
    std::string replies;
    (codes::append_reply(asked, replies), ...);
    return replies;
}

std::string repeated(std::string_view text, std::size_t times)
{
    std::string all;
    for (std::size_t i = 0; i < times; ++i)
        all += text;
    return all;
}

// An address that was free a moment ago.
tcp::endpoint free_place(asio::io_context& io)
{
    return tcp_acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint();
}

struct fixture {
    asio::io_context io;
    tcp::endpoint place = free_place(io);
    backend::code_server server{io, {"127.0.0.1", place.port()}, 10ms, 1000, "or leave it"};

    // Runs the server, and on the same loop `story`; then stops it, and waits until nothing is left of it.
    template <class Story>
    void tell(Story story)
    {
        server.start();
        run(io, tell_and_stop(story()));
    }

    awaitable<> tell_and_stop(awaitable<> story)
    {
        co_await std::move(story);
        server.stop();
    }

    awaitable<code_client> new_client()
    {
        code_client client(io.get_executor());
        co_await client.socket.async_connect(place, or_throw);
        client.socket.set_option(tcp::no_delay(true));
        co_return client;
    }

    // All replies to a client that sends `pieces`, each of which the server reads separately, and then closes its side.
    awaitable<std::string> replies_to_pieces(std::vector<std::string> pieces)
    {
        auto client = co_await new_client();
        for (auto& piece : pieces) {
            co_await client.send(std::move(piece));
            co_await settle();
        }
        client.socket.shutdown(tcp_socket::shutdown_send);
        co_return co_await client.receive_rest();
    }

    // The same for bytes that are sent at once.
    awaitable<std::string> converse(std::string bytes)
    {
        using namespace asio::experimental::awaitable_operators;
        auto client = co_await new_client();
        co_return co_await (client.send_and_end(std::move(bytes)) && client.receive_rest());
    }

    // Sends `bytes` over and over until the server has accepted none for a while. Returns how many bytes it accepted.
    awaitable<std::size_t> flood(code_client& client, std::string_view bytes)
    {
        constexpr std::size_t too_many = 64 * 1024 * 1024;
        client.socket.non_blocking(true);
        std::size_t sent = 0;
        for (int refusals = 0; refusals < 30 && sent < too_many; ++refusals) {
            error_code error;
            while (!error && sent < too_many) {
                const auto count = client.socket.write_some(asio::buffer(bytes.substr(sent % bytes.size())), error);
                sent += count;
                if (count != 0)
                    refusals = 0;
            }
            co_await settle();
        }
        co_return sent;
    }

    // Clients that read nothing, with replies waiting for them in every place where replies can wait. Small writes fill
    // the system's buffer for a client, so that a small one waits for room, and then as much as possible accumulates
    // behind it. The buffer is some megabytes, not known exactly; so there are clients for several guesses.
    awaitable<std::vector<code_client>> clients_that_do_not_read()
    {
        constexpr std::size_t a_few = 100;
        constexpr std::size_t very_many = 20'000;
        std::vector<code_client> clients;
        std::vector<std::size_t> writes;
        for (std::size_t guess = 2'500'000; guess <= 5'000'000; guess += 500'000) {
            clients.push_back(co_await new_client());
            writes.push_back(guess / a_few / replies_to("404").size());
        }
        for (std::size_t write = 0; write < writes.back(); ++write) {
            for (std::size_t i = 0; i < clients.size(); ++i)
                if (write < writes[i])
                    co_await clients[i].send(repeated("404", a_few));
            co_await settle();
        }
        for (auto& client : clients)
            co_await flood(client, repeated("404", very_many));
        co_return clients;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(code_server, fixture)

// Bytes in, replies out

BOOST_AUTO_TEST_CASE(a_reply_is_a_line_that_names_its_code)
{
    tell([&]() -> awaitable<> {
        const auto known = co_await converse("404\n");
        BOOST_TEST(known.starts_with("Code 404: Not Found, used when "));
        BOOST_TEST(known.find('\n') == known.size() - 1);
        const auto unknown = co_await converse("299\n");
        BOOST_TEST(unknown.starts_with("Code 299: "));
        BOOST_TEST(unknown.find('\n') == unknown.size() - 1);
    });
}

BOOST_AUTO_TEST_CASE(three_bytes_are_answered_without_a_line_ending)
{
    tell([&]() -> awaitable<> {
        auto client = co_await new_client();
        for (const std::string code : {"404", "200", "xyz"}) {
            co_await client.send(code);
            const auto expected = replies_to(code);
            const auto reply = co_await client.receive(expected.size());
            BOOST_TEST(reply == expected);
        }
    });
}

BOOST_AUTO_TEST_CASE(any_line_ending_will_do)
{
    const std::vector<std::string> all{"404503", "404\n503\n", "404\r\n503\r\n", "404\r503\r", "\n\r404\n\n\r503"};
    tell([&]() -> awaitable<> {
        for (const auto& bytes : all) {
            const auto replies = co_await converse(bytes);
            BOOST_TEST(replies == replies_to("404", "503"));
        }
    });
}

BOOST_AUTO_TEST_CASE(a_short_code_is_answered_as_unknown)
{
    tell([&]() -> awaitable<> {
        const auto replies = co_await converse("40\n4\r\n404\n5");
        BOOST_TEST(replies.starts_with("Code 40: unknown"));
        BOOST_TEST(replies == replies_to("40", "4", "404", "5"));
    });
}

BOOST_AUTO_TEST_CASE(any_bytes_are_answered_with_printable_ones)
{
    using namespace std::string_literals;
    tell([&]() -> awaitable<> {
        const auto replies = co_await converse("\0\x7f\xff\n\xc3\xa9~\n   404"s);
        BOOST_TEST(replies == replies_to("???", "??~", "   ", "404"));
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_ends_its_side_gets_all_its_replies_and_then_the_end)
{
    tell([&]() -> awaitable<> {
        constexpr std::size_t count = 20'000;
        const auto replies = co_await converse(repeated("404\n", count) + "50");
        BOOST_TEST((replies == repeated(replies_to("404"), count) + replies_to("50")));
        const auto no_replies = co_await converse("");
        BOOST_TEST(no_replies == "");
    });
}

BOOST_AUTO_TEST_CASE(however_tcp_cuts_the_bytes_the_replies_are_the_same)
{
    const std::string bytes = "404\r\n20\n\n299503x\r\n5";
    const auto expected = replies_to("404", "20", "299", "503", "x", "5");
    tell([&]() -> awaitable<> {
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            std::vector<std::string> two;
            two.push_back(bytes.substr(0, cut));
            two.push_back(bytes.substr(cut));
            const auto replies = co_await replies_to_pieces(std::move(two));
            BOOST_TEST(replies == expected, "cut at " << cut << ": " << replies);
        }
        std::vector<std::string> single;
        for (const char byte : bytes)
            single.emplace_back(1, byte);
        const auto replies = co_await replies_to_pieces(std::move(single));
        BOOST_TEST(replies == expected);
    });
}

// Clients

BOOST_AUTO_TEST_CASE(many_clients_at_once_get_their_own_replies)
{
    tell([&]() -> awaitable<> {
        constexpr std::size_t count = 200;
        const auto entries = codes::catalogue();
        std::vector<code_client> clients;
        while (clients.size() < count)
            clients.push_back(co_await new_client());
        std::vector<std::string> expected(count);
        for (std::size_t i = 0; i < count; ++i) {
            std::string asked;
            for (std::size_t k = 1; k <= 20; ++k) {
                asked += entries[i * k % entries.size()].code;
                expected[i] += replies_to(entries[i * k % entries.size()].code);
            }
            co_await clients[i].send(std::move(asked));
        }
        for (std::size_t i = 0; i < count; ++i) {
            const auto replies = co_await clients[i].receive(expected[i].size());
            BOOST_TEST(replies == expected[i]);
        }
    });
}

BOOST_AUTO_TEST_CASE(above_the_limit_of_clients_further_ones_wait_until_one_leaves)
{
    const auto small_place = free_place(io);
    backend::code_server small(io, {"127.0.0.1", small_place.port()}, 1h, 2, "or leave it");
    small.start();
    run(io, [](backend::code_server& serving, tcp::endpoint address) -> awaitable<> {
        std::vector<code_client> clients;
        for (int i = 0; i < 3; ++i) {
            clients.emplace_back(co_await asio::this_coro::executor);
            co_await clients.back().socket.async_connect(address, or_throw);
            co_await clients.back().send("404");
        }
        const auto reply = replies_to("404");
        for (int i = 0; i < 2; ++i) {
            const auto served = co_await clients.at(static_cast<std::size_t>(i)).receive(reply.size());
            BOOST_TEST(served == reply);
        }
        co_await settle();
        BOOST_TEST(clients.back().socket.available() == 0U);

        clients.front().socket.close();
        const auto served = co_await clients.back().receive(reply.size());
        BOOST_TEST(served == reply);
        serving.stop();
    }(small, small_place));
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_not_read_from)
{
    tell([&]() -> awaitable<> {
        using namespace asio::experimental::awaitable_operators;
        const std::string_view unit = "404\nxyz\n200\n418\n";
        auto client = co_await new_client();
        client.socket.set_option(asio::socket_base::send_buffer_size(64 * 1024));
        const auto sent = co_await flood(client, repeated(unit, 4096));
        BOOST_TEST_MESSAGE("sent " << sent);
        BOOST_TEST(sent < 16U * 1024 * 1024);

        // Nothing is lost: everything arrives when the client reads.
        const std::string rest(unit.substr(sent % unit.size()));
        const auto replies = co_await (client.send_and_end(rest) && client.receive_rest());
        const auto expected = repeated(replies_to("404", "xyz", "200", "418"), sent / unit.size() + 1);
        BOOST_TEST(replies.size() == expected.size());
        BOOST_TEST((replies == expected));
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_keeps_nobody_else_waiting)
{
    tell([&]() -> awaitable<> {
        auto rude = co_await new_client();
        co_await flood(rude, repeated("404", 20'000));
        const auto reply = co_await converse("500\n");
        BOOST_TEST(reply == replies_to("500"));
    });
}

BOOST_AUTO_TEST_CASE(clients_that_go_away_without_their_replies_leave_nothing_behind)
{
    tell([&]() -> awaitable<> {
        auto clients = co_await clients_that_do_not_read();
        for (auto& client : clients) {
            client.socket.set_option(asio::socket_base::linger(true, 0)); // with a reset
            client.socket.close();
        }
        co_await settle();
        const auto reply = co_await converse("500\n");
        BOOST_TEST(reply == replies_to("500"));
    });
}

// Start and stop

BOOST_AUTO_TEST_CASE(an_address_in_use_is_tried_until_it_is_free)
{
    std::optional<tcp_acceptor> other(std::in_place, io, place);
    tell([&]() -> awaitable<> {
        co_await sleep(25ms); // at least two attempts
        other.reset();
        auto client = code_client(io.get_executor());
        for (error_code error = asio::error::connection_refused; error;) {
            std::tie(error) = co_await client.socket.async_connect(place, as_result);
            co_await settle();
        }
        co_await client.send("404");
        const auto expected = replies_to("404");
        const auto reply = co_await client.receive(expected.size());
        BOOST_TEST(reply == expected);
    });
}

BOOST_AUTO_TEST_CASE(stopping_ends_the_wait_for_an_address)
{
    const tcp_acceptor other(io, place);
    backend::code_server waiting(io, {"127.0.0.1", place.port()}, 1h, 1, "or leave it");
    waiting.start();
    run(io, [](backend::code_server& stopped) -> awaitable<> {
        co_await settle();
        stopped.stop();
    }(waiting));
}

BOOST_AUTO_TEST_CASE(stopping_ends_all_clients)
{
    tell([&]() -> awaitable<> {
        std::vector<code_client> clients;
        for (const std::string bytes : {"", "4", "40", "404\n", "404\n5"}) {
            clients.push_back(co_await new_client());
            co_await clients.back().send(bytes);
        }
        co_await settle();
        server.stop();
        for (auto& client : clients)
            co_await client.receive_rest();
        code_client late(io.get_executor());
        const auto [refused] = co_await late.socket.async_connect(place, as_result);
        BOOST_TEST(refused == asio::error::connection_refused);
    });
}

BOOST_AUTO_TEST_CASE(stopping_ends_a_client_that_comes_at_that_moment)
{
    for (int turns = 0; turns < 8; ++turns) {
        const auto other_place = free_place(io);
        backend::code_server stopping(io, {"127.0.0.1", other_place.port()}, 1h, 1, "or leave it");
        stopping.start();
        code_client late(io.get_executor());
        run(io, [](backend::code_server& serving, code_client& client, tcp::endpoint to, int later) -> awaitable<> {
            co_await settle();
            client.socket.connect(to); // the server's loop has not seen it yet
            for (; later != 0; --later)
                co_await asio::post(asio::deferred);
            serving.stop();
        }(stopping, late, other_place, turns));
        BOOST_TEST(stopping.clients() == 0U);
        io.restart();
    }
}

BOOST_AUTO_TEST_CASE(stopping_ends_clients_that_do_not_read)
{
    tell([&]() -> awaitable<> {
        const auto clients = co_await clients_that_do_not_read();
        server.stop();
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
