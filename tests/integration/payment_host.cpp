// The emulated payment host in virtual time: what it sends when, and how its connections end.
#include "../unit/iso8583_kit.hpp"
#include "backend/iso8583_host.hpp"
#include "kit.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace causeway::test {
namespace {

constexpr asio::use_awaitable_t<executor_type> or_throw{};

const backend::host_settings settings{.dialect = iso8583::dialect::built_in("postilion"), .echo_after = 5s};

// With this amount and trace number.
std::string purchase(std::string_view amount, unsigned trace)
{
    return fmt::format(R"({{"mti":"0200","4":"{:0>12}","7":"1124163000","11":"{:06}"}})", amount, trace);
}

std::string answer(std::string_view amount, unsigned trace, std::string_view response_code)
{
    const auto approval_code = response_code == "00" ? fmt::format(R"("38":"{:06}",)", trace) : "";
    return fmt::format(R"({{"mti":"0210","4":"{:0>12}","7":"1124163000","11":"{:06}",{}"39":"{}"}})", amount, trace,
                       approval_code, response_code);
}

std::string framed(std::string_view json)
{
    std::string wire;
    append_frame(settings.dialect.pack(iso8583::test::message_of(json)).value(), settings.framing, wire);
    return wire;
}

// A client that sends what a test says.
class payment_client {
public:
    explicit payment_client(const executor_type& executor)
        : socket(executor)
    {
    }

    awaitable<> send(std::string bytes) { co_await asio::async_write(socket, asio::buffer(bytes), or_throw); }

    // The next message as JSON; nothing at the end of the connection. Throws when it is reset instead.
    awaitable<std::string> receive()
    {
        for (;;) {
            if (const auto bytes = frames_.next())
                co_return iso8583::test::json_of(settings.dialect.unpack(*bytes).value());
            const auto space = frames_.space();
            const auto [error, count] =
                co_await socket.async_read_some(asio::buffer(space.data(), space.size()), as_result);
            if (error == asio::error::eof)
                co_return "";
            if (error)
                throw boost::system::system_error(error);
            frames_.received(count);
        }
    }

    tcp_socket socket;

private:
    iso8583::frame_reader frames_{settings.framing};
};

// An address that was free a moment ago.
tcp::endpoint free_place(asio::io_context& io)
{
    return tcp_acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint();
}

struct fixture {
    asio::io_context io;
    tcp::endpoint place = free_place(io);
    backend::iso8583_host host{io, {"127.0.0.1", place.port()}, 10ms, 100, "or leave it", settings};

    // Runs the host, and on the same loop `story`; then stops it, and waits until nothing is left of it.
    template <class Story>
    void tell(Story story)
    {
        host.start();
        run(io, tell_and_stop(story()));
    }

    awaitable<> tell_and_stop(awaitable<> story)
    {
        co_await std::move(story);
        host.stop();
    }

    awaitable<payment_client> new_client()
    {
        payment_client client(io.get_executor());
        co_await client.socket.async_connect(place, or_throw);
        client.socket.set_option(tcp::no_delay(true));
        co_return client;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(payment_host, fixture)

BOOST_AUTO_TEST_CASE(a_slow_answer_takes_three_seconds_and_keeps_nobody_waiting)
{
    tell([&]() -> awaitable<> {
        auto client = co_await new_client();
        const auto begin = clock::now();
        co_await client.send(framed(purchase("68", 1)) + framed(purchase("1000", 2)));
        const auto first = co_await client.receive();
        BOOST_TEST(first == answer("1000", 2, "00"));
        BOOST_TEST((clock::now() - begin < 1s));
        const auto second = co_await client.receive();
        BOOST_TEST(second == answer("68", 1, "00"));
        BOOST_TEST((clock::now() - begin >= 3s && clock::now() - begin < 3100ms));
    });
}

BOOST_AUTO_TEST_CASE(to_a_quiet_client_it_sends_an_echo_test)
{
    tell([&]() -> awaitable<> {
        auto client = co_await new_client();
        co_await sleep(4s);
        co_await client.send(framed(purchase("91", 1)));
        const auto begin = clock::now();
        const auto echo_test = iso8583::test::message_of(co_await client.receive());
        BOOST_TEST((clock::now() - begin >= 5s && clock::now() - begin < 5100ms));
        BOOST_TEST(echo_test.mti == "0800");
        BOOST_TEST(has_text(echo_test, 70, "301"));
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_ends_its_side_gets_what_is_there_and_not_what_takes_time)
{
    tell([&]() -> awaitable<> {
        auto client = co_await new_client();
        co_await client.send(framed(purchase("68", 1)) + framed(purchase("100000", 2)));
        client.socket.shutdown(tcp_socket::shutdown_send);
        const auto begin = clock::now();
        const auto there = co_await client.receive();
        BOOST_TEST(there == answer("100000", 2, "51"));
        const auto end = co_await client.receive();
        BOOST_TEST(end == "");
        BOOST_TEST((clock::now() - begin < 1s));
    });
}

BOOST_AUTO_TEST_CASE(stopping_ends_clients_that_wait_for_an_answer)
{
    tell([&]() -> awaitable<> {
        auto client = co_await new_client();
        co_await client.send(framed(purchase("68", 1)));
        co_await settle();
        const auto begin = clock::now();
        host.stop();
        const auto end = co_await client.receive();
        BOOST_TEST(end == "");
        BOOST_TEST((clock::now() - begin < 1s));
    });
    BOOST_TEST(host.clients() == 0U);
}

// Delayed answers count like those that wait for a client to read them.
BOOST_AUTO_TEST_CASE(a_client_with_too_many_slow_answers_is_not_read_from_until_they_were_sent)
{
    tell([&]() -> awaitable<> {
        using namespace asio::experimental::awaitable_operators;
        const auto size = framed(answer("68", 1, "00")).size();
        const auto many = 2 * backend::client::most_unsent / size;
        auto client = co_await new_client();
        const auto send_all = [](payment_client& sender, std::size_t count) -> awaitable<> {
            for (std::size_t sent = 0; sent < count; ++sent)
                co_await sender.send(framed(purchase("68", 1)));
        };
        const auto receive_all = [](payment_client& receiver, std::size_t count) -> awaitable<clock::time_point> {
            for (std::size_t received = 0; received < count; ++received)
                co_await receiver.receive();
            co_return clock::now();
        };
        const auto begin = clock::now();
        const auto end = co_await (send_all(client, many) && receive_all(client, many));
        BOOST_TEST((end - begin >= 6s)); // only half of them could wait at the same time
    });
}

BOOST_AUTO_TEST_CASE(stopping_ends_a_client_with_too_many_slow_answers)
{
    tell([&]() -> awaitable<> {
        const auto many = 2 * backend::client::most_unsent / framed(answer("68", 1, "00")).size();
        auto client = co_await new_client();
        std::string all;
        for (std::size_t count = 0; count < many; ++count)
            all += framed(purchase("68", 1));
        client.socket.non_blocking(true);
        for (std::size_t sent = 0; sent < backend::client::most_unsent;) {
            error_code full;
            sent += client.socket.write_some(asio::buffer(all.data() + sent, all.size() - sent), full);
            co_await settle();
        }
        const auto begin = clock::now();
        host.stop();
        co_await settle();
        BOOST_TEST((clock::now() - begin < 1s));
        BOOST_TEST(host.clients() == 0U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
