// Listening on a port: accepting whatever happens, and ceasing without harming clients that connect at that moment.
#include "net/listen.hpp"
#include "blocking.hpp"
#include "kit.hpp"
#include "net/leave_port.hpp"
#include "tcp_segments.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <linux/filter.h>
#include <sys/socket.h>

namespace causeway::test {
namespace {

constexpr asio::use_awaitable_t<executor_type> or_throw{};

boost::test_tools::assertion_result with_ipv6(boost::unit_test::test_unit_id /*test*/) { return has_ipv6(); }

struct fixture {
    asio::io_context io;
    net::limit connections{100};

    tcp_acceptor listen(net::port_sharing sharing = net::port_sharing::never)
    {
        return net::listen(io, {asio::ip::address_v4::loopback(), 0}, sharing);
    }
};

// Sends the SYN without waiting for the answer, as Asio's own `connect` would.
void begin_to_connect(tcp_socket& socket, tcp::endpoint place)
{
    socket.native_non_blocking(true);
    if (::connect(socket.native_handle(), place.data(), static_cast<socklen_t>(place.size())) == 0 ||
        errno != EINPROGRESS)
        throw std::runtime_error("the connection is not in the middle of its handshake");
}

// A client whose segments reach the server, but which sees none of the server's until `listen`: so it stays in the
// middle of its handshake.
class deaf_client {
public:
    explicit deaf_client(const executor_type& executor)
        : socket(executor, tcp::v4())
    {
        sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
        const sock_fprog filter{1, &nothing};
        set(SO_ATTACH_FILTER, &filter, sizeof filter);
    }

    void listen()
    {
        const int unused = 0;
        set(SO_DETACH_FILTER, &unused, sizeof unused);
    }

