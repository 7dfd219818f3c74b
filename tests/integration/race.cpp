// The three ends of the race between a reply and a deadline, and what a reply channel promises.
#include "kit.hpp"
#include "protocols/codes/protocol.hpp"
#include "upstream/multiplexer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>

namespace causeway::test {
namespace {

using upstream::multiplexer;
using upstream::waiting_request;
using outcome = std::tuple<error_code, std::string>;

const auto code = codes::code::parse("404").value();
const auto other_code = codes::code::parse("500").value();

struct fixture {
    asio::io_context io;
    multiplexer channels{io.get_executor(), 1024};
    upstream::lane lane{[] {}};
    std::vector<int> answered; // the order in which waits ended with a reply

    // Waits for `waited_for` and stores the outcome; `name` goes into `answered`.
    void wait(codes::code waited_for, steady_timer& deadline, outcome& result, int name = 0)
    {
        asio::co_spawn(io, wait_on(waited_for, deadline, result, name), [](const std::exception_ptr& thrown) {
            if (thrown)
                std::rethrow_exception(thrown);
        });
        io.poll();
        io.restart();
    }

    awaitable<> wait_on(codes::code waited_for, steady_timer& deadline, outcome& result, int name)
    {
        const auto question = codes::question_for(waited_for);
        waiting_request request(channels, question);
        auto [order, error, reply, expiry] = co_await request.receive(deadline);
        result = {error, std::move(reply)};
        if (!error)
            answered.push_back(name);
    }

