#include "net/operation_memory.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace {

using namespace std::chrono_literals;
namespace asio = causeway::asio;
namespace net = causeway::net;
using causeway::awaitable;
using causeway::steady_timer;

bool is_in(const net::operation_memory& memory, const void* place)
{
    const auto* const begin = reinterpret_cast<const std::byte*>(&memory);
    return place >= begin && place < begin + sizeof memory;
}

// Whether the operation of a handler is in `memory`: then there is no room in it meanwhile.
bool is_taken(net::operation_memory& memory)
{
    auto* const place = memory.allocate(1);
    const bool taken = !is_in(memory, place);
    memory.deallocate(place);
    return taken;
}

} // namespace

BOOST_AUTO_TEST_SUITE(operation_memory)

BOOST_AUTO_TEST_CASE(has_room_for_one_at_a_time)
{
    net::operation_memory memory;
    auto* const first = memory.allocate(100);
    auto* const second = memory.allocate(100);
    BOOST_TEST(is_in(memory, first));
    BOOST_TEST(!is_in(memory, second));
    memory.deallocate(first);
    auto* const third = memory.allocate(100);
    BOOST_TEST(third == first);
    memory.deallocate(second);
    BOOST_TEST(is_taken(memory));
    memory.deallocate(third);
    BOOST_TEST(!is_taken(memory));
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_on_the_heap)
{
    net::operation_memory memory;
    auto* const large = memory.allocate(sizeof memory);
    BOOST_TEST(!is_in(memory, large));
    BOOST_TEST(!is_taken(memory));
    memory.deallocate(large);
}

BOOST_AUTO_TEST_CASE(an_awaited_operation_is_in_it_until_its_handler_is_called)
{
    asio::io_context io;
    net::operation_memory memory;
    steady_timer timer(io.get_executor());
    int ended = 0;
    const auto wait_twice = [&]() -> awaitable<> {
        for (int i = 0; i != 2; ++i) {
            timer.expires_after(1h);
            const auto [error] = co_await timer.async_wait(asio::as_tuple(net::deferred_in(memory)));
            BOOST_TEST(error == asio::error::operation_aborted);
            BOOST_TEST(!is_taken(memory));
            ++ended;
        }
    };
    asio::co_spawn(io, wait_twice(), asio::detached);
    while (ended != 2) {
        io.poll();
        io.restart();
        BOOST_TEST(is_taken(memory) == (ended != 2));
        timer.cancel();
    }
}

// Destroying the loop destroys whatever waits on it: the frame of a coroutine after the operation in that frame.
BOOST_AUTO_TEST_CASE(may_be_in_the_coroutine_that_waits_when_the_loop_is_destroyed)
{
    std::optional<asio::io_context> io(std::in_place);
    bool destroyed = false;
    struct notice {
        ~notice() { destroyed = true; }
        bool& destroyed;
    };
    const auto wait = [&]() -> awaitable<> {
        notice when_destroyed{destroyed};
        net::operation_memory memory;
        steady_timer timer(io->get_executor(), 1h);
        co_await timer.async_wait(net::deferred_in(memory));
    };
    asio::co_spawn(*io, wait(), asio::detached);
    io->poll();
    BOOST_TEST(!destroyed);
    io.reset();
    BOOST_TEST(destroyed);
}

BOOST_AUTO_TEST_SUITE_END()