    tcp_socket socket;

private:
    void set(int option, const void* value, socklen_t size)
    {
        if (::setsockopt(socket.native_handle(), SOL_SOCKET, option, value, size) != 0)
            throw std::system_error(errno, std::generic_category(), "setsockopt");
    }
};

awaitable<> interrupt_and_connect(tcp_acceptor& acceptor, tcp_socket& client)
{
    co_await settle();
    acceptor.cancel(); // ends the wait with an error, as the system could
    co_await settle();
    co_await client.async_connect(acceptor.local_endpoint(), or_throw);
}

awaitable<> close_soon(tcp_acceptor& acceptor)
{
    co_await settle();
    acceptor.close();
}

// Sends one byte each way.
awaitable<> converse(tcp_socket& client, tcp_socket& server)
{
    for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
        char byte = '?';
        co_await from->async_write_some(asio::buffer("!", 1), or_throw);
        co_await to->async_read_some(asio::buffer(&byte, 1), or_throw);
        BOOST_TEST(byte == '!');
    }
}

// Begins a handshake, calls `leave` in the middle of it, and checks that it ends in a working connection.
awaitable<> check_that_a_client_that_has_begun_can_finish(tcp_acceptor& acceptor, net::limit& limit,
                                                          void (*leave)(tcp_acceptor& acceptor))
{
    std::uint64_t failures = 0;
    deaf_client early(acceptor.get_executor());
    begin_to_connect(early.socket, acceptor.local_endpoint());

    leave(acceptor);
    early.listen(); // from TCP's next attempt on
    auto connection = co_await net::accept(acceptor, limit, failures);
    BOOST_REQUIRE(connection.has_value());
    co_await converse(early.socket, connection->socket);
}

constexpr std::size_t often = 100; // so that each of two sockets that newcomers go to at random gets some

awaitable<> connect_often(tcp::endpoint place)
{
    for (std::size_t i = 0; i != often; ++i) {
        tcp_socket client(co_await asio::this_coro::executor);
        co_await client.async_connect(place, or_throw);
        BOOST_TEST(segments_sent_again(client.native_handle()) == 0U);
    }
}

// Accepts all of them.
std::size_t how_many_wait(tcp_acceptor& acceptor)
{
    std::size_t count = 0;
    error_code nobody;
    for (tcp_socket socket(acceptor.get_executor()); !acceptor.accept(socket, nobody); socket.close())
        ++count;
    return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(listen, fixture)

BOOST_AUTO_TEST_CASE(an_error_while_it_waits_does_not_end_accepting_and_is_counted_over_all_calls)
{
    auto acceptor = listen();
    run(io, [](tcp_acceptor& listening, net::limit& limit) -> awaitable<> {
        using namespace asio::experimental::awaitable_operators;
        std::uint64_t failures = 0;
        while (failures != 2) {
            const auto before = failures;
            tcp_socket client(listening.get_executor());
            const auto connection =
                co_await (net::accept(listening, limit, failures) && interrupt_and_connect(listening, client));
            BOOST_TEST(connection.has_value());
            BOOST_REQUIRE(failures == before + 1);
        }
    }(acceptor, connections));
}

BOOST_AUTO_TEST_CASE(closing_ends_accepting)
{
    auto acceptor = listen();
    run(io, [](tcp_acceptor& listening, net::limit& limit) -> awaitable<> {
        using namespace asio::experimental::awaitable_operators;
        std::uint64_t failures = 0;
        const auto connection = co_await (net::accept(listening, limit, failures) && close_soon(listening));
        BOOST_TEST(!connection.has_value());
    }(acceptor, connections));
}

// Which sockets get newcomers

BOOST_AUTO_TEST_CASE(newcomers_are_dealt_to_the_chosen_sockets_until_they_are_dealt_to_all)
{
    auto first = listen(net::port_sharing::from_start);
    auto second = net::listen(io, first.local_endpoint(), net::port_sharing::from_start);
    auto third = net::listen(io, first.local_endpoint(), net::port_sharing::from_start);
    run(io, [](tcp_acceptor& one, tcp_acceptor& two, tcp_acceptor& three) -> awaitable<> {
        net::deal_newcomers(one, {.first = 1, .count = 2});
        co_await connect_often(one.local_endpoint());
        BOOST_TEST(how_many_wait(one) == 0U);
        BOOST_TEST(how_many_wait(two) > 0U);
        BOOST_TEST(how_many_wait(three) > 0U);

        net::deal_newcomers_to_all(one);
        co_await connect_often(one.local_endpoint());
        BOOST_TEST(how_many_wait(one) > 0U);
    }(first, second, third));
}

BOOST_AUTO_TEST_CASE(a_socket_that_joins_a_port_gets_newcomers_whatever_one_that_left_has_chosen)
{
    auto first = listen(net::port_sharing::from_start);
    auto second = net::listen(io, first.local_endpoint(), net::port_sharing::from_start);
    net::deal_newcomers(first, {.first = 0, .count = 1});
    first.close();
    auto third = net::listen(io, second.local_endpoint(), net::port_sharing::from_start);
    run(io, [](tcp_acceptor& two, tcp_acceptor& three) -> awaitable<> {
        co_await connect_often(two.local_endpoint());
        BOOST_TEST(how_many_wait(two) > 0U);
        BOOST_TEST(how_many_wait(three) > 0U);
    }(second, third));
}

BOOST_AUTO_TEST_CASE(when_own_sockets_are_closed_newcomers_are_dealt_to_all_that_are_left)
{
    auto own = listen(net::port_sharing::from_start);
    auto second = net::listen(io, own.local_endpoint(), net::port_sharing::from_start);
    auto third = net::listen(io, own.local_endpoint(), net::port_sharing::from_start);
    net::deal_newcomers(own, {.first = 2, .count = 1});
    own.close();
    run(io, [](tcp_acceptor& two, tcp_acceptor& three) -> awaitable<> {
        co_await connect_often(two.local_endpoint());
        BOOST_TEST(how_many_wait(two) > 0U);
        BOOST_TEST(how_many_wait(three) > 0U);
    }(second, third));
}

BOOST_AUTO_TEST_CASE(while_sockets_refuse_one_after_the_other_the_last_one_gets_all_newcomers)
{
    auto last = listen(net::port_sharing::from_start);
    auto other = net::listen(io, last.local_endpoint(), net::port_sharing::from_start);
    run(io, [](tcp_acceptor& zero, tcp_acceptor& one) -> awaitable<> {
        const auto place = zero.local_endpoint();
        net::deal_newcomers(zero, {.first = 0, .count = 1});
        net::refuse_newcomers(one);
        co_await connect_often(place);
        BOOST_TEST(how_many_wait(zero) == often);

        net::refuse_newcomers(zero);
        tcp_socket late(co_await asio::this_coro::executor);
        const auto [error] = co_await late.async_connect(place, as_result);
        BOOST_TEST(error == asio::error::connection_refused);
        BOOST_TEST(segments_sent_again(late.native_handle()) == 0U);
    }(last, other));
}

// Ceasing to listen

BOOST_AUTO_TEST_CASE(the_other_sockets_of_a_port_are_known)
{
    auto one = listen(net::port_sharing::from_start);
    const auto place = one.local_endpoint();
    BOOST_TEST(net::others_listening_on(place, 1).value() == 0U);

    const auto elsewhere = listen(net::port_sharing::from_start);
    BOOST_TEST(net::others_listening_on(place, 1).value() == 0U);

    auto other = net::listen(io, place, net::port_sharing::from_start);
    BOOST_TEST(net::others_listening_on(place, 1).value() == 1U);
    BOOST_TEST(net::others_listening_on(place, 2).value() == 0U);

    other.close();
    BOOST_TEST(net::others_listening_on(place, 1).value() == 0U);
}

BOOST_AUTO_TEST_CASE(the_other_sockets_of_a_port_are_known_for_ipv6_too, *boost::unit_test::precondition(with_ipv6))
{
    const auto one = net::listen(io, {asio::ip::address_v6::loopback(), 0}, net::port_sharing::from_start);
    BOOST_TEST(net::others_listening_on(one.local_endpoint(), 1).value() == 0U);

    const auto other = net::listen(io, one.local_endpoint(), net::port_sharing::from_start);
    BOOST_TEST(net::others_listening_on(one.local_endpoint(), 1).value() == 1U);
}

BOOST_AUTO_TEST_CASE(a_newcomer_is_refused_at_once)
{
    auto acceptor = listen();
    net::refuse_newcomers(acceptor);
    run(io, [](tcp::endpoint place) -> awaitable<> {
        tcp_socket late(co_await asio::this_coro::executor);
        const auto [error] = co_await late.async_connect(place, as_result);
        BOOST_TEST(error == asio::error::connection_refused);
        BOOST_TEST(segments_sent_again(late.native_handle()) == 0U);
    }(acceptor.local_endpoint()));
}

BOOST_AUTO_TEST_CASE(a_client_that_has_begun_to_connect_can_finish_while_newcomers_are_refused)
{
    auto acceptor = listen();
    run(io, check_that_a_client_that_has_begun_can_finish(acceptor, connections, net::refuse_newcomers));
}

BOOST_AUTO_TEST_CASE(a_client_that_has_begun_to_connect_can_finish_while_newcomers_are_ignored)
{
    auto acceptor = listen();
    run(io, check_that_a_client_that_has_begun_can_finish(acceptor, connections, net::ignore_newcomers));
}

BOOST_AUTO_TEST_CASE(a_newcomer_that_is_ignored_finds_another_socket_after_a_second)
{
    auto leaving = listen(net::port_sharing::from_start);
    net::ignore_newcomers(leaving);
    run(io, [](tcp_acceptor& left, net::limit& limit) -> awaitable<> {
        std::uint64_t failures = 0;
        const auto place = left.local_endpoint();
        tcp_socket late(co_await asio::this_coro::executor, tcp::v4());
        begin_to_connect(late, place);
        auto other = net::listen(static_cast<asio::io_context&>(left.get_executor().context()), place,
                                 net::port_sharing::from_start);
        left.close();
        auto connection = co_await net::accept(other, limit, failures);
        BOOST_REQUIRE(connection.has_value());
        BOOST_TEST(segments_sent_again(late.native_handle()) > 0U);
        co_await converse(late, connection->socket);
    }(leaving, connections));
}

BOOST_AUTO_TEST_CASE(how_long_a_handshake_took_is_known)
{
    auto acceptor = listen();
    run(io, [](tcp_acceptor& listening, net::limit& limit) -> awaitable<> {
        std::uint64_t failures = 0;
        tcp_socket client(co_await asio::this_coro::executor);
        const auto began = clock::now();
        co_await client.async_connect(listening.local_endpoint(), or_throw);
        const auto most = clock::now() - began;
        auto connection = co_await net::accept(listening, limit, failures);
        BOOST_REQUIRE(connection.has_value());
        BOOST_TEST((net::handshake_time(connection->socket) > 0us));
        BOOST_TEST((net::handshake_time(connection->socket) <= most));
    }(acceptor, connections));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