    bool deliver(codes::code for_code, std::string_view reply)
    {
        return channels.deliver(lane, upstream::key(for_code.text()), reply);
    }
};

const outcome pending{asio::error::would_block, ""};

} // namespace

BOOST_FIXTURE_TEST_SUITE(race, fixture)

BOOST_AUTO_TEST_CASE(the_reply_comes_first)
{
    steady_timer deadline(io, patience);
    outcome result = pending;
    wait(code, deadline, result);

    BOOST_TEST(deliver(code, "a reply\n"));
    io.run();

    BOOST_TEST(!std::get<error_code>(result));
    BOOST_TEST(std::get<std::string>(result) == "a reply\n");
}

BOOST_AUTO_TEST_CASE(the_deadline_comes_first)
{
    steady_timer deadline(io, 1ms);
    outcome result = pending;
    wait(code, deadline, result);

    io.run();

    BOOST_TEST(std::get<error_code>(result) == asio::experimental::channel_errc::channel_cancelled);
    BOOST_TEST(!deliver(code, "too late\n"));
}

// The timer's completion is queued before the reply is sent, so it is handled first.
BOOST_AUTO_TEST_CASE(in_a_tie_the_reply_that_arrived_is_never_thrown_away)
{
    steady_timer deadline(io, patience);
    outcome result = pending;
    wait(code, deadline, result);

    deadline.cancel();
    BOOST_TEST(deliver(code, "in the same turn\n"));
    io.run();

    BOOST_TEST(!std::get<error_code>(result));
    BOOST_TEST(std::get<std::string>(result) == "in the same turn\n");
}

BOOST_AUTO_TEST_CASE(in_a_tie_with_a_deadline_that_really_passed_the_reply_wins_too)
{
    steady_timer deadline(io, 1ms);
    outcome result = pending;
    wait(code, deadline, result);

    while (clock::now() <= deadline.expiry()) // without running the loop
        ;
    asio::post(io, [&] { BOOST_TEST(deliver(code, "in the same turn\n")); });
    io.run();

    BOOST_TEST(!std::get<error_code>(result));
    BOOST_TEST(std::get<std::string>(result) == "in the same turn\n");
}

BOOST_AUTO_TEST_CASE(a_channel_that_has_served_one_code_gives_nothing_of_it_to_the_next)
{
    steady_timer past(io, 1ms);
    outcome result = pending;
    wait(code, past, result);
    io.run();
    io.restart();
    BOOST_TEST(channels.keys() == 0U);

    steady_timer deadline(io, patience);
    outcome other = pending;
    wait(other_code, deadline, other);
    BOOST_TEST(channels.keys() == 1U);
    BOOST_TEST(!deliver(code, "too late\n"));
    BOOST_TEST(deliver(other_code, "a reply\n"));
    io.run();

    BOOST_TEST(!std::get<error_code>(other));
    BOOST_TEST(std::get<std::string>(other) == "a reply\n");
    BOOST_TEST(channels.keys() == 0U);
}

// More than are kept for the next, in two rounds and not in the same order.
BOOST_AUTO_TEST_CASE(each_of_very_many_codes_has_a_channel_of_its_own)
{
    steady_timer deadline(io, patience);
    std::vector<codes::code> codes;
    for (int number = 100; number != 300; ++number)
        codes.push_back(codes::code::parse(std::to_string(number)).value());
    for (int round = 0; round != 2; ++round) {
        std::vector<outcome> results(codes.size(), pending);
        for (std::size_t i = 0; i != codes.size(); ++i)
            wait(codes[i], deadline, results[i]);
        BOOST_TEST(channels.keys() == codes.size());

        for (const auto& code : codes)
            BOOST_TEST(deliver(code, std::string(code.text())));
        io.run();
        io.restart();

        for (std::size_t i = 0; i != codes.size(); ++i)
            BOOST_TEST(std::get<std::string>(results[i]) == codes[i].text());
        BOOST_TEST(channels.keys() == 0U);
        std::ranges::reverse(codes);
    }
}

BOOST_AUTO_TEST_CASE(a_reply_goes_to_the_request_that_has_waited_longest_for_its_code)
{
    steady_timer deadline(io, patience);
    std::array<outcome, 3> results{pending, pending, pending};
    wait(code, deadline, results[0], 1);
    wait(other_code, deadline, results[1], 2);
    wait(code, deadline, results[2], 3);

    deliver(code, "first\n");
    io.poll();
    io.restart();
    BOOST_TEST(answered == (std::vector{1}), boost::test_tools::per_element());
    deliver(code, "second\n");
    deliver(other_code, "other\n");
    io.run();

    BOOST_TEST(answered == (std::vector{1, 3, 2}), boost::test_tools::per_element());
    BOOST_TEST(std::get<std::string>(results[0]) == "first\n");
    BOOST_TEST(std::get<std::string>(results[1]) == "other\n");
    BOOST_TEST(std::get<std::string>(results[2]) == "second\n");
}

BOOST_AUTO_TEST_CASE(however_many_wait_for_a_code_the_longest_waiting_comes_first)
{
    constexpr int crowd = 3 * static_cast<int>(upstream::reply_channels::most_in_a_channel) + 5;
    steady_timer early(io, 1ms);
    steady_timer late(io, patience);
    std::vector<outcome> results(crowd + 1, pending);
    const auto gives_up = [](int i) { return i < 70 || i % 3 == 0; };
    for (int i = 0; i < crowd; ++i)
        wait(code, gives_up(i) ? early : late, results[static_cast<std::size_t>(i)], i);
    while (results[0] == pending || results[crowd - crowd % 3 - 3] == pending)
        io.run_one();
    io.poll();
    answered.clear();
    wait(code, late, results[crowd], crowd); // after all of them, wherever there is room

    std::vector<int> expected;
    for (int i = 0; i <= crowd; ++i)
        if (i == crowd || !gives_up(i))
            expected.push_back(i);
    for (std::size_t i = 0; i < expected.size(); ++i)
        BOOST_TEST(deliver(code, "one of many\n"));
    BOOST_TEST(!deliver(code, "one too many\n"));
    io.run();

    BOOST_TEST(answered == expected, boost::test_tools::per_element());
    BOOST_TEST(channels.keys() == 0U);
}

BOOST_AUTO_TEST_CASE(a_reply_that_nobody_waits_for_is_not_kept_for_a_later_request)
{
    steady_timer far_away(io, 1h);
    steady_timer deadline(io, 1ms);
    outcome first = pending;
    outcome second = pending;

    BOOST_TEST(!deliver(code, "unsolicited\n"));
    wait(code, far_away, first);
    BOOST_TEST(deliver(code, "asked\n"));
    BOOST_TEST(!deliver(code, "repeated\n"));
    wait(code, deadline, second);
    io.run();

    BOOST_TEST(std::get<std::string>(first) == "asked\n");
    BOOST_TEST(std::get<error_code>(second) == asio::experimental::channel_errc::channel_cancelled);
}

BOOST_AUTO_TEST_CASE(one_request_that_times_out_leaves_the_others_waiting)
{
    steady_timer short_deadline(io, 1ms);
    steady_timer long_deadline(io, patience);
    outcome first = pending;
    outcome second = pending;
    wait(code, short_deadline, first);
    wait(code, long_deadline, second, 2);

    while (first == pending)
        io.run_one();
    BOOST_TEST(deliver(code, "for the second\n"));
    io.run();

    BOOST_TEST(std::get<error_code>(first) == asio::experimental::channel_errc::channel_cancelled);
    BOOST_TEST(std::get<std::string>(second) == "for the second\n");
}

BOOST_AUTO_TEST_CASE(a_channel_is_gone_when_nobody_waits)
{
    steady_timer deadline(io, patience);
    std::array<outcome, 2> results{pending, pending};
    wait(code, deadline, results[0]);
    wait(code, deadline, results[1]);
    BOOST_TEST(channels.keys() == 1U);

    deliver(code, "one\n");
    io.poll();
    io.restart();
    BOOST_TEST(channels.keys() == 1U);
    deliver(code, "two\n");
    io.run();

    BOOST_TEST(channels.keys() == 0U);
}

BOOST_AUTO_TEST_CASE(closing_ends_every_wait)
{
    steady_timer deadline(io, patience);
    std::array<outcome, 2> results{pending, pending};
    wait(code, deadline, results[0]);
    wait(other_code, deadline, results[1]);

    channels.fail_all(asio::experimental::channel_errc::channel_closed);
    io.run();

    BOOST_TEST(std::get<error_code>(results[0]) == asio::experimental::channel_errc::channel_closed);
    BOOST_TEST(std::get<error_code>(results[1]) == asio::experimental::channel_errc::channel_closed);
    BOOST_TEST(channels.keys() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
