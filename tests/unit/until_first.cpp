#include "net/until_first.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>

namespace {

using namespace causeway;
using namespace std::chrono_literals;

struct fixture {
    asio::io_context io;
    steady_timer never{io, 1h};
    std::string story; // what has happened, in order

    awaitable<> wait_for_ever(char name)
    {
        const auto [error] = co_await never.async_wait(as_result);
        BOOST_TEST(error == asio::error::operation_aborted);
        story += name;
    }

    awaitable<> wait_and_throw_that_it_was_cancelled()
    {
        co_await never.async_wait(as_result);
        co_await never.async_wait(as_result); // which does not begin
        story += "too far";
    }

    awaitable<> wait_and_fail()
    {
        co_await never.async_wait(as_result);
        throw std::runtime_error("failed while it was cancelled");
    }

    awaitable<> wait_for_two(char one, char other)
    {
        co_await net::until_first(wait_for_ever(one), wait_for_ever(other));
    }

    awaitable<> end(char name)
    {
        story += name;
        co_return;
    }

    awaitable<> fail()
    {
        throw std::runtime_error("failed first");
        co_return;
    }

    // Runs `stories` until the first ends; returns its index, or what was thrown.
    std::string outcome_of(awaitable<std::size_t> stories)
    {
        std::string outcome = "none";
        asio::co_spawn(io, std::move(stories), [&](const std::exception_ptr& thrown, std::size_t first) {
            outcome = thrown ? message_of(thrown) : std::to_string(first);
        });
        io.restart();
        io.run_for(10s);
        return outcome;
    }

    static std::string message_of(const std::exception_ptr& thrown)
    {
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            return error.what();
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(until_first, fixture)

BOOST_AUTO_TEST_CASE(the_first_to_return_ends_the_others)
{
    BOOST_TEST(outcome_of(net::until_first(wait_for_ever('a'), end('b'), wait_for_ever('c'))) == "1");
    BOOST_TEST(story == "bac");
}

BOOST_AUTO_TEST_CASE(the_first_to_throw_ends_the_others_and_is_heard)
{
    BOOST_TEST(outcome_of(net::until_first(wait_for_ever('a'), fail())) == "failed first");
    BOOST_TEST(story == "a");
}

// What the header says about Asio's operator; if that ever changes, this template is no longer needed.
BOOST_AUTO_TEST_CASE(asios_operator_goes_on_without_the_one_that_threw)
{
    using namespace asio::experimental::awaitable_operators;
    bool ended = false;
    asio::co_spawn(io, wait_for_ever('a') || fail(), [&](const std::exception_ptr&, auto) { ended = true; });
    io.poll();
    BOOST_TEST(!ended);
    never.cancel();
    io.run();
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(one_that_throws_that_it_was_cancelled_has_only_been_cancelled)
{
    BOOST_TEST(outcome_of(net::until_first(wait_and_throw_that_it_was_cancelled(), end('b'))) == "1");
    BOOST_TEST(story == "b");
}

BOOST_AUTO_TEST_CASE(one_that_fails_while_it_is_cancelled_is_heard_too)
{
    BOOST_TEST(outcome_of(net::until_first(end('a'), wait_and_fail())) == "failed while it was cancelled");
    BOOST_TEST(outcome_of(net::until_first(fail(), wait_and_fail())) == "failed first");
}

BOOST_AUTO_TEST_CASE(cancelled_from_outside_it_cancels_all_of_them)
{
    BOOST_TEST(outcome_of(net::until_first(wait_for_two('a', 'b'), end('c'))) == "1");
    BOOST_TEST(story == "cab");
}

BOOST_AUTO_TEST_SUITE_END()
